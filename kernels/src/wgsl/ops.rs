//! One instruction of the step IR as one or a few lines of WGSL.
//!
//! Every value becomes a `let`, so that no operand is a constant expression: WGSL refuses constant expressions that
//! overflow, and programs may hold any constants. I32 is `i32`, U32 and Bool are `u32` (Bool keeps its whole word, as in
//! [`synfire_ir::eval`]), F32 is `f32`. What the leaves read is asked of a [`Leaves`].

use std::fmt::Write;
use synfire_ir::model::{BinOp, Block, Inst, Op, Round, Ty, UnOp, Value};

/// What the leaves of a block are, in the function that the block is printed into.
pub trait Leaves {
    /// Expression of the word (`u32`) of a parameter.
    fn param(&self, i: u16) -> String;
    /// Expression of a state before the block, in its type.
    fn state(&self, i: u16) -> String;
    /// Expression of the combined arrivals at a port, in its type.
    fn port(&self, i: u16) -> String;
    /// Expression of the event's value, in the port's type.
    fn arg(&self) -> String;
    /// Expression of a random word.
    fn rand(&self, site: u16) -> String;
}

/// WGSL name of a type.
pub fn type_name(ty: Ty) -> &'static str {
    match ty {
        Ty::F32 => "f32",
        Ty::I32 => "i32",
        Ty::U32 | Ty::Bool => "u32",
    }
}

/// A word `w` (`u32`) as a value of type `ty`.
pub fn from_word(ty: Ty, w: &str) -> String {
    match ty {
        Ty::U32 | Ty::Bool => w.into(),
        _ => format!("bitcast<{}>({w})", type_name(ty)),
    }
}

/// A value of type `ty` as a word.
pub fn to_word(ty: Ty, v: &str) -> String {
    match ty {
        Ty::U32 | Ty::Bool => v.into(),
        _ => format!("bitcast<u32>({v})"),
    }
}

/// Prints the instructions of a block, indented by `pad`; the value of instruction `n` is named `{prefix}{n}`.
pub fn block(text: &mut String, b: &Block, prefix: &str, pad: &str, leaves: &impl Leaves) {
    for (n, inst) in b.insts.iter().enumerate() {
        let ty = |v: Value| b.insts[v as usize].ty;
        let name = |v: Value| format!("{prefix}{v}");
        let e = expression(inst, &ty, &name, leaves);
        let _ = writeln!(text, "{pad}let {prefix}{n}: {} = {e};", type_name(inst.ty));
    }
}

fn expression(
    inst: &Inst,
    ty: &impl Fn(Value) -> Ty,
    name: &impl Fn(Value) -> String,
    leaves: &impl Leaves,
) -> String {
    match inst.op {
        Op::Const(c) => constant(inst.ty, c),
        Op::Param(i) => from_word(inst.ty, &leaves.param(i)),
        Op::State(i) => leaves.state(i),
        Op::Port(i) => leaves.port(i),
        Op::Arg => leaves.arg(),
        Op::Step => "bitcast<i32>(u.step)".into(),
        Op::Index => "bitcast<i32>(u.i)".into(),
        Op::Rand { site } => leaves.rand(site),
        Op::Un(o, a) => unary(o, ty(a), &name(a)),
        Op::Bin(o, a, b) => binary(o, ty(a), &name(a), &name(b)),
        Op::Select(c, a, b) => format!("select({}, {}, {} != 0u)", name(b), name(a), name(c)),
        Op::MulShift { a, b, shift, round } => {
            let factor = |v| (to_word(ty(v), &name(v)), ty(v) == Ty::I32);
            from_word(
                inst.ty,
                &mul_shift(factor(a), factor(b), shift.min(63), round),
            )
        }
        Op::Sat { a, bits } if bits >= 32 => name(a),
        Op::Sat { a, bits } => {
            let top = (1i64 << (bits.max(1) - 1)) - 1;
            format!("clamp({}, {}i, {top}i)", name(a), -top - 1)
        }
        Op::Wrap { a, bits, signed } => {
            let w = to_word(ty(a), &name(a));
            let up = 32 - u32::from(bits.clamp(1, 32));
            let kept = match (up, signed) {
                (0, _) => w,
                (_, true) => format!("bitcast<u32>(bitcast<i32>({w} << {up}u) >> {up}u)"),
                (_, false) => format!("(({w} << {up}u) >> {up}u)"),
            };
            from_word(inst.ty, &kept)
        }
    }
}

/// A constant. Floats that WGSL has no literal for come as words, hidden from constant folding, which refuses infinities.
pub fn constant(ty: Ty, c: u32) -> String {
    match ty {
        Ty::U32 | Ty::Bool => format!("{c}u"),
        Ty::I32 if c == 0x8000_0000 => "bitcast<i32>(0x80000000u)".into(),
        Ty::I32 => format!("{}i", c as i32),
        Ty::F32 => {
            let f = f32::from_bits(c);
            if f.is_normal() || c == 0 {
                format!("{f:?}f")
            } else {
                format!("bitcast<f32>({c:#x}u | u.zero)")
            }
        }
    }
}

