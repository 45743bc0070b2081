//! Running a kernel over units: their memory as leaves, results written back.
//!
//! In: the columns of a tile (or of a whole serial group) and which of its units. Out: new states, and emissions through a
//! callback, units ascending. Invariant: stores of a block of lanes happen after all its reads.

use super::spikes::List;
use super::tiles::Slot;
use std::ops::Range;
use synfire_ir::program::Column;
use synfire_kernels::cpu::deliver::count_nonzero;
use synfire_kernels::cpu::{Aligned, Isa, Kernel, Leaf, Noise, Registers, Units, Words, compress};

/// Leaves of a kernel for which no memory is allocated.
const FEW: usize = 16;

/// What runs kernels: instructions, registers, and buffers for units that do not follow one another.
#[derive(Debug)]
pub(super) struct Core {
    pub isa: Isa,
    pub noise: Noise,
    regs: Registers,
    gathered: Vec<Vec<u32>>,
    listed: Vec<u32>,
}

/// Memory of the units of a tile.
pub(super) struct Memory<'a> {
    pub params: &'a [Column],
    /// Each the length of the tile.
    pub state: &'a mut [Aligned],
    pub ports: Ports<'a>,
    /// Unit of the group that is the tile's first.
    pub start: u32,
}

/// Accumulators of the ports of a tile; those of ports with handlers, and all of a serial group, read 0.
#[derive(Clone, Copy)]
pub(super) struct Ports<'a> {
    pub arenas: &'a [Aligned],
    pub slots: &'a [Option<Slot>],
    /// Units of the tile.
    pub len: usize,
}

impl<'a> Ports<'a> {
    /// None at all.
    pub const NONE: Ports<'static> = Ports {
        arenas: &[],
        slots: &[],
        len: 0,
    };

    fn get(&self, port: u16) -> Option<&'a [u32]> {
        let slot = (*self.slots.get(port as usize)?)?;
        self.arenas.get(slot.arena)?.get(slot.range(self.len))
    }
}

/// A kernel and its scalars in this step.
#[derive(Clone, Copy)]
pub(super) struct Ready<'a> {
    pub kernel: &'a Kernel,
    pub scalars: &'a [u32],
}

impl Memory<'_> {
    /// The words of a leaf for the units `range` of the tile.
    fn leaf<'m>(&'m self, leaf: Leaf, range: Range<usize>, arg: Words<'m>) -> Words<'m> {
        match leaf {
            Leaf::State(s) => Words::Many(&self.state[s as usize][range]),
            _ => beside(self.params, self.ports, self.start, leaf, range, arg),
        }
    }
}

/// The words of a leaf other than a state.
fn beside<'m>(
    params: &'m [Column],
    ports: Ports<'m>,
    start: u32,
    leaf: Leaf,
    range: Range<usize>,
    arg: Words<'m>,
) -> Words<'m> {
    match leaf {
        Leaf::State(_) => Words::One(0),
        Leaf::Param(p) => match &params[p as usize] {
            Column::Uniform(w) => Words::One(*w),
            Column::PerUnit(v) => {
                let first = start as usize;
                Words::Many(&v[first + range.start..first + range.end])
            }
        },
        Leaf::Port(p) => match ports.get(p).and_then(|v| v.get(range)) {
            Some(v) => Words::Many(v),
            None => Words::One(0),
        },
        Leaf::Arg => arg,
    }
}

/// How a tile keeps its emissions.
#[derive(Clone, Copy)]
pub(super) struct Keep {
    pub listed: bool,
    pub dense: bool,
}

impl Keep {
    pub const LIST: Keep = Keep {
        listed: true,
        dense: false,
    };
}

fn keep_dense(isa: Isa, words: Words<'_>, n: usize, out: &mut List, keep: Keep) {
    if !keep.dense {
        return;
    }
    let first = out.dense.len();
    match words {
        Words::One(x) => out.dense.resize(first + n, x),
        Words::Many(v) => out.dense.extend_from_slice(&v[..n]),
    }
    count_nonzero(isa, &out.dense[first..], &mut out.count);
}

