//! The dispatches of a step, each with the block of numbers that tells a kernel what it is about.

use super::buffers::BLOCK;
use synfire_ir::program::Program;
use synfire_kernels::wgsl::image::Image;
use synfire_kernels::wgsl::image::rules::Does;
use synfire_kernels::wgsl::shape::*;

/// Words of one set of arguments of an indirect dispatch, padded.
const ARGS: u32 = 4;

/// One dispatch of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Counts what arrives; one workgroup a sample. Odd and even steps have blocks of their own.
    Begin { blocks: [u32; 2] },
    /// Walks the rows of a shard; sized by the arguments at these bytes in odd and even steps.
    Deliver {
        shard: usize,
        block: u32,
        args: [u64; 2],
    },
    /// The same for samples with few events; each has an invocation.
    DeliverAlone { shard: usize, block: u32 },
    /// Sums analog outputs.
    Gather { block: u32, groups: u32 },
    /// Updates units.
    Update { block: u32, groups: u32 },
    /// Something that synapses which learn do.
    Learn {
        lesson: usize,
        what: Learn,
        block: u32,
        size: Size,
        when: When,
    },
}

/// Kernels of a plastic projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learn {
    Deliver,
    Offer,
    Modulate,
    Pre,
    Targets,
    Every,
    Probe,
}

/// How many workgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Along x and z.
    Fixed(u32, u32),
    /// By the arguments at these bytes in odd and even steps.
    Args([u64; 2]),
}

/// In which steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// After every so many.
    Every(u32),
    /// When some source has so many events and one more in a step.
    Repeats(u32),
}

/// Events of one external unit in one step that rows can learn from.
pub(super) const MOST_REPEATS: u32 = 64;

/// The calls of a step and the words of all blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    pub calls: Vec<Call>,
    pub words: Vec<u32>,
    /// Words of the arguments' buffer.
    pub args: u64,
}

/// What one dispatch is told; the fields of `Dispatch` in the kernels' text.
#[derive(Clone, Copy, Default)]
pub(super) struct Block {
    pub stage: u32,
    pub args: u32,
    pub args_next: u32,
    pub samples: u32,
    pub first: u32,
    pub lanes: u32,
    pub feeds: (u32, u32),
    pub range: (u32, u32),
    pub lesson: u32,
    pub part: u32,
    pub round: u32,
    pub share: u32,
    pub budget: u32,
    pub alone: u32,
}

impl Block {
    /// Appends the words in the order of the kernels' text; returns the byte at which they begin.
    pub fn put(self, words: &mut Vec<u32>) -> u32 {
        let at = words.len() * 4;
        let block: [u32; DISPATCH_WORDS] = [
            self.stage,
            self.args,
            self.args_next,
            self.samples,
            self.first,
            self.lanes,
            self.feeds.0,
            self.feeds.1,
            self.range.0,
            self.range.1,
            TILE >> self.lanes,
            self.lesson,
            self.part,
            self.round,
            self.share,
            self.budget,
            self.alone,
        ];
        words.extend(block);
        words.resize((at + BLOCK as usize) / 4, 0);
        at as u32
    }
}

impl Blocks {
    /// The calls of a step of `image`, which is that of `p`; an invocation of the update takes `share` samples, one of the delivery
    /// up to `alone` events of a sample.
    pub fn new(p: &Program, image: &Image, share: u32, alone: u32) -> Blocks {
        let counted = image.stages.len() + image.lessons.len();
        let mut out = Blocks {
            args: u64::from(ARGS) * 2 * counted as u64,
            ..Default::default()
        };
        for (n, stage) in image.stages.iter().enumerate() {
            let n = n as u32;
            let args = [2 * n * ARGS, (2 * n + 1) * ARGS];
            let base = Block {
                lanes: image.lanes,
                feeds: stage.feeds,
                alone,
                ..Default::default()
            };
            if n == 0 || !stage.shards.is_empty() || !stage.lessons.is_empty() {
                let blocks = [0, 1].map(|parity: usize| {
                    out.block(Block {
                        stage: n,
                        args: args[parity],
                        args_next: args[1 - parity],
                        ..base
                    })
                });
                out.calls.push(Call::Begin { blocks });
            }
            for &shard in stage.shards.iter().filter(|_| alone > 0) {
                let block = out.block(Block { lanes: 0, ..base });
                out.calls.push(Call::DeliverAlone { shard, block });
            }
            for &shard in &stage.shards {
                let block = out.block(base);
                let args = args.map(|a| u64::from(a) * 4);
                out.calls.push(Call::Deliver { shard, block, args });
            }
            for &k in &stage.lessons {
                let lesson = image.lessons[k].at;
                let block = Block { lesson, ..base };
                let args = args.map(|a| u64::from(a) * 4);
                out.learn(k, Learn::Deliver, block, Size::Args(args), When::Always);
            }
            for &k in &stage.offers {
                let l = &image.lessons[k];
                let block = Block {
                    lesson: l.at,
                    lanes: l.lanes.0,
                    ..Default::default()
                };
                let size = groups(l.elements[0], l.lanes.0);
                out.learn(k, Learn::Offer, block, size, When::Always);
            }
            for &range in &stage.gather.ranges {
                for (first, groups) in portions(stage.gather.first, stage.gather.tiles) {
                    let block = out.block(Block {
                        range,
                        first,
                        ..base
                    });
                    out.calls.push(Call::Gather { block, groups });
                }
            }
            for (first, groups) in portions(stage.tiles.0, stage.tiles.1) {
                let block = out.block(Block {
                    first,
                    share,
                    ..base
                });
                out.calls.push(Call::Update { block, groups });
            }
        }
        for (k, l) in image.lessons.iter().enumerate() {
            let does = Does::new(&p.synapse_models[l.synapse as usize]);
            out.lesson(image, k, &does);
        }
        for &(_, record, k) in &image.learned_probes {
            let words = |at: u32| image.tables[(record + at) as usize];
            let block = Block {
                lesson: record,
                ..Default::default()
            };
            let when = When::Every(words(P_EVERY));
            out.learn(k, Learn::Probe, block, groups(words(P_LEN), 0), when);
        }
        out
    }