fn unary(op: UnOp, ty: Ty, a: &str) -> String {
    let integer = ty != Ty::F32;
    match op {
        UnOp::Neg if ty == Ty::I32 => format!("0i - {a}"),
        UnOp::Neg if integer => format!("0u - {a}"),
        UnOp::Neg => format!("-{a}"),
        UnOp::Not if ty == Ty::Bool => format!("word({a} == 0u)"),
        UnOp::Not => format!("~{a}"),
        UnOp::Abs if ty == Ty::I32 => format!("select({a}, 0i - {a}, {a} < 0i)"),
        UnOp::Abs if integer => a.into(),
        UnOp::Abs => format!("abs({a})"),
        UnOp::Sign if ty == Ty::I32 => {
            format!("select(0i, 1i, {a} > 0i) - select(0i, 1i, {a} < 0i)")
        }
        UnOp::Sign if integer => format!("word({a} != 0u)"),
        UnOp::Sign => format!("sign_f({a})"),
        UnOp::Floor => format!("floor({a})"),
        UnOp::Sqrt => format!("sqrt({a})"),
        UnOp::Exp => format!("exp({a})"),
        UnOp::Log => format!("log({a})"),
        UnOp::Sin => format!("sin({a})"),
        UnOp::Cos => format!("cos({a})"),
        UnOp::Tanh => format!("tanh_f({a})"),
        UnOp::ToF32 if integer => format!("f32({a})"),
        UnOp::ToF32 => a.into(),
        UnOp::ToI32 if integer => from_word(Ty::I32, &to_word(ty, a)),
        UnOp::ToI32 => format!("to_i32({a})"),
        UnOp::ToU32 if integer => to_word(ty, a),
        UnOp::ToU32 => format!("to_u32({a})"),
        UnOp::ToBool if ty == Ty::I32 => format!("word({a} != 0i)"),
        UnOp::ToBool if integer => format!("word({a} != 0u)"),
        UnOp::ToBool => format!("word({a} != 0.0)"),
        UnOp::Unit => format!("f32({} >> 8u) * 5.9604644775390625e-8f", to_word(ty, a)),
    }
}

fn binary(op: BinOp, ty: Ty, a: &str, b: &str) -> String {
    let suffix = if ty == Ty::I32 { "i" } else { "u" };
    let sign = match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::And => "&",
        BinOp::Or => "|",
        BinOp::Xor => "^",
        BinOp::Div if ty == Ty::F32 => "/",
        BinOp::Rem if ty == Ty::F32 => "%",
        BinOp::Eq => return format!("word({a} == {b})"),
        BinOp::Ne => return format!("word({a} != {b})"),
        BinOp::Lt => return format!("word({a} < {b})"),
        BinOp::Le => return format!("word({a} <= {b})"),
        BinOp::Gt => return format!("word({a} > {b})"),
        BinOp::Ge => return format!("word({a} >= {b})"),
        BinOp::Min => return format!("min({a}, {b})"),
        BinOp::Max => return format!("max({a}, {b})"),
        BinOp::Pow => return format!("pow_f({a}, {b})"),
        BinOp::Div => return format!("div_{suffix}({a}, {b})"),
        BinOp::Rem => return format!("rem_{suffix}({a}, {b})"),
        BinOp::Shl => return format!("shl_{suffix}({a}, {b})"),
        BinOp::Shr => return format!("shr_{suffix}({a}, {b})"),
    };
    format!("{a} {sign} {b}")
}

/// The word of `(a * b) >> shift`; each factor is its word and whether it is signed.
fn mul_shift(a: (String, bool), b: (String, bool), shift: u8, round: Round) -> String {
    let ((a, sa), (b, sb)) = (a, b);
    let signed = sa || sb;
    let lo = format!("({a} * {b})");
    let hi = match signed {
        false => format!("mul_hi({a}, {b})"),
        true => format!("mul_hi_signed({a}, {sa}, {b}, {sb})"),
    };
    let s = u32::from(shift);
    let floor = match s {
        0 => lo.clone(),
        1..32 => format!("(({lo} >> {s}u) | ({hi} << {}u))", 32 - s),
        32 => hi.clone(),
        _ if signed => format!("bitcast<u32>(bitcast<i32>({hi}) >> {}u)", s - 32),
        _ => format!("({hi} >> {}u)", s - 32),
    };
    if round == Round::Floor || !signed || s == 0 {
        return floor;
    }
    // Toward zero: one more than the floor when the product is negative and bits were lost.
    let lost = match s {
        1..32 => format!("({lo} << {}u) != 0u", 32 - s),
        32 => format!("{lo} != 0u"),
        _ => format!("({lo} | ({hi} << {}u)) != 0u", 64 - s),
    };
    format!("({floor} + word(({hi} >> 31u) == 1u && {lost}))")
}
