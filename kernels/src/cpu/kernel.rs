//! A block compiled for lanes, and its execution over one block of them.
//!
//! In: leaves (states, parameters, accumulators, event values) as slices of the lanes in question. Out: stored and emitted
//! values, read with [`Kernel::value`] and written back by the caller, who knows where the units live.
//! Invariant: [`Kernel::run`] changes nothing but the registers; [`Kernel::update`] changes the states, each after its last reader.

use super::aligned::Aligned;
use super::fused::{self, Sum, Threshold};
use super::isa::Isa;
use super::lanes::{Words, map1, select};
use super::noise::{self, Noise};
use super::ops::{self, Product};
use std::ops::Range;
use synfire_ir::model::{BinOp, Block, Ty, UnOp};

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Src {
    /// A lane register.
    Reg(u32),
    /// A value that all lanes share.
    Scalar(u32),
    /// Memory of the units: index into [`Kernel::leaves`].
    Leaf(u32),
}

/// Memory that a kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Parameter column.
    Param(u16),
    /// State before the block.
    State(u16),
    /// Accumulator of a port, before its combine rule.
    Port(u16),
    /// Values of the events that a handler handles.
    Arg,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum LaneOp {
    Move(Src),
    Index,
    Rand(u16),
    Un(UnOp, Ty, Src),
    Bin(BinOp, Ty, Src, Src),
    /// How many of the scalars of a table the comparison with the operand holds for.
    Count(BinOp, Ty, Src, u32),
    Select(Src, Src, Src),
    MulShift(Product, Src, Src),
    Sat(u8, Src),
    Wrap(u8, bool, Src),
    Sum(Sum),
    /// The spikes, values and countdowns of a threshold are three instructions in turn, which run as one.
    Threshold(Threshold, u8),
}

impl LaneOp {
    pub(crate) fn map(self, f: impl Fn(Src) -> Src) -> LaneOp {
        match self {
            LaneOp::Move(a) => LaneOp::Move(f(a)),
            LaneOp::Un(o, t, a) => LaneOp::Un(o, t, f(a)),
            LaneOp::Bin(o, t, a, b) => LaneOp::Bin(o, t, f(a), f(b)),
            LaneOp::Count(o, t, a, n) => LaneOp::Count(o, t, f(a), n),
            LaneOp::Select(c, a, b) => LaneOp::Select(f(c), f(a), f(b)),
            LaneOp::MulShift(p, a, b) => LaneOp::MulShift(p, f(a), f(b)),
            LaneOp::Sat(n, a) => LaneOp::Sat(n, f(a)),
            LaneOp::Wrap(n, s, a) => LaneOp::Wrap(n, s, f(a)),
            LaneOp::Sum(mut sum) => {
                sum.terms.iter_mut().for_each(|t| t.src = f(t.src));
                LaneOp::Sum(sum)
            }
            LaneOp::Threshold(mut t, part) => {
                (t.count, t.old, t.new) = (f(t.count), f(t.old), f(t.new));
                LaneOp::Threshold(t, part)
            }
            leaf @ (LaneOp::Index | LaneOp::Rand(_)) => leaf,
        }
    }

