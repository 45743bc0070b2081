//! Blocks of a synapse model as kernels over the synapses of a row.
//!
//! In: a block on single synapses. Out: a [`Rule`] whose leaves are numbered anew, so that everything that a synapse can
//! read (states of three places, views, modulators, the step, its number, random words) reaches the kernel as a leaf that
//! [`super::lanes`] fills in. Nothing of a rule depends on the step, so that its scalars are computed once.

use synfire_ir::model::{Block, BlockBuilder, Model, Op, Value};
use synfire_ir::program::Plastic;
use synfire_ir::synapse::{Place, Seen, Synapse};
use synfire_kernels::cpu::{Fixed, Kernel, Leaf, Src, lower};

/// What a leaf of a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A state of the model.
    Cell(usize),
    /// A state of the source unit, or of the target unit.
    Source(u16),
    Target(u16),
    /// The view that shows a sum over the target's synapses.
    Total(usize),
    /// A modulator's value at the target.
    Input(usize),
    /// The value of the modulator whose block it is.
    Arg,
    Step,
    /// Number of the synapse in its projection.
    Index,
    /// A random word of a site.
    Rand(u16),
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub kernel: Kernel,
    pub scalars: Vec<u32>,
    /// One for each leaf of the kernel.
    pub reads: Vec<Read>,
    /// States and where the kernel leaves their new words.
    pub stores: Vec<(usize, Src)>,
    /// Does it store a decaying state?
    pub restarts: bool,
}

impl Rule {
    pub fn new(m: &Synapse, x: &Plastic, block: &Block) -> Self {
        let (block, slots) = numbered(m, block);
        let fixed = Fixed {
            params: x.params.iter().map(|&w| Some(w)).collect(),
            states: vec![None; slots.len()],
        };
        let kernel = lower(&Model::default(), &block, &fixed);
        let mut scalars = vec![];
        kernel.scalars(0, &mut scalars);
        let slot = |k: u16| slots.get(k as usize).copied().unwrap_or(Read::Step);
        let read = |l: &Leaf| match l {
            Leaf::State(k) => slot(*k),
            // Parameters are constants, and nothing else is left.
            _ => Read::Step,
        };
        let state = |k: u16| match slot(k) {
            Read::Cell(k) => k,
            _ => 0,
        };
        let decays = |s: &(u16, Value)| m.states[state(s.0)].decay.is_some();
        Rule {
            scalars,
            reads: kernel.leaves().iter().map(read).collect(),
            stores: kernel.stores().iter().map(|s| (state(s.0), s.1)).collect(),
            restarts: block.stores.iter().any(decays),
            kernel,
        }
    }

    /// Does it change nothing?
    pub fn is_idle(&self) -> bool {
        self.stores.is_empty() && !self.restarts
    }

    pub fn sees(&self, f: impl Fn(&Read) -> bool) -> bool {
        self.reads.iter().any(f)
    }

    /// States of targets that it reads.
    pub fn of_targets<'a>(&'a self, m: &'a Synapse) -> impl Iterator<Item = usize> + 'a {
        self.reads.iter().filter_map(|r| match r {
            Read::Cell(k) if m.states[*k].place == Place::Target => Some(*k),
            _ => None,
        })
    }
}

/// What an operation reads, if it is a leaf other than a parameter or a constant.
fn leaf(m: &Synapse, op: Op) -> Option<Read> {
    Some(match op {
        Op::State(k) => match m.view(k).map(|v| v.seen) {
            None => Read::Cell(k as usize),
            Some(Seen::Source(s)) => Read::Source(s),
            Some(Seen::Target(s)) => Read::Target(s),
            Some(Seen::Total(_)) => Read::Total(k as usize - m.states.len()),
        },
        Op::Port(k) => Read::Input(k as usize),
        Op::Arg => Read::Arg,
        Op::Step => Read::Step,
        Op::Index => Read::Index,
        Op::Rand { site } => Read::Rand(site),
        _ => return None,
    })
}

/// The block with every leaf as a state, and what those states stand for.
fn numbered(m: &Synapse, block: &Block) -> (Block, Vec<Read>) {
    let mut slots: Vec<Read> = vec![];
    let mut number = |read: Read| {
        let known = slots.iter().position(|s| *s == read);
        let k = known.unwrap_or_else(|| {
            slots.push(read);
            slots.len() - 1
        });
        k as u16
    };
    let mut b = BlockBuilder::new();
    let mut to: Vec<Value> = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let op = match leaf(m, inst.op) {
            Some(read) => Op::State(number(read)),
            None => inst.op.map(|v| to[v as usize]),
        };
        to.push(b.push(op, inst.ty));
    }
    for &(s, v) in &block.stores {
        b.store(number(Read::Cell(s as usize)), to[v as usize]);
    }
    if let Some(v) = block.emit {
        b.emit(to[v as usize]);
    }
    (b.finish(), slots)
}
