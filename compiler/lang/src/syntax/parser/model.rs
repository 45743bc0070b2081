//! Statements of `neuron` and `synapse`.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::tree::{Dyn, Expr, Input, Name, Ode, On, Solve, SpikeWhen, Type, Variable};
use super::{Mark, Parsed, Parser};

impl<'a> Parser<'a> {
    pub(super) fn dyn_(&mut self) -> Parsed<Dyn> {
        // `state' = ...` is the equation of a variable of that name.
        if self.is(Tok::Word) && self.token(1).tok == Tok::Prime {
            return self.ode().map(Dyn::Ode);
        }
        match self.word_at(0) {
            Some("state") => self.variable("the state's name").map(Dyn::State),
            Some("output") => self.variable("the output's name").map(Dyn::Output),
            Some("input") => self.input().map(Dyn::Input),
            Some("let") => self.let_().map(Dyn::Let),
            Some("solve") => self.solve().map(Dyn::Solve),
            Some("spike") => self.spike_when().map(Dyn::SpikeWhen),
            Some("on") => self.on().map(Dyn::On),
            _ => Err(self.no_statement(Place::Dyn)),
        }
    }

    fn variable(&mut self, what: &str) -> Parsed<Variable> {
        let start = self.bump();
        let name = self.name(what)?;
        let parsed = self.variable_rest();
        let unknown = self.no_type(&name);
        let (ty, value) = self.or_broken(parsed, (unknown, None));
        Ok(Variable {
            name,
            ty,
            value,
            span: self.since(start),
        })
    }

    fn variable_rest(&mut self) -> Parsed<(Type, Option<Expr>)> {
        let ty = self.of_type()?;
        let value = self.accept(Tok::Set).map(|_| self.expr_or_error());
        Ok((ty, value))
    }

    /// The type of a declaration whose type could not be read: its name is empty.
    pub(super) fn no_type(&mut self, declared: &Name) -> Type {
        let name = Name {
            text: self.intern(""),
            span: declared.span,
        };
        Type {
            name,
            dims: vec![],
            span: declared.span,
        }
    }

    fn input(&mut self) -> Parsed<Input> {
        let start = self.bump();
        let name = self.name("the input's name")?;
        let parsed = self.input_rest();
        let unknown = self.no_type(&name);
        let (ty, by) = self.or_broken(parsed, (unknown, None));
        Ok(Input {
            name,
            ty,
            by,
            span: self.since(start),
        })
    }

    fn input_rest(&mut self) -> Parsed<(Type, Option<Name>)> {
        let ty = self.of_type()?;
        let by = match self.is_word("by") && self.token(1).tok == Tok::Word {
            true => {
                self.bump();
                Some(self.word("a way to combine", "`sum`, `or`, `max` or `sat_sum`")?)
            }
            false => None,
        };
        Ok((ty, by))
    }

    fn ode(&mut self) -> Parsed<Ode> {
        let name = self.name("a state's name")?;
        let start = name.span;
        self.bump();
        self.expect(
            Tok::Set,
            "`=`",
            "an equation gives the derivative: `v' = -v / tau`",
        )?;
        let value = self.expr_or_error();
        Ok(Ode {
            name,
            value,
            span: self.since(start),
        })
    }

    fn solve(&mut self) -> Parsed<Solve> {
        let start = self.bump();
        let method = self.name("a method")?;
        Ok(Solve {
            method,
            span: self.since(start),
        })
    }

    fn spike_when(&mut self) -> Parsed<SpikeWhen> {
        let start = self.bump();
        self.expect_word("when", "as in `spike when v > v_th { v = v_reset }`")?;
        let condition = self.condition()?;
        let mut refractory = None;
        let mut hold = None;
        if self.accept_word("refractory").is_some() {
            refractory = Some(self.condition()?);
            if self.accept_word("hold").is_some() {
                if !self.is(Tok::LParen) {
                    return Err(self.expected("`(`", "as in `hold (v, w)` or `hold ()`"));
                }
                hold =
                    Some(self.list(Tok::RParen, "the held states", |p| p.name("a state's name"))?);
            }
        }
        if !self.is(Tok::LBrace) {
            let what = if refractory.is_some() {
                "`{` or `hold`"
            } else {
                "`{` or `refractory`"
            };
            let hint = "as in `spike when v > v_th refractory 2 ms hold (v) { v = v_reset }`";
            self.expected_one(
                &[if refractory.is_some() {
                    "hold"
                } else {
                    "refractory"
                }],
                what,
                hint,
            );
            self.skip_to_block()?;
        }
        let block = self.block("`spike when`")?;
        Ok(SpikeWhen {
            condition,
            refractory,
            hold,
            block,
            span: self.since(start),
        })
    }

    fn on(&mut self) -> Parsed<On> {
        let start = self.bump();
        let event = self.name("an event")?;
        let mut arg = None;
        if self.is(Tok::LParen) {
            let open = self.span();
            self.mark(Mark::Tight);
            self.bump();
            arg = Some(self.expr()?);
            self.close(Tok::RParen, open, "(", "the event")?;
        }
        let block = self.block(&format!("`on {}`", event.as_str()))?;
        Ok(On {
            event,
            arg,
            block,
            span: self.since(start),
        })
    }
}