    pub(crate) fn sources(&self, mut f: impl FnMut(Src)) {
        match *self {
            LaneOp::Move(a)
            | LaneOp::Un(_, _, a)
            | LaneOp::Count(_, _, a, _)
            | LaneOp::Sat(_, a)
            | LaneOp::Wrap(_, _, a) => f(a),
            LaneOp::Bin(_, _, a, b) | LaneOp::MulShift(_, a, b) => {
                f(a);
                f(b);
            }
            LaneOp::Select(c, a, b) => {
                f(c);
                f(a);
                f(b);
            }
            LaneOp::Sum(sum) => sum.terms.iter().for_each(|t| f(t.src)),
            LaneOp::Threshold(t, _) => [t.count, t.old, t.new].into_iter().for_each(f),
            LaneOp::Index | LaneOp::Rand(_) => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Instr {
    pub dst: u32,
    pub op: LaneOp,
    /// The state that may take the result as soon as it is there: nothing reads its old value later.
    pub home: Option<u16>,
}

/// What a kernel emits.
#[derive(Clone, Copy, Debug)]
pub struct Emit {
    /// The payload, or with `spikes` a condition.
    pub src: Src,
    /// Is every payload 1?
    pub spikes: bool,
}

/// A block compiled for lanes.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    pub(crate) code: Vec<Instr>,
    pub(crate) uniform: Block,
    /// Scalars that [`LaneOp::Count`] compares with.
    pub(crate) tables: Vec<Vec<u32>>,
    pub(crate) registers: usize,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) stores: Vec<(u16, Src)>,
    /// Stores that no instruction does in place.
    pub(crate) copied: Vec<(u16, Src)>,
    pub(crate) emit: Option<Emit>,
}

/// Which units the lanes are, as indices in their group.
#[derive(Clone, Copy, Debug)]
pub enum Units<'a> {
    /// Consecutive from here.
    From(u32),
    /// These.
    These(&'a [u32]),
}

/// Lane registers that kernels share, one kernel at a time.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    lanes: usize,
    rows: Vec<Aligned>,
    thresholds: Vec<u32>,
}

impl Registers {
    /// Registers of that many lanes.
    pub fn new(lanes: usize) -> Self {
        Registers {
            lanes,
            ..Registers::default()
        }
    }

    /// Lanes of a register.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    fn reserve(&mut self, n: usize) {
        while self.rows.len() < n {
            self.rows.push(Aligned::new(self.lanes));
        }
    }
}

impl Kernel {
    /// The memory that it reads, in the order in which [`Kernel::run`] wants it.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// States and where their new values are; never a leaf.
    pub fn stores(&self) -> &[(u16, Src)] {
        &self.stores
    }

    /// What it emits; never a leaf.
    pub fn emit(&self) -> Option<Emit> {
        self.emit
    }

    /// The state and the signed bits `(s, n)` of a handler that does nothing but `s = sat(s + value of the event, n)`. Such events need no lanes:
    /// [`super::deliver::saturate`] gives the same bits.
    pub fn saturating_sum(&self) -> Option<(u16, u8)> {
        let ([sum, sat], [(s, Src::Reg(out))]) = (&self.code[..], &self.stores[..]) else {
            return None;
        };
        let leaf = |src: Src| match src {
            Src::Leaf(i) => self.leaves.get(i as usize).copied(),
            _ => None,
        };
        let LaneOp::Bin(BinOp::Add, Ty::I32, a, b) = sum.op else {
            return None;
        };
        let operands = [leaf(a)?, leaf(b)?];
        let known = [Leaf::State(*s), Leaf::Arg];
        let same = operands == known || operands == [known[1], known[0]];
        match sat.op {
            LaneOp::Sat(bits, Src::Reg(r))
                if same && self.emit.is_none() && r == sum.dst && *out == sat.dst =>
            {
                Some((*s, bits))
            }
            _ => None,
        }
    }

