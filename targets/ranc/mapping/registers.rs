//! Register values of a mapping, by name, into a neuron.

use super::super::dynamics::FIELDS;
use super::super::{NUM_WEIGHTS, Neuron, ResetMode};
use super::unfit;
use crate::report::Report;
use synfire_ir::mapping::Mapping;

/// Which of [`FIELDS`] each of [`Mapping::fields`] sets.
pub(super) struct Registers(Vec<Option<usize>>);

impl Registers {
    pub(super) fn new(mapping: &Mapping, report: &mut Report) -> Registers {
        let mut find = |name: &String| {
            let at = FIELDS.iter().position(|f| f == name);
            if at.is_none() || mapping.fields.iter().filter(|f| *f == name).count() > 1 {
                report.add("fields", || {
                    let text =
                        format!("`{name}` is no register of a neuron of RANC, or is set twice");
                    unfit(
                        "SYN0615",
                        text,
                        &format!("the registers are {}", FIELDS.join(", ")),
                        "set each register once",
                    )
                });
            }
            at
        };
        Registers(mapping.fields.iter().map(&mut find).collect())
    }

    /// The neuron with these values, and which of its weights they set.
    pub(super) fn set(
        &self,
        values: &[i64],
        place: &dyn Fn() -> String,
        report: &mut Report,
    ) -> (Neuron, [bool; NUM_WEIGHTS]) {
        let mut words = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        let mut weights = [false; NUM_WEIGHTS];
        for (at, &value) in self.0.iter().zip(values) {
            let Some(at) = *at else { continue };
            let mode = FIELDS[at] == "reset_mode";
            match i32::try_from(value) {
                Ok(word) if !mode || word == 0 || word == 1 => words[at] = word,
                _ => report.add("register values", || {
                    let text = format!("{}: {} is set to {value}", place(), FIELDS[at]);
                    let why = if mode {
                        "0 resets to reset_potential, 1 subtracts the threshold"
                    } else {
                        "registers hold at most 32 bits"
                    };
                    unfit(
                        "SYN0610",
                        text,
                        why,
                        "scale weights, leak and thresholds together until they fit",
                    )
                }),
            }
            if let Some(set) = at.checked_sub(2).and_then(|class| weights.get_mut(class)) {
                *set = true;
            }
        }
        let [
            potential,
            reset_potential,
            w0,
            w1,
            w2,
            w3,
            leak,
            positive_threshold,
            negative_threshold,
            mode,
        ] = words;
        let reset_mode = if mode == 1 {
            ResetMode::Linear
        } else {
            ResetMode::Absolute
        };
        let neuron = Neuron {
            potential,
            reset_potential,
            weights: [w0, w1, w2, w3],
            leak,
            positive_threshold,
            negative_threshold,
            reset_mode,
            ..Neuron::default()
        };
        (neuron, weights)
    }
}
