use crate::arbitrary::{Tape, network, tape};
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::network::{Network, PopId, parse, print, verify};

/// All that a network says, with populations numbered without holes.
fn facts(net: &Network) -> Vec<String> {
    let number: BTreeMap<PopId, usize> = net.populations().map(|p| p.0).zip(0..).collect();
    // What a population that was removed reads back as.
    let nowhere = PopId::new(u32::MAX as usize);
    let mut out = vec![format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        net.name, net.dt, net.seed, net.run, net.models, net.synapses, net.arrays, net.hints
    )];
    out.extend(net.populations().map(|p| format!("{:?}", p.1)));
    out.extend(net.projections().map(|(_, a, b, x)| {
        let mut x = x.clone();
        let modulators = x.plasticity.iter_mut().flat_map(|l| &mut l.modulators);
        modulators.for_each(|m| m.pop = number.get(&m.pop).map_or(nowhere, |k| PopId::new(*k)));
        format!("{} {} {x:?}", number[&a], number[&b])
    }));
    out.extend(net.probes.iter().map(|x| {
        let pop = number.get(&x.pop);
        format!("{pop:?} {:?} {:?} {}", x.range, x.what, x.every)
    }));
    let feeds = net.feeds.iter();
    out.extend(feeds.map(|x| format!("{:?} {:?}", number.get(&x.pop), x.events)));
    out
}

fn check(net: &Network) -> Network {
    let text = print(net);
    let back = parse("n", &text).unwrap_or_else(|d| panic!("{d}\n{text}"));
    assert_eq!(print(&back), text);
    assert_eq!(facts(&back), facts(net));
    back
}

proptest! {
    #![proptest_config(crate::cases(500))]

    #[test]
    fn sound_networks(words in tape(800)) {
        let net = network::network(&mut Tape::new(words));
        let back = check(&net);
        if let Err(d) = verify(back) {
            panic!("{d}\n{}", print(&net));
        }
    }

    #[test]
    fn networks_with_holes_and_equal_names(words in tape(800), other in tape(20)) {
        let mut net = network::network(&mut Tape::new(words));
        let mut t = Tape::new(other);
        let all: Vec<PopId> = net.populations().map(|p| p.0).collect();
        for id in all {
            match t.below(4) {
                1 => net.graph[id].name = t.name(),
                2 => drop(net.graph.remove_node(id)),
                _ => {}
            }
        }
        for m in &mut net.models {
            m.fields.iter_mut().for_each(|f| f.name = t.name());
            m.model.name = t.name();
            if t.flip() {
                m.columns.pop();
                m.state_dimensions.push(synfire_ir::units::Dimension::TIME);
            }
        }
        check(&net);
    }
}