    /// Stage 5 of a step for one plastic projection.
    fn lesson(&mut self, image: &Image, k: usize, does: &Does) {
        let l = &image.lessons[k];
        let [rows, targets, _] = l.elements;
        let base = Block {
            lesson: l.at,
            ..Default::default()
        };
        if l.modulated {
            let each = 1 + targets.div_ceil(TILE);
            let size = Size::Fixed(each.min(MAX_GROUPS), each.div_ceil(MAX_GROUPS));
            self.learn(k, Learn::Modulate, base, size, When::Always);
        }
        if does.pre.contains(&true) && l.feeds.1 > 0 {
            self.arrivals(image, k, does.pre);
        }
        for (part, does) in (0..).zip(&does.targets) {
            let blocks = [(BLOCK_SYNAPSE, l.lanes.1), (BLOCK_TARGET, 0)];
            for ((round, lanes), _) in blocks.into_iter().zip(does).filter(|b| *b.1) {
                let block = Block {
                    part,
                    round,
                    lanes,
                    ..base
                };
                let size = groups(targets, lanes);
                self.learn(k, Learn::Targets, block, size, When::Always);
            }
        }
        for (part, (period, on, sums)) in (0..).zip(&does.every) {
            let blocks = [
                (BLOCK_TOTALS, targets, 0, *sums),
                (BLOCK_SYNAPSE, rows, l.lanes.0, on[0]),
                (BLOCK_SOURCE, rows, 0, on[1]),
                (BLOCK_TARGET, targets, 0, on[2]),
            ];
            for (round, elements, lanes, _) in blocks.into_iter().filter(|b| b.3) {
                let block = Block {
                    part,
                    round,
                    lanes,
                    ..base
                };
                let size = groups(elements, lanes);
                self.learn(k, Learn::Every, block, size, When::Every(*period));
            }
        }
    }

    /// Counts the events that arrive at a projection's rows, and runs its rules on them.
    fn arrivals(&mut self, image: &Image, k: usize, does: [bool; 2]) {
        let l = &image.lessons[k];
        let n = (image.stages.len() + k) as u32;
        let args = [2 * n * ARGS, (2 * n + 1) * ARGS];
        let base = Block {
            lesson: l.at,
            lanes: l.lanes.0,
            feeds: l.feeds,
            ..Default::default()
        };
        let blocks = [0, 1].map(|parity: usize| {
            self.block(Block {
                stage: 1,
                args: args[parity],
                args_next: args[1 - parity],
                ..base
            })
        });
        self.calls.push(Call::Begin { blocks });
        let rounds = if l.external { MOST_REPEATS } else { 1 };
        let args = args.map(|a| u64::from(a) * 4);
        for round in 0..rounds {
            let when = match round {
                0 => When::Always,
                n => When::Repeats(n),
            };
            for (part, _) in (BLOCK_SYNAPSE..).zip(does).filter(|d| d.1) {
                let block = Block {
                    part,
                    round,
                    ..base
                };
                self.learn(k, Learn::Pre, block, Size::Args(args), when);
            }
        }
    }

    fn learn(&mut self, lesson: usize, what: Learn, block: Block, size: Size, when: When) {
        if size == Size::Fixed(0, 0) {
            return;
        }
        let block = self.block(block);
        self.calls.push(Call::Learn {
            lesson,
            what,
            block,
            size,
            when,
        });
    }

    /// Appends a block and gives its offset in bytes.
    fn block(&mut self, b: Block) -> u32 {
        b.put(&mut self.words)
    }
}

/// Workgroups for so many elements that 2^`lanes` invocations share each.
fn groups(elements: u32, lanes: u32) -> Size {
    let n = elements.div_ceil(TILE >> lanes);
    Size::Fixed(n.min(MAX_GROUPS), n.div_ceil(MAX_GROUPS))
}

/// Tiles in portions that one dispatch can take.
fn portions(first: u32, tiles: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..tiles)
        .step_by(MAX_GROUPS as usize)
        .map(move |k| (first + k, (tiles - k).min(MAX_GROUPS)))
}
