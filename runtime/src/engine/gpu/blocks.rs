//! The dispatches of a step, each with the block of numbers that tells a kernel what it is about.

use synfire_kernels::wgsl::image::Image;
use synfire_kernels::wgsl::shape::{DISPATCH_WORDS, MAX_GROUPS, TILE};

use super::buffers::BLOCK;

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
    /// Sums analog outputs.
    Gather { block: u32, groups: u32 },
    /// Updates units.
    Update { block: u32, groups: u32 },
}

/// The calls of a step and the words of all blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocks {
    pub calls: Vec<Call>,
    pub words: Vec<u32>,
    /// Words of the arguments' buffer.
    pub args: u64,
}

#[derive(Clone, Copy, Default)]
struct Block {
    stage: u32,
    args: u32,
    args_next: u32,
    first: u32,
    lanes: u32,
    feeds: (u32, u32),
    range: (u32, u32),
}

impl Blocks {
    /// The calls of a step of `image`.
    pub fn new(image: &Image) -> Blocks {
        let mut out = Blocks {
            args: u64::from(ARGS) * 2 * image.stages.len() as u64,
            ..Default::default()
        };
        for (n, stage) in image.stages.iter().enumerate() {
            let n = n as u32;
            let args = [2 * n * ARGS, (2 * n + 1) * ARGS];
            let base = Block {
                lanes: image.lanes,
                feeds: stage.feeds,
                ..Default::default()
            };
            if n == 0 || !stage.shards.is_empty() {
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
            for &shard in &stage.shards {
                let block = out.block(base);
                let args = args.map(|a| u64::from(a) * 4);
                out.calls.push(Call::Deliver { shard, block, args });
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
                let block = out.block(Block { first, ..base });
                out.calls.push(Call::Update { block, groups });
            }
        }
        out
    }

    /// Appends a block and gives its offset in bytes.
    fn block(&mut self, b: Block) -> u32 {
        let at = self.words.len() * 4;
        let words: [u32; DISPATCH_WORDS] = [
            b.stage,
            b.args,
            b.args_next,
            0,
            b.first,
            b.lanes,
            b.feeds.0,
            b.feeds.1,
            b.range.0,
            b.range.1,
            TILE >> b.lanes,
            0,
        ];
        self.words.extend(words);
        self.words.resize((at + BLOCK as usize) / 4, 0);
        at as u32
    }
}

/// Tiles in portions that one dispatch can take.
fn portions(first: u32, tiles: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..tiles)
        .step_by(MAX_GROUPS as usize)
        .map(move |k| (first + k, (tiles - k).min(MAX_GROUPS)))
}