fn part(words: Words<'_>, range: Range<usize>) -> Words<'_> {
    match words {
        Words::One(x) => Words::One(x),
        Words::Many(v) => Words::Many(&v[range]),
    }
}

impl Core {
    pub fn new(isa: Isa, lanes: usize) -> Self {
        Core {
            isa,
            noise: Noise::default(),
            regs: Registers::new(lanes),
            gathered: vec![],
            listed: vec![],
        }
    }

    /// What other code may run kernels with.
    pub fn lend(&mut self) -> (Isa, &mut Registers) {
        (self.isa, &mut self.regs)
    }

    /// Runs over the units `range` of the tile; `args` holds a word for each of them.
    /// What they emit is appended to `out`, as units of the tile.
    pub fn run(
        &mut self,
        code: Ready<'_>,
        mem: &mut Memory<'_>,
        range: Range<usize>,
        args: Words<'_>,
        (out, keep): (&mut List, Keep),
    ) {
        let Ready { kernel, scalars } = code;
        let mut a = range.start;
        while a < range.end {
            let b = range.end.min(a + self.regs.lanes());
            let arg = part(args, a - range.start..b - range.start);
            let units = Units::From(mem.start + a as u32);
            let at = (units, &self.noise);
            let (params, ports, start) = (mem.params, mem.ports, mem.start);
            let leaf = |l: &Leaf| beside(params, ports, start, *l, a..b, arg);
            let mut few = [Words::One(0); FEW];
            let many: Vec<Words>;
            let leaves = match few.get_mut(..kernel.leaves().len()) {
                Some(few) => {
                    (few.iter_mut().zip(kernel.leaves())).for_each(|(to, l)| *to = leaf(l));
                    &*few
                }
                None => {
                    many = kernel.leaves().iter().map(leaf).collect();
                    &many[..]
                }
            };
            let state = (&mut *mem.state, a..b);
            kernel.update(self.isa, &mut self.regs, state, (leaves, scalars), at);
            if let Some(e) = kernel.emit() {
                let words = kernel.value(&self.regs, scalars, e.src, b - a);
                keep_dense(self.isa, words, b - a, out, keep);
                if keep.listed {
                    let payloads = (!e.spikes).then_some(&mut out.payloads);
                    compress(self.isa, (words, b - a), a as u32, &mut out.units, payloads);
                }
            }
            a = b;
        }
    }

    /// Runs over listed units of the tile, all different, with a word of `args` for each. What the kernel emits is dropped:
    /// handlers of stepped programs do not emit.
    pub fn run_listed(
        &mut self,
        code: Ready<'_>,
        mem: &mut Memory<'_>,
        units: &[u16],
        args: &[u32],
    ) {
        let Ready { kernel, scalars } = code;
        let lanes = self.regs.lanes();
        for (units, args) in units.chunks(lanes).zip(args.chunks(lanes)) {
            let n = units.len();
            self.gather(kernel, mem, units);
            let leaves: Vec<Words> = (kernel.leaves().iter().zip(&self.gathered))
                .map(|(l, v)| match (l, mem.leaf(*l, 0..0, Words::Many(args))) {
                    (Leaf::Arg, arg) => arg,
                    (_, Words::One(x)) => Words::One(x),
                    _ => Words::Many(&v[..n]),
                })
                .collect();
            let at = (Units::These(&self.listed), &self.noise);
            kernel.run(self.isa, &mut self.regs, (&leaves, scalars), at, n);
            for &(s, src) in kernel.stores() {
                let to = &mut mem.state[s as usize];
                let v = kernel.value(&self.regs, scalars, src, n);
                (units.iter().enumerate()).for_each(|(i, &u)| to[u as usize] = v.get(i));
            }
        }
    }

    /// Copies what the kernel reads of the listed units side by side.
    fn gather(&mut self, kernel: &Kernel, mem: &Memory<'_>, units: &[u16]) {
        self.listed.clear();
        self.listed
            .extend(units.iter().map(|&u| mem.start + u as u32));
        let (n, lanes) = (kernel.leaves().len(), self.regs.lanes());
        while self.gathered.len() < n {
            self.gathered.push(Vec::with_capacity(lanes));
        }
        for (leaf, to) in kernel.leaves().iter().zip(&mut self.gathered) {
            to.clear();
            let (from, first): (&[u32], usize) = match *leaf {
                Leaf::State(s) => (&mem.state[s as usize], 0),
                Leaf::Port(p) => match mem.ports.get(p) {
                    Some(v) => (v, 0),
                    None => continue,
                },
                Leaf::Param(p) => match &mem.params[p as usize] {
                    Column::PerUnit(v) => (v, mem.start as usize),
                    Column::Uniform(_) => continue,
                },
                Leaf::Arg => continue,
            };
            to.extend(units.iter().map(|&u| from[first + u as usize]));
        }
    }
}
