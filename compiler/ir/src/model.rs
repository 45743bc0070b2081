//! Unit models: the small typed step IR that every engine runs.
//!
//! A [`Model`] says what one unit (a neuron, an axon, a relay, a source) does in a step. Its code is straight-line SSA:
//! control flow has become [`Op::Select`], so that the CPU engine runs each instruction over a block of lanes and the WGSL
//! generator prints one `let` a line. All values are 32 bits wide; integers wrap unless an op says otherwise.
//!
//! Meaning of a step for one unit: arrivals are combined per port; for ports with a handler each arriving event runs the
//! handler once, in the canonical order (source group, source index, step of origin); then [`Model::step`] runs once.
//! All reads of a state in one block see its value from before the block ([`Op::State`]); stores happen at its end.
//!
//! Deliberately absent: loops, memory other than the unit's own state, any view of other units.

mod builder;

pub use builder::BlockBuilder;

use serde::{Deserialize, Serialize};

/// Type of a 32-bit value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ty {
    /// IEEE single precision.
    F32,
    /// Two's complement.
    I32,
    /// Unsigned.
    U32,
    /// 0 or 1.
    Bool,
}

/// Width of a declared state or port. Engines hold every state in a 32-bit word; the lowering inserts an explicit
/// [`Op::Wrap`] before a store that could leave the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Width {
    F32,
    I8,
    I16,
    I24,
    I32,
    U8,
    U16,
    U32,
    Bool,
}

impl Width {
    /// The type in which values of this width are computed: 8- and 16-bit unsigned values are computed as `I32`.
    pub fn ty(self) -> Ty {
        match self {
            Width::F32 => Ty::F32,
            Width::U32 => Ty::U32,
            Width::Bool => Ty::Bool,
            _ => Ty::I32,
        }
    }
}

/// Index of an instruction of the same block.
pub type Value = u32;

/// One-operand operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnOp {
    /// `-x`, wrapping for integers.
    Neg,
    /// Boolean not; on integers bitwise not.
    Not,
    /// `|x|`; of `i32::MIN` it is `i32::MIN`.
    Abs,
    /// -1, 0 or 1 in the operand's type.
    Sign,
    /// F32 only.
    Floor,
    /// F32 only.
    Sqrt,
    /// F32 only.
    Exp,
    /// Natural logarithm, F32 only.
    Log,
    /// F32 only.
    Sin,
    /// F32 only.
    Cos,
    /// F32 only.
    Tanh,
    /// Any type to F32 (`Bool` gives 0 or 1).
    ToF32,
    /// F32 to I32 truncates toward zero and saturates (NaN gives 0); U32 keeps the bits; Bool gives 0 or 1.
    ToI32,
    /// As `ToI32`, to U32; negative floats give 0.
    ToU32,
    /// `x != 0`.
    ToBool,
    /// U32 to F32 in [0, 1): `(x >> 8) * 2^-24`.
    Unit,
}

/// Two-operand operations; both operands have one type (shift counts are I32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinOp {
    /// Wrapping for integers.
    Add,
    /// Wrapping for integers.
    Sub,
    /// Low 32 bits for integers.
    Mul,
    /// Integers: toward zero, `x / 0 = 0`, `MIN / -1 = MIN`.
    Div,
    /// Remainder of `Div`; `x % 0 = 0`.
    Rem,
    /// Smaller; for F32 a NaN operand gives the other.
    Min,
    /// Larger; for F32 a NaN operand gives the other.
    Max,
    /// F32 only: `x^y`.
    Pow,
    /// Bitwise (logical on Bool).
    And,
    /// Bitwise (logical on Bool).
    Or,
    /// Bitwise (logical on Bool).
    Xor,
    /// Left shift; counts outside 0..=31 give 0.
    Shl,
    /// Right shift, arithmetic on I32, logical on U32; counts above 31 act as 31 (I32) or give 0 (U32), negative counts as 0.
    Shr,
    /// Gives Bool.
    Eq,
    /// Gives Bool.
    Ne,
    /// Gives Bool.
    Lt,
    /// Gives Bool.
    Le,
    /// Gives Bool.
    Gt,
    /// Gives Bool.
    Ge,
}

/// How a full product loses its low bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Round {
    /// Toward minus infinity (an arithmetic shift).
    Floor,
    /// Toward zero.
    Zero,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// A constant's bits.
    Const(u32),
    /// Parameter column of the group.
    Param(u16),
    /// State as it stood when the block began.
    State(u16),
    /// Combined arrivals of this step at a port without handler; 0 when nothing came. `or` ports read as Bool.
    Port(u16),
    /// In a handler: the event's weighted value.
    Arg,
    /// Number of the step (I32).
    Step,
    /// Index of the unit in its group (I32).
    Index,
    /// One operand.
    Un(UnOp, Value),
    /// Two operands.
    Bin(BinOp, Value, Value),
    /// `if c { a } else { b }`; both are evaluated.
    Select(Value, Value, Value),
    /// `(a * b) >> shift` of the full 64-bit product, each operand signed or unsigned by its own type; the low 32 bits
    /// of the result. The result is I32 if either operand is, else U32. `shift` is 0..=63.
    MulShift {
        /// First factor.
        a: Value,
        /// Second factor.
        b: Value,
        /// Right shift.
        shift: u8,
        /// Rounding.
        round: Round,
    },
    /// I32 clamped to `bits` signed bits (1..=32).
    Sat {
        /// Operand.
        a: Value,
        /// Width, sign included.
        bits: u8,
    },
    /// Low `bits` bits of the operand (1..=32): sign-extended if `signed`, else zero-extended.
    Wrap {
        /// Operand.
        a: Value,
        /// Width, sign included.
        bits: u8,
        /// Sign-extend?
        signed: bool,
    },
    /// A fresh U32 from the counter-based generator (see [`crate::rng`]): keyed by seed, sample, step, global unit
    /// index and `site`, a number unique in its model.
    Rand {
        /// Number of the draw in the model.
        site: u16,
    },
}

