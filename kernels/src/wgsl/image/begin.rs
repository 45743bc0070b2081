//! What beginning a step costs: lists to empty, external events to mark for ordered ports, feeds to count.
//!
//! In: the program's lists, feeds and external groups. Out: whether one invocation may do it for a sample, its loops, and how many external
//! events a step may bring.

use super::layout::Places;
use super::lesson::Lesson;
use super::loops::{Loops, SEARCH};
use crate::wgsl::shape::MAX_ITERATIONS;
use synfire_ir::program::{GroupKind, Program};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    /// May one invocation begin the step of a sample?
    pub alone: bool,
    /// Most external events of one sample in one step, as far as beginning a step and modulators can take them.
    pub most_events: u64,
    feeds: u64,
    lists: u64,
    groups: u64,
    words: u64,
    marks: bool,
}

/// Iterations that one invocation may make where many could share the work: more would take longer than that saves.
const ALONE: u64 = 1 << 12;

impl Begin {
    /// What a program with that many feeds in its longest delivery asks for.
    pub fn new(
        p: &Program,
        places: &Places,
        feeds: u64,
        lessons: &[Lesson],
        parallel: bool,
    ) -> Begin {
        let marked = (p.groups.iter().zip(&places.groups))
            .filter(|(g, place)| g.kind == GroupKind::External && place.bits.slots > 0)
            .map(|(g, _)| u64::from(g.size.div_ceil(32)));
        let (groups, words) = marked.fold((0, 0), |(n, all), w| (n + 1, all + w));
        let mut out = Begin {
            alone: false,
            most_events: u64::MAX,
            feeds,
            lists: places.lists.len() as u64,
            groups,
            words,
            marks: groups > 0,
        };
        let all = feeds + out.lists + words * (2 * SEARCH + 1);
        out.alone = !parallel && all <= ALONE;
        if out.marks {
            out.most_events = MAX_ITERATIONS.saturating_sub(out.without_events());
        }
        for l in lessons {
            out.most_events = out.most_events.min(l.most_events);
        }
        out
    }

    /// Its loops but for the one over events that are marked.
    fn loops(&self) -> [(&'static str, u64); 7] {
        let together = if self.alone { 1 } else { 64 };
        let groups = if self.marks { self.groups } else { 0 };
        let words = self.words.div_ceil(together) + if together > 1 { groups } else { 0 };
        let counted = self.feeds.div_ceil(64);
        [
            ("LISTS", self.lists.div_ceil(together)),
            ("INGESTED", groups),
            ("MARKS", words),
            ("EVENT_SEARCH", 2 * SEARCH * words),
            ("COUNTED", counted),
            ("SCANNED", 6),
            (
                "FEEDS",
                if self.alone {
                    self.feeds
                } else {
                    counted.max(16)
                },
            ),
        ]
    }

    fn without_events(&self) -> u64 {
        self.loops().iter().map(|l| l.1).sum()
    }

    /// Notes the loops. Events beyond [`Begin::most_events`] are refused when they are given.
    pub fn note(&self, loops: &mut Loops) {
        let marked = match self.marks {
            true => MAX_ITERATIONS.saturating_sub(self.without_events()),
            false => 0,
        };
        let mut all = self.loops().to_vec();
        all.push(("MARKED", marked));
        loops.note("begin", &all);
    }
}