    /// Does it do nothing at all?
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.emit.is_none()
    }

    /// Evaluates what all lanes share in a step.
    pub fn scalars(&self, step: u32, out: &mut Vec<u32>) {
        super::lower::scalars(&self.uniform, step, out);
    }

    /// Runs over `n <= lanes` lanes. Results stay in the registers.
    pub fn run(
        &self,
        isa: Isa,
        regs: &mut Registers,
        (leaves, scalars): (&[Words<'_>], &[u32]),
        at: (Units<'_>, &Noise),
        n: usize,
    ) {
        let mut memory = Memory {
            state: None,
            leaves,
            scalars,
            n,
        };
        self.execute(isa, regs, &mut memory, at);
    }

    /// Runs over the lanes `range` of consecutive units and stores their states; `leaves` of states are not looked at.
    pub fn update(
        &self,
        isa: Isa,
        regs: &mut Registers,
        (state, range): (&mut [Aligned], Range<usize>),
        (leaves, scalars): (&[Words<'_>], &[u32]),
        at: (Units<'_>, &Noise),
    ) {
        let n = range.len();
        let mut memory = Memory {
            state: Some((state, &self.leaves, range.clone())),
            leaves,
            scalars,
            n,
        };
        self.execute(isa, regs, &mut memory, at);
        for &(s, src) in &self.copied {
            let to = &mut state[s as usize][range.clone()];
            match self.value(regs, scalars, src, n) {
                Words::One(x) => to.fill(x),
                Words::Many(v) => to.copy_from_slice(v),
            }
        }
    }

    fn execute(
        &self,
        isa: Isa,
        regs: &mut Registers,
        memory: &mut Memory<'_>,
        (units, noise): (Units<'_>, &Noise),
    ) {
        let (n, scalars) = (memory.n, memory.scalars);
        regs.reserve(self.registers);
        let mut thresholds = std::mem::take(&mut regs.thresholds);
        for (k, instr) in self.code.iter().enumerate() {
            if let LaneOp::Threshold(t, part) = &instr.op {
                if *part == 2 {
                    threshold(isa, t, &self.code[k - 2..=k], regs, memory);
                }
                continue;
            }
            let mut row = memory.take(regs, instr);
            let d = &mut row.0[row.1.clone()];
            let at = |s: Src| memory.at(regs, s);
            match &instr.op {
                LaneOp::Move(a) => map1(isa, d, at(*a), |a| a),
                LaneOp::Index => index(d, units),
                LaneOp::Rand(site) => noise::fill(isa, noise, *site, units, d),
                LaneOp::Un(o, ty, a) => ops::unary(isa, *o, *ty, d, at(*a)),
                LaneOp::Bin(o, ty, a, b) => ops::binary(isa, *o, *ty, d, at(*a), at(*b)),
                LaneOp::Count(o, ty, a, table) => {
                    let list = self.tables[*table as usize].iter();
                    thresholds.clear();
                    thresholds.extend(list.map(|&i| scalars[i as usize]));
                    ops::count(isa, *o, *ty, d, at(*a), &thresholds);
                }
                LaneOp::Select(c, a, b) => match at(*c) {
                    Words::Many(c) => select(isa, d, c, at(*a), at(*b)),
                    Words::One(0) => map1(isa, d, at(*b), |a| a),
                    Words::One(_) => map1(isa, d, at(*a), |a| a),
                },
                LaneOp::MulShift(p, a, b) => ops::mul_shift(isa, *p, d, at(*a), at(*b)),
                LaneOp::Sat(bits, a) => ops::sat(isa, *bits, d, at(*a)),
                LaneOp::Wrap(bits, signed, a) => ops::wrap(isa, *bits, *signed, d, at(*a)),
                LaneOp::Sum(sum) => {
                    let [t, u, v] = &sum.terms;
                    match (at(t.src), at(u.src), at(v.src)) {
                        (Words::Many(a), Words::Many(b), Words::Many(c)) => {
                            fused::sum(isa, sum, d, (a, b, c), scalars)
                        }
                        (a, b, c) => {
                            let (a, b, c) = (written(a, n), written(b, n), written(c, n));
                            fused::sum(isa, sum, d, (&a, &b, &c), scalars)
                        }
                    }
                }
                // These have run.
                LaneOp::Threshold(..) => {}
            }
            memory.put(regs, instr, row.0);
        }
        regs.thresholds = thresholds;
    }

    /// A result of the last run over `n` lanes.
    pub fn value<'r>(&self, regs: &'r Registers, scalars: &[u32], src: Src, n: usize) -> Words<'r> {
        match src {
            Src::Reg(r) => Words::Many(&regs.rows[r as usize][..n]),
            Src::Scalar(i) => Words::One(scalars[i as usize]),
            // Lowering settles every result; see `lower`.
            Src::Leaf(_) => Words::One(0),
        }
    }
}

/// What instructions read and write beside registers.
struct Memory<'a> {
    /// States that are written in place, what leaves are, and which lanes of the states.
    state: Option<(&'a mut [Aligned], &'a [Leaf], Range<usize>)>,
    leaves: &'a [Words<'a>],
    scalars: &'a [u32],
    /// Lanes.
    n: usize,
}

impl Memory<'_> {
    #[inline(always)]
    fn at<'m>(&'m self, regs: &'m Registers, s: Src) -> Words<'m> {
        match s {
            Src::Reg(r) => Words::Many(&regs.rows[r as usize][..self.n]),
            Src::Scalar(i) => Words::One(self.scalars[i as usize]),
            Src::Leaf(i) => match &self.state {
                Some((state, leaves, range)) => match leaves[i as usize] {
                    Leaf::State(s) => Words::Many(&state[s as usize][range.clone()]),
                    _ => self.leaves[i as usize],
                },
                None => self.leaves[i as usize],
            },
        }
    }

    /// The words that an instruction writes to, out of the way of what it reads, and which of them.
    #[inline(always)]
    fn take(&mut self, regs: &mut Registers, instr: &Instr) -> (Aligned, Range<usize>) {
        match (&mut self.state, instr.home) {
            (Some((state, _, range)), Some(s)) => {
                (std::mem::take(&mut state[s as usize]), range.clone())
            }
            _ => (
                std::mem::take(&mut regs.rows[instr.dst as usize]),
                0..self.n,
            ),
        }
    }

    #[inline(always)]
    fn put(&mut self, regs: &mut Registers, instr: &Instr, row: Aligned) {
        match (&mut self.state, instr.home) {
            (Some((state, ..)), Some(s)) => state[s as usize] = row,
            _ => regs.rows[instr.dst as usize] = row,
        }
    }

    /// Is the operand the state that the instruction writes to, which is out of the way?
    fn is_home(&self, instr: &Instr, s: Src) -> bool {
        match (&self.state, s, instr.home) {
            (Some((_, leaves, _)), Src::Leaf(i), Some(s)) => leaves[i as usize] == Leaf::State(s),
            _ => false,
        }
    }
}

/// The three instructions of a threshold. It changes values and countdowns in place, so that they are copied first where
/// they do not lie in their place.
fn threshold(
    isa: Isa,
    t: &Threshold,
    code: &[Instr],
    regs: &mut Registers,
    memory: &mut Memory<'_>,
) {
    let [a, b, c] = code else { return };
    let mut spike = memory.take(regs, a);
    let mut value = memory.take(regs, b);
    let mut count = memory.take(regs, c);
    let out = (
        &mut spike.0[spike.1.clone()],
        &mut value.0[value.1.clone()],
        &mut count.0[count.1.clone()],
    );
    for (instr, to, from) in [(b, &mut *out.1, t.old), (c, &mut *out.2, t.count)] {
        if !memory.is_home(instr, from) {
            match memory.at(regs, from) {
                Words::One(x) => to.fill(x),
                Words::Many(v) => to.copy_from_slice(v),
            }
        }
    }
    match memory.at(regs, t.new) {
        Words::Many(new) => fused::threshold(isa, t, out, new, memory.scalars),
        new => fused::threshold(isa, t, out, &written(new, memory.n), memory.scalars),
    }
    memory.put(regs, a, spike.0);
    memory.put(regs, b, value.0);
    memory.put(regs, c, count.0);
}

/// An operand as a word a lane; few are the same in all.
#[cold]
fn written(x: Words<'_>, n: usize) -> Vec<u32> {
    (0..n).map(|lane| x.get(lane)).collect()
}

fn index(d: &mut [u32], units: Units<'_>) {
    match units {
        Units::From(first) => (first..).zip(d).for_each(|(i, d)| *d = i),
        Units::These(list) => d.copy_from_slice(&list[..d.len()]),
    }
}