/// An operation and the type of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inst {
    /// What it does; operands come earlier in the block.
    pub op: Op,
    /// Type of the result.
    pub ty: Ty,
}

/// Straight-line code with its effects, which all happen at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Instructions in order.
    pub insts: Vec<Inst>,
    /// New values of states, each state at most once.
    pub stores: Vec<(u16, Value)>,
    /// Payload (I32) of the event that the unit emits; 0 means none. A plain spike is 1.
    pub emit: Option<Value>,
}

/// A named column of parameters, one 32-bit word a unit (or one for all).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Ty,
}

/// A state variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Name.
    pub name: String,
    /// Declared width; its `ty()` is the type of reads and stores.
    pub width: Width,
}

/// How arrivals of one step combine at a port. All rules are order-free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combine {
    /// Sum, wrapping for integers.
    Sum,
    /// Any non-zero arrival: reads as Bool.
    Or,
    /// Largest (0 when nothing came; arrivals must not be negative).
    Max,
    /// Sum of non-negative arrivals, at most this (for F32 the bits of the bound).
    SatSum(u32),
}

/// An input port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Type of arriving values: `I32` or `F32` (`I32` for `Or`, whose arrivals are counted).
    pub ty: Ty,
    /// Combine rule; ignored when the port has a handler.
    pub combine: Combine,
}

/// Code run once for each arriving event at a port. Such a port makes the model *ordered*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// The port.
    pub port: u16,
    /// [`Op::Arg`] is the event's value. May emit only under [`crate::program::Discipline::Serial`].
    pub block: Block,
}

/// An analog output: a state whose value is seen by `Carry::Output` projections in every step, after the step block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Name.
    pub name: String,
    /// The state that holds it (the lowering adds a state for a computed output).
    pub state: u16,
}

/// What one kind of unit is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Name, e.g. `std.neurons.Lif`.
    pub name: String,
    /// Parameter columns, in order of `Op::Param`.
    pub params: Vec<Param>,
    /// States, in order of `Op::State`.
    pub states: Vec<State>,
    /// Ports, in order of `Op::Port`.
    pub ports: Vec<Port>,
    /// Analog outputs.
    pub outputs: Vec<Output>,
    /// Run for each event that arrives at a port with a handler.
    pub handlers: Vec<Handler>,
    /// Run once a step.
    pub step: Block,
}

impl Model {
    /// Index of a state by name.
    pub fn state(&self, name: &str) -> Option<u16> {
        self.states
            .iter()
            .position(|s| s.name == name)
            .map(|i| i as u16)
    }
    /// Index of a port by name.
    pub fn port(&self, name: &str) -> Option<u16> {
        self.ports
            .iter()
            .position(|s| s.name == name)
            .map(|i| i as u16)
    }
    /// Index of a parameter column by name.
    pub fn param(&self, name: &str) -> Option<u16> {
        self.params
            .iter()
            .position(|s| s.name == name)
            .map(|i| i as u16)
    }
    /// The handler of a port.
    pub fn handler(&self, port: u16) -> Option<&Handler> {
        self.handlers.iter().find(|h| h.port == port)
    }
}

impl Op {
    /// The values that the operation reads.
    pub fn operands(&self) -> impl Iterator<Item = Value> + use<> {
        let list: [Option<Value>; 3] = match *self {
            Op::Un(_, a) | Op::Sat { a, .. } | Op::Wrap { a, .. } => [Some(a), None, None],
            Op::Bin(_, a, b) | Op::MulShift { a, b, .. } => [Some(a), Some(b), None],
            Op::Select(c, a, b) => [Some(c), Some(a), Some(b)],
            _ => [None; 3],
        };
        list.into_iter().flatten()
    }
}

impl Op {
    /// The same operation on other values.
    pub fn map(self, m: impl Fn(Value) -> Value) -> Op {
        match self {
            Op::Un(o, a) => Op::Un(o, m(a)),
            Op::Bin(o, a, b) => Op::Bin(o, m(a), m(b)),
            Op::Select(c, a, b) => Op::Select(m(c), m(a), m(b)),
            Op::MulShift { a, b, shift, round } => Op::MulShift {
                a: m(a),
                b: m(b),
                shift,
                round,
            },
            Op::Sat { a, bits } => Op::Sat { a: m(a), bits },
            Op::Wrap { a, bits, signed } => Op::Wrap {
                a: m(a),
                bits,
                signed,
            },
            leaf => leaf,
        }
    }
}
