//! Energy and time that a run would take on the chip, estimated from what the emulator counted and from published constants.
//!
//! Counts go in, a list of terms comes out, each a count times a constant of the chip's `[costs]`, with its source. These are estimates and are called so: constants are means over whole
//! networks and operating points of one publication, and what the chip's makers did not publish is missing from the sum; the list says what is in it. Deliberately absent: measurements.

use crate::schema::{Costs, Sourced};
use serde::{Deserialize, Serialize};

/// What a run did, over all samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Chip steps, times samples.
    pub steps: f64,
    /// Seconds that they stand for, if the network has a time unit.
    pub seconds: Option<f64>,
    /// Neurons in use.
    pub neurons: f64,
    /// Spikes of neurons.
    pub spikes: f64,
    /// Events that entered the chip.
    pub inputs: f64,
    /// Synapses walked by events.
    pub synaptic_events: f64,
    /// Links that spikes crossed between cores.
    pub hops: f64,
}

/// One count times one constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// What was counted.
    pub what: String,
    /// How often.
    pub count: f64,
    /// Energy of one, pJ.
    pub each_pj: f64,
    /// Energy of all, J.
    pub joule: f64,
    /// Where the constant comes from.
    pub source: String,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Always true: no figure here was measured.
    pub estimate: bool,
    /// J; absent where the chip's makers published nothing that could be summed.
    pub energy_j: Option<f64>,
    /// What was summed.
    pub terms: Vec<Term>,
    /// Seconds of computing, if the chip's clock and cycles are known.
    pub busy_s: Option<f64>,
    /// How these seconds come about.
    pub busy_from: Option<String>,
    /// Mean seconds that a spike is under way between cores.
    pub transport_s: Option<f64>,
}

/// The estimate of a run.
pub fn estimate(costs: &Costs, a: &Activity) -> Estimate {
    let mut terms = vec![];
    let mut add = |what: &'static str, count: f64, each: &Option<Sourced<f64>>| {
        if let Some(c) = each {
            terms.push(Term {
                what: what.into(),
                count,
                each_pj: c.value,
                joule: count * c.value * 1e-12,
                source: c.source.clone(),
            });
        }
    };
    add("synaptic events", a.synaptic_events, &costs.synapse_pj);
    add("spikes", a.spikes, &costs.spike_pj);
    add("neuron updates", a.neurons * a.steps, &costs.update_pj);
    // A packet passes one router more than it crosses links (Jin et al., ASPLOS 2023: energy = sum of w ((d + 1) E_r + d E_w)).
    if a.hops > 0.0 || costs.link_pj.is_some() {
        add("passed routers", a.hops + a.spikes, &costs.router_pj);
        add("crossed links", a.hops, &costs.link_pj);
    }
    let cycles = costs.cycles_per_step.as_ref().map(|c| (c, a.steps, "step"));
    let events = costs.cycles_per_event.as_ref();
    let cycles = cycles.or(events.map(|c| (c, a.spikes + a.inputs, "event")));
    let busy = cycles.zip(costs.clock_hz.as_ref());
    let busy_s = busy.map(|((c, n, _), clock)| c.value as f64 * n / clock.value);
    // Power is drawn for as long as the run lasts: in the network's time, or, without one, while the chip computes.
    let seconds = a.seconds.or(busy_s);
    if let Some(s) = seconds {
        let mut power = |what: &'static str, mw: &Option<Sourced<f64>>| {
            if let Some(p) = mw {
                terms.push(Term {
                    what: what.into(),
                    count: s * 1e9,
                    each_pj: p.value,
                    joule: s * p.value * 1e-3,
                    source: p.source.clone(),
                });
            }
        };
        power("time at static power (ns)", &costs.static_mw);
        power("time at active power (ns)", &costs.active_mw);
    }
    let routed = costs.router_ns.as_ref().zip(costs.link_ns.as_ref());
    let transport_s = routed.filter(|_| a.spikes > 0.0).map(|(r, l)| {
        let d = a.hops / a.spikes;
        ((d + 1.0) * r.value + d * l.value) * 1e-9
    });
    Estimate {
        estimate: true,
        energy_j: (!terms.is_empty()).then(|| terms.iter().map(|t| t.joule).sum()),
        terms,
        busy_s,
        busy_from: busy.map(|((c, _, per), clock)| {
            format!(
                "{} cycles a {per} ({}) at {} Hz ({})",
                c.value, c.source, clock.value, clock.source
            )
        }),
        transport_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sourced<T>(value: T) -> Option<Sourced<T>> {
        let source = "a paper".into();
        Some(Sourced { value, source })
    }

    #[test]
    fn every_term_is_a_count_times_a_constant() {
        let costs = Costs {
            synapse_pj: sourced(10.0),
            router_pj: sourced(1.0),
            link_pj: sourced(2.0),
            router_ns: sourced(3.0),
            link_ns: sourced(4.0),
            static_mw: sourced(5.0),
            cycles_per_step: sourced(1000),
            clock_hz: sourced(1e6),
            ..Costs::default()
        };
        let a = Activity {
            steps: 10.0,
            seconds: Some(0.5),
            neurons: 4.0,
            spikes: 20.0,
            inputs: 3.0,
            synaptic_events: 100.0,
            hops: 30.0,
        };
        let e = estimate(&costs, &a);
        // 100 * 10 pJ + (30 + 20) * 1 pJ + 30 * 2 pJ + 0.5 s * 5 mW.
        let want = 1110e-12 + 2.5e-3;
        assert!((e.energy_j.expect("a sum") - want).abs() < 1e-12, "{e:?}");
        assert_eq!(e.terms.len(), 4);
        assert!((e.busy_s.expect("cycles and a clock") - 0.01).abs() < 1e-12);
        // 1.5 links and 2.5 routers on average.
        assert!((e.transport_s.expect("routers") - 13.5e-9).abs() < 1e-15);
        let none = estimate(&Costs::default(), &a);
        assert_eq!(
            (none.energy_j, none.busy_s, none.transport_s),
            (None, None, None)
        );
    }

    #[test]
    fn events_take_cycles_where_there_are_no_steps() {
        let costs = Costs {
            cycles_per_event: sourced(520),
            clock_hz: sourced(52e6),
            static_mw: sourced(1.0),
            ..Costs::default()
        };
        let a = Activity {
            spikes: 40.0,
            inputs: 60.0,
            ..Activity::default()
        };
        let e = estimate(&costs, &a);
        assert!((e.busy_s.expect("cycles") - 1e-3).abs() < 1e-12);
        // Without a time unit, power is drawn while the chip computes.
        assert!((e.energy_j.expect("power") - 1e-6).abs() < 1e-15);
    }
}
