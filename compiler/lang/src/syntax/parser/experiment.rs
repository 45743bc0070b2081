//! `experiment` and its statements.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::tree::{At, Exp, Expect, Experiment, Feed};
use super::{Fail, Mark, Parsed, Parser};

impl<'a> Parser<'a> {
    pub(super) fn experiment(&mut self) -> Parsed<Experiment> {
        let doc = self.doc();
        let start = self.bump();
        let form = "as in `experiment quick of Net(n = 10) { run 1 s }`";
        let name = self.name("the experiment's name")?;
        self.expect_word("of", form)?;
        let network = self.name("the network's name")?;
        let args = match self.args_if_any("the network's arguments") {
            Ok(args) => args,
            Err(Fail) => {
                self.skip_to_block()?;
                vec![]
            }
        };
        let of = format!("experiment `{}`", name.as_str());
        let body = self.body(Place::Exp, Mark::Body, &of, Self::exp)?;
        Ok(Experiment {
            doc,
            name,
            network,
            args,
            body,
            span: self.since(start),
        })
    }

    fn exp(&mut self) -> Parsed<Exp> {
        match self.word_at(0) {
            Some("run") => self.setting().map(Exp::Run),
            Some("at") => self.at_time().map(Exp::At),
            Some("feed") => self.feed().map(Exp::Feed),
            Some("expect") => self.expect_that().map(Exp::Expect),
            _ => Err(self.no_statement(Place::Exp)),
        }
    }

    fn at_time(&mut self) -> Parsed<At> {
        let start = self.bump();
        let form = "as in `at 10 s : reward.value = 1 for 50 ms`";
        let time = self.expr()?;
        self.mark(Mark::WideColon);
        self.expect(Tok::Colon, "`:` and an assignment", form)?;
        let target = self.target()?;
        self.expect(Tok::Set, "`=`", form)?;
        let value = self.expr()?;
        let duration = match self.accept_word("for") {
            Some(_) => Some(self.expr()?),
            None => None,
        };
        Ok(At {
            time,
            target,
            value,
            duration,
            span: self.since(start),
        })
    }

    fn feed(&mut self) -> Parsed<Feed> {
        let start = self.bump();
        let form = "as in `feed x from load(\"sample.csv\")`";
        let target = self.reference("a source")?;
        self.expect_word("from", form)?;
        let from = self.expr()?;
        Ok(Feed {
            target,
            from,
            span: self.since(start),
        })
    }

    fn expect_that(&mut self) -> Parsed<Expect> {
        let start = self.bump();
        let value = self.expr()?;
        let mut bounds = None;
        if self.accept_word("in").is_some() {
            let low = self.expr()?;
            self.expect(
                Tok::DotDot,
                "`..`",
                "as in `expect mean_rate(exc) in 20 Hz .. 60 Hz`",
            )?;
            bounds = Some((low, self.expr()?));
        }
        Ok(Expect {
            value,
            bounds,
            span: self.since(start),
        })
    }
}
