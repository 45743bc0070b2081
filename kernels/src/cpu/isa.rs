//! Which vector instructions this machine has, and functions compiled once for each of them.
//!
//! In: the machine. Out: an [`Isa`], without which no function of another level than the baseline can be called.
//! Invariant: all levels give the same bits; only speed differs (no fused multiply-add is ever enabled).
//!
//! This is the one place of the engine with `unsafe`. Baseline x86-64 has 128-bit vectors without 32-bit multiplies, blends
//! or widening loads: measured over blocks in L1, an addition is 2 to 2.7 times slower than with AVX2 or AVX-512, a
//! 64-bit `mul_shift` 5 to 8 times.

/// Level of vector instructions; a value above the baseline proves that the machine has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(crate) Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Base,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What every machine of this architecture has.
    pub const BASE: Isa = Isa(Level::Base);

    /// The best level of this machine.
    pub fn detect() -> Isa {
        Isa::all().pop().unwrap_or(Isa::BASE)
    }

    /// Every level of this machine, from the baseline up.
    pub fn all() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut levels = vec![Isa::BASE];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") {
                levels.push(Isa(Level::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    levels.push(Isa(Level::Avx512));
                }
            }
        }
        levels
    }
}

/// Defines a function with an [`Isa`] as its first argument whose body is compiled for every level. The body must be
/// plain loops; what it calls must be `#[inline(always)]` or a closure, so that it takes on the level's instructions.
macro_rules! versions {
    ($(#[$meta:meta])* $vis:vis fn $name:ident [$($generics:tt)*] ($($arg:ident : $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code, clippy::too_many_arguments)]
        $vis fn $name<$($generics)*>(isa: $crate::cpu::isa::Isa, $($arg: $ty),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<$($generics)*>($($arg: $ty),*) $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<$($generics)*>($($arg: $ty),*) {
                body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
            #[allow(clippy::too_many_arguments)]
            fn avx512<$($generics)*>($($arg: $ty),*) {
                body($($arg),*)
            }
            match isa.0 {
                // SAFETY: an `Isa` of this level exists only if the machine reported its features.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::isa::Level::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::isa::Level::Avx2 => unsafe { avx2($($arg),*) },
                $crate::cpu::isa::Level::Base => body($($arg),*),
            }
        }
    };
}
pub(crate) use versions;
