//! Random models: nothing panics, and what lowers is well typed and runs.

use super::{Bench, lower_with, program};
use std::collections::BTreeMap;
use synfire_ir::rng::Draws;

struct Generator {
    d: Draws,
    fixed: bool,
}

impl Generator {
    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.d.below(list.len() as u32) as usize]
    }

    fn number(&mut self) -> String {
        let words: &[&str] = if self.fixed {
            &["0", "1", "3", "7", "200", "0x7FFFFFFF", "70000"]
        } else {
            &["0", "1", "0.5", "3", "1e-3", "20", "1e30"]
        };
        self.pick(words).to_string()
    }

    fn leaf(&mut self) -> String {
        match self.d.below(200) {
            0 => self
                .pick(&["flag", "l", "dt", "true", "2 mV", "0xFFFFFFFF"])
                .to_string(),
            1..50 => self.number(),
            _ => self.pick(&["a", "b", "c", "p", "q", "t"]).to_string(),
        }
    }

    fn expr(&mut self, height: u32) -> String {
        if height == 0 {
            return self.leaf();
        }
        let h = height - 1;
        let (real, fixed) = (
            [
                "exp", "log", "sqrt", "tanh", "floor", "rand", "randn", "poisson",
            ],
            [
                "sat",
                "wrap",
                "mul_shift",
                "mul_shift_rtz",
                "round_shift",
                "trunc_div",
                "rand_u32",
            ],
        );
        match self.d.below(12) {
            0 => format!("-{}", self.expr(h)),
            1 => format!("where(not {}, 1, {})", self.truth(h), self.expr(h)),
            2 => format!(
                "where({}, {}, {})",
                self.truth(h),
                self.expr(h),
                self.expr(h)
            ),
            3 => {
                let f = self.pick(&["min", "max"]);
                format!("{f}({}, {})", self.expr(h), self.expr(h))
            }
            4 => {
                let f = if self.fixed {
                    self.pick(&fixed)
                } else {
                    self.pick(&real)
                };
                match f {
                    "rand" | "randn" | "rand_u32" => format!("{f}()"),
                    "sat" | "wrap" | "round_shift" => format!(
                        "{f}({}, {})",
                        self.expr(h),
                        self.pick(&["4", "16", "31", "1"])
                    ),
                    "mul_shift" | "mul_shift_rtz" => format!(
                        "{f}({}, {}, {})",
                        self.expr(h),
                        self.expr(h),
                        self.pick(&["0", "12", "32"])
                    ),
                    "trunc_div" => format!("{f}({}, {})", self.expr(h), self.expr(h)),
                    _ => format!("{f}({})", self.expr(h)),
                }
            }
            5 => format!("{}({})", self.pick(&["abs", "sign"]), self.expr(h)),
            6 if self.fixed => {
                let op = self.pick(&[">>", "<<", "&", "xor"]);
                format!("({} {op} {})", self.expr(h), self.expr(h))
            }
            6 => format!("({} / {})", self.expr(h), self.expr(h)),
            7 if !self.fixed => format!(
                "({} ^ {})",
                self.expr(h),
                self.pick(&["2", "3", "0.5", "b"])
            ),
            _ => {
                let op = self.pick(&["+", "-", "*"]);
                format!("({} {op} {})", self.expr(h), self.expr(h))
            }
        }
    }

    fn truth(&mut self, height: u32) -> String {
        match self.d.below(4) {
            0 => "flag".into(),
            1 => "x".into(),
            _ => {
                let op = self.pick(&["<", ">", "==", ">=", "!="]);
                format!("{} {op} {}", self.expr(height), self.expr(height))
            }
        }
    }

    fn statements(&mut self, depth: u32) -> String {
        let mut out = String::new();
        for _ in 0..1 + self.d.below(4) {
            let h = self.d.below(3);
            let line = match self.d.below(9) {
                0 => format!("let l = {}", self.expr(h)),
                1 => format!("emit {}", self.expr(h)),
                2 if depth > 0 => {
                    let (c, a, b) = (
                        self.truth(h),
                        self.statements(depth - 1),
                        self.statements(depth - 1),
                    );
                    format!("if {c} {{ {a} }} else if flag {{ {b} }} else {{ a = b }}")
                }
                3 if depth > 0 => format!(
                    "repeat {} {{ {} }}",
                    self.pick(&["0", "3", "17"]),
                    self.statements(depth - 1)
                ),
                4 => format!("flag = {}", self.truth(h)),
                _ => {
                    let (target, op) = (
                        self.pick(&["a", "b", "c"]),
                        self.pick(&["=", "+=", "-=", "*="]),
                    );
                    format!("{target} {op} {}", self.expr(h))
                }
            };
            out.push_str(&line);
            out.push_str("; ");
        }
        out
    }

    fn model(&mut self) -> String {
        let real = ["real", "real", "real", "int"];
        let ints = ["i8", "i16", "i32", "u8", "u16", "i24"];
        let ty = |g: &mut Self| {
            if g.fixed && g.d.below(30) == 0 {
                "u32"
            } else if g.fixed {
                g.pick(&ints)
            } else {
                g.pick(&real)
            }
        };
        let mut s = format!(
            "neuron A(p: {} = 2, q: {} = 3, t: {} = 1) {{\n",
            ty(self),
            ty(self),
            ty(self)
        );
        for name in ["a", "b", "c"] {
            s.push_str(&format!("  state {name}: {}\n", ty(self)));
        }
        s.push_str(&format!(
            "  state flag: bool = true\n  input i: {}\n  input x: bool by or\n",
            ty(self)
        ));
        if self.d.below(3) == 0 {
            s.push_str(&format!("  let l = {}\n", self.expr(2)));
        }
        if !self.fixed && self.d.below(2) == 0 {
            s.push_str(&format!("  a' = ({}) / 10 ms\n", self.expr(3)));
            s.push_str(&format!(
                "  b' = (a - b) / {} ms\n  solve {}\n",
                self.pick(&["5", "10", "20"]),
                self.pick(&["euler", "rk2", "rk4", "euler"])
            ));
        } else {
            s.push_str(&format!("  on step {{ {} }}\n", self.statements(2)));
        }
        if self.d.below(2) == 0 {
            let rest = if self.fixed {
                self.statements(1)
            } else {
                String::new()
            };
            s.push_str(&format!("  on i(w) {{ a = w; {rest} }}\n"));
        } else {
            s.push_str(&format!("  on i {{ a += i; {} }}\n", self.statements(1)));
        }
        if self.d.below(2) == 0 {
            let refractory = if self.fixed { "3" } else { "2 ms" };
            s.push_str(&format!(
                "  spike when {} refractory {refractory} {{ a = b; {} }}\n",
                self.truth(2),
                self.statements(1)
            ));
        }
        s + "}\n"
    }
}

#[test]
fn random_models_lower_to_sound_code_or_are_refused() {
    let (mut lowered, mut refused) = (0, 0);
    for seed in 0..3000 {
        let mut g = Generator {
            d: Draws::new(11, 1, 1, seed),
            fixed: seed % 2 == 0,
        };
        let text = g.model();
        match lower_with(&text, Some(1e-3), &BTreeMap::new()) {
            Err(d) => {
                assert!(
                    d.0.iter()
                        .all(|d| !d.hints.is_empty() && !d.labels.is_empty()),
                    "{d}"
                );
                refused += 1;
            }
            Ok(mut m) => {
                // Serial code is checked as if it did not emit: the bench is stepped.
                m.model
                    .handlers
                    .iter_mut()
                    .for_each(|h| h.block.emit = None);
                let p = program(&m, &[], 1e-3, 2);
                let mut b = Bench::new(&p);
                for _ in 0..3 {
                    b.step(&[("i", 1.0), ("x", 1.0)]);
                }
                lowered += 1;
            }
        }
    }
    assert!(lowered > 300 && refused > 300, "{lowered} {refused}");
}
