//! The number that a synapse keeps beside its weight: which state of a model is a chip's tag, and what its blocks add to it.
//!
//! In: a [`Reader`] of the model's blocks. Out: the tag's state and its sums of products, or why the chip has none such.

use super::products::{FACTORS, Reader};
use synfire_ir::mapping::Gate;
use synfire_ir::model::Block;
use synfire_ir::synapse::Place;

impl Reader<'_> {
    /// States of a synapse beside its weight.
    fn beside(&self) -> Vec<u16> {
        let all = self.s.model.states.iter().zip(0u16..).skip(1);
        let own = all.filter(|c| c.0.place == Place::Synapse);
        own.map(|c| c.1).collect()
    }

    /// Refuses states of a synapse beside its weight.
    pub fn no_tags(&mut self) {
        for k in self.beside() {
            let name = self.name(k).to_string();
            self.why.push(format!(
                "`{name}` is a state of each synapse beside the weight, and the chip's rule keeps none"
            ));
        }
    }

    /// Finds the one state beside the weight that may be a tag.
    pub fn tag(&mut self, [low, high]: [i64; 2]) {
        let beside = self.beside();
        if let [k, _, ..] = beside[..] {
            self.why.push(format!(
                "it keeps {} states of each synapse beside the weight; a core has one, the tag",
                beside.len()
            ));
            self.tag = Some(k);
            return;
        }
        let Some(&k) = beside.first() else { return };
        let cell = &self.s.model.states[usize::from(k)];
        if cell.decay.is_some() {
            self.why.push(format!(
                "`{}` decays by itself; a tag changes by rules alone, at spikes and intervals",
                cell.name
            ));
        }
        if self.s.word(k) != 0 {
            self.why.push(format!(
                "`{}` starts at something other than 0 (a tag lies within {low}..{high})",
                cell.name
            ));
        }
        self.tag = Some(k);
    }

    /// What a block adds to the tag; one that is set loses what it was.
    pub fn tag_changes(&mut self, gate: Gate, block: &Block) {
        let Some(k) = self.tag else { return };
        let sums = self.sums(block);
        for &(_, v) in block.stores.iter().filter(|x| x.0 == k) {
            let name = self.name(k).to_string();
            match sums.get(v as usize) {
                Some(Ok(c)) if c.low.is_none() && c.high.is_none() => {
                    let mut sum = c.sum.clone();
                    *sum.entry(vec![k]).or_insert(0.0) -= 1.0;
                    let moved = sum.into_iter().filter(|x| x.1.abs() >= 1e-12);
                    self.tag_terms.extend(moved.map(|(p, c)| (gate, c, p)));
                }
                Some(Ok(_)) => self
                    .why
                    .push(format!("`{name}` is cut to a range; a tag has the chip's")),
                Some(Err(e)) => self.why.push(format!("`{name}` {e}")),
                None => {}
            }
        }
        if let Some(n) = self
            .tag_terms
            .iter()
            .map(|t| t.2.len())
            .find(|n| *n > FACTORS)
        {
            self.why.push(format!(
                "a product of {n} factors; a core multiplies {FACTORS}"
            ));
        }
    }
}
