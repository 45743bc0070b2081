//! Are input packets what the grid takes?

use super::super::layout::{Fields, signed_range};
use super::super::{Config, DROPPED_TICK, Dialect, NUM_TICKS, Packet};
use super::sides;
use crate::report::Report;
use synfire_ir::{Diagnostic, Diagnostics};

/// Every input packet that the reference would refuse, misroute or drop. `packets[k]` is the list of tick k.
pub fn validate_packets(config: &Config, packets: &[Vec<Packet>]) -> Diagnostics {
    let mut report = Report::new();
    for (k, list) in packets.iter().enumerate() {
        for p in list {
            packet(config, k, p, &mut report);
        }
    }
    report.finish()
}

fn packet(config: &Config, k: usize, p: &Packet, report: &mut Report) {
    let at = format!(
        "input packet of tick {k} to core ({},{}), axon {}",
        p.x, p.y, p.axon
    );
    let f = Fields::of(config);
    let far = config.dialect == Dialect::Rtl
        && (i64::from(p.x) > signed_range(f.dx).1 || i64::from(p.y) > signed_range(f.dy).1);
    if !config.grid.holds(p.x.into(), p.y.into()) || far {
        report.add("packet route", || {
            Diagnostic::error(
                "SYN0613",
                format!(
                    "{at}: the core lies outside the grid of {} or beyond the packet's offsets",
                    sides(config)
                ),
            )
            .note("packets enter at core (0,0) and carry the destination's coordinates as offsets")
            .hint("address a core of the grid")
        });
    } else if (p.x, p.y) == (config.output_bus.x, config.output_bus.y) {
        report.add("packet to bus", || {
            Diagnostic::error(
                "SYN0611",
                format!("{at}: this position is the output bus, which has no axons"),
            )
            .note("input goes to cores; the output bus only collects spikes")
            .hint("address a core")
        });
    }
    if p.axon >= config.num_axons {
        report.add("packet axon", || {
            Diagnostic::error(
                "SYN0611",
                format!("{at}: a core has {} axons", config.num_axons),
            )
            .note("axons count from 0")
            .hint("address an axon below num_axons")
        });
    }
    if p.tick >= NUM_TICKS {
        report.add("packet tick field", || {
            Diagnostic::error(
                "SYN0612",
                format!("{at}: tick is {}, the field has four bits", p.tick),
            )
            .note("the axon fires in tick k + tick")
            .hint("put the packet into a later list")
        });
    } else if p.tick == DROPPED_TICK {
        report.add("packet dropped tick", || {
            let text = format!("{at}: tick 15 wraps onto the word being read");
            let d = match config.dialect {
                Dialect::Sim => Diagnostic::warning("SYN0612", text)
                    .note("the simulator warns and drops the packet"),
                Dialect::Rtl => {
                    Diagnostic::error("SYN0612", text).note("the Verilog raises scheduler_error")
                }
            };
            d.hint("put the packet into a later list with a smaller tick")
        });
    }
}
