//! Where the blocks of a rule end the range of a weight, beside the one range that a core has.
//!
//! In: for every block that changes the weight, where it cuts and which way it can move. Out: the upper end, what the chip does otherwise, and why it cannot follow. A core cuts every change at 0 and
//! at its largest weight; so two blocks cannot end at different places, and one that cuts nowhere is cut all the same. Traces and weights are never negative here: the sign of a
//! coefficient is the way that its product moves the weight.

/// One block's ends.
pub(super) struct Ends {
    /// When it runs: "at an arrival".
    pub at: String,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Can it lower a weight?
    pub falls: bool,
    /// Can it raise one?
    pub rises: bool,
}

/// The upper end of all blocks, and what the chip does otherwise; reasons go to `why`.
pub(super) fn ends(blocks: &[Ends], why: &mut Vec<String>) -> (Option<f64>, Vec<String>) {
    let low = one(blocks, "lower", |b| b.low, why);
    let high = one(blocks, "upper", |b| b.high, why);
    match (low, high) {
        (Some(l), _) if l < 0.0 => why.push(format!(
            "its weights go down to {l}; weights that learn on the chip keep one sign"
        )),
        (Some(l), _) if l > 0.0 => why.push(beyond()),
        (_, Some(h)) if h <= 0.0 => why.push(beyond()),
        _ => {}
    }
    let mut notes = vec![];
    for b in blocks {
        if b.falls && b.low.is_none() {
            notes.push(format!(
                "{} nothing keeps a weight of the network from going below 0; on the chip it stays at 0",
                b.at
            ));
        }
        if let Some(h) = high.filter(|_| b.rises && b.high.is_none()) {
            notes.push(format!(
                "{} nothing keeps a weight of the network from going above {h}; on the chip it ends there in every change",
                b.at
            ));
        }
    }
    (high, notes)
}

fn beyond() -> String {
    "0 is no weight of its range; on the chip it is the lower end".into()
}

/// The end that all blocks with one share.
fn one(
    blocks: &[Ends],
    which: &str,
    of: fn(&Ends) -> Option<f64>,
    why: &mut Vec<String>,
) -> Option<f64> {
    let mut given = blocks.iter().filter_map(|b| Some((&b.at, of(b)?)));
    let (at, first) = given.next()?;
    for (other, end) in given.filter(|x| x.1 != first) {
        why.push(format!(
            "the {which} end of its weights is {first} {at} and {end} {other}; the chip has one for all changes"
        ));
    }
    Some(first)
}
