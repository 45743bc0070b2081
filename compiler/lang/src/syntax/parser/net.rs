//! Statements of `module` and `network`.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::tree::{
    Arg, Call, Connect, Direction, Expr, Fields, For, Hint, Modulate, Net, Part, Path, Pop, Port,
    Range, Record, Ref, Setting, Source, Type,
};
use super::{Mark, Parsed, Parser};
use synfire_ir::diag::Span;

/// What follows the name of a population or source.
struct Group {
    model: Path,
    shape: Vec<Expr>,
    shape_span: Span,
    at: Option<Call>,
    fields: Option<Fields>,
}

impl<'a> Parser<'a> {
    pub(super) fn net(&mut self) -> Parsed<Net> {
        match self.word_at(0) {
            Some("let") => self.let_().map(Net::Let),
            Some("step") => self.setting().map(Net::Step),
            Some("seed") => self.setting().map(Net::Seed),
            Some("port") => self.port().map(Net::Port),
            Some("pop") => self.pop().map(Net::Pop),
            Some("source") => self.source().map(Net::Source),
            Some("part") => self.part().map(Net::Part),
            Some("connect") => self.connect().map(Net::Connect),
            Some("modulate") => self.modulate().map(Net::Modulate),
            Some("record") => self.record().map(Net::Record),
            Some("hint") => self.hint().map(Net::Hint),
            Some("for") => self.for_().map(Net::For),
            _ => Err(self.no_statement(Place::Net)),
        }
    }

    /// A keyword and its value.
    pub(super) fn setting(&mut self) -> Parsed<Setting> {
        let start = self.bump();
        let value = self.expr_or_error();
        Ok(Setting {
            value,
            span: self.since(start),
        })
    }

    fn port(&mut self) -> Parsed<Port> {
        let start = self.bump();
        let direction = match self.word_at(0) {
            Some("in") => Direction::In,
            Some("out") => Direction::Out,
            _ => {
                let hint =
                    "as in `port in obs: spikes[n]` or `port out act: spikes[n] = pop.spikes`";
                return Err(self.expected_one(&["in", "out"], "`in` or `out`", hint));
            }
        };
        self.bump();
        let name = self.name("the port's name")?;
        let parsed = self.port_rest();
        let unknown = self.no_type(&name);
        let (ty, value) = self.or_broken(parsed, (unknown, None));
        Ok(Port {
            direction,
            name,
            ty,
            value,
            span: self.since(start),
        })
    }

    fn port_rest(&mut self) -> Parsed<(Type, Option<Ref>)> {
        let ty = self.of_type()?;
        let value = match self.accept(Tok::Set) {
            Some(_) => Some(self.reference("what the port stands for")?),
            None => None,
        };
        Ok((ty, value))
    }

    fn pop(&mut self) -> Parsed<Pop> {
        let start = self.bump();
        let name = self.name("the population's name")?;
        let parsed = self.group(true);
        let unknown = self.no_group(name.span);
        let Group {
            model,
            shape,
            shape_span,
            at,
            fields,
        } = self.or_broken(parsed, unknown);
        Ok(Pop {
            name,
            model,
            shape,
            shape_span,
            at,
            fields,
            span: self.since(start),
        })
    }

    fn source(&mut self) -> Parsed<Source> {
        let start = self.bump();
        let name = self.name("the source's name")?;
        let parsed = self.group(false);
        let unknown = self.no_group(name.span);
        let Group {
            model,
            shape,
            shape_span,
            fields,
            ..
        } = self.or_broken(parsed, unknown);
        Ok(Source {
            name,
            kind: model,
            shape,
            shape_span,
            fields,
            span: self.since(start),
        })
    }

    fn no_group(&mut self, span: Span) -> Group {
        let model = self.no_path(span);
        Group {
            model,
            shape: vec![],
            shape_span: span,
            at: None,
            fields: None,
        }
    }

    /// `: model[shape] [at call] [fields]`.
    fn group(&mut self, placed: bool) -> Parsed<Group> {
        let (colon, of) = match placed {
            true => (
                "as in `pop exc: Lif[100] { tau = 20 ms }`",
                "the neuron model",
            ),
            false => (
                "as in `source x: poisson[100] { rate = 10 Hz }`",
                "the kind of source",
            ),
        };
        self.expect(Tok::Colon, &format!("`:` and {of}"), colon)?;
        let model = self.path(of)?;
        let (shape, shape_span) = self.shape()?;
        let at = match placed && self.is_word("at") {
            true => {
                self.bump();
                Some(self.call("a placement")?)
            }
            false => None,
        };
        let fields = self.fields()?;
        Ok(Group {
            model,
            shape,
            shape_span,
            at,
            fields,
        })
    }

    /// `path [(args)]`.
    fn call(&mut self, what: &str) -> Parsed<Call> {
        let path = self.path(what)?;
        let args = self.args_if_any("the call")?;
        let span = self.since(path.span);
        Ok(Call { path, args, span })
    }

    /// `(args)`, or none.
    pub(super) fn args_if_any(&mut self, of: &str) -> Parsed<Vec<Arg>> {
        if self.is(Tok::LParen) {
            self.args(of)
        } else {
            Ok(vec![])
        }
    }

    fn part(&mut self) -> Parsed<Part> {
        let start = self.bump();
        let name = self.name("the part's name")?;
        let parsed = self.part_rest();
        let unknown = self.no_path(name.span);
        let (module, args) = self.or_broken(parsed, (unknown, vec![]));
        Ok(Part {
            name,
            module,
            args,
            span: self.since(start),
        })
    }

    fn part_rest(&mut self) -> Parsed<(Path, Vec<Arg>)> {
        self.expect(
            Tok::Colon,
            "`:` and a module",
            "as in `part actor: Actor(n = 20)`",
        )?;
        let module = self.path("a module")?;
        let args = self.args_if_any("the module's arguments")?;
        Ok((module, args))
    }

    fn connect(&mut self) -> Parsed<Connect> {
        let start = self.bump();
        let mut name = None;
        if self.is(Tok::Word) && self.token(1).tok == Tok::Colon {
            name = Some(self.name("the projection's name")?);
            self.bump();
        }
        let form = "as in `connect exc -> inh.i : dense { weight = 0.5 }`";
        let sources = self.refs("a population or source")?;
        self.expect(Tok::Arrow, "`->`", form)?;
        let targets = self.refs("the port of a population")?;
        self.mark(Mark::WideColon);
        self.expect(Tok::Colon, "`:` and a rule", form)?;
        let mut rule = vec![self.call("a connection rule")?];
        while self.accept(Tok::Pipe).is_some() {
            rule.push(self.call("a connection rule")?);
        }
        let fields = self.fields()?;
        Ok(Connect {
            name,
            sources,
            targets,
            rule,
            fields,
            span: self.since(start),
        })
    }

    /// One reference, or several in parentheses.
    fn refs(&mut self, what: &str) -> Parsed<Vec<Ref>> {
        if !self.is(Tok::LParen) {
            return Ok(vec![self.reference(what)?]);
        }
        if self.token(1).tok == Tok::RParen {
            self.bump();
            return Err(self.expected(what, "name at least one, as in `(exc, inh)`"));
        }
        self.list(Tok::RParen, "the list", |p| p.reference(what))
    }

    fn modulate(&mut self) -> Parsed<Modulate> {
        let start = self.bump();
        let source = self.reference("a signal")?;
        self.expect(
            Tok::Arrow,
            "`->`",
            "as in `modulate reward -> plastic.reward`",
        )?;
        let target = self.reference("the input of a projection's synapses")?;
        Ok(Modulate {
            source,
            target,
            span: self.since(start),
        })
    }

    fn record(&mut self) -> Parsed<Record> {
        let start = self.bump();
        let what = self.refs("what to record")?;
        let every = self.accept_word("every").map(|_| self.expr_or_error());
        Ok(Record {
            what,
            every,
            span: self.since(start),
        })
    }

    fn hint(&mut self) -> Parsed<Hint> {
        let start = self.bump();
        let about = match self.is(Tok::Word) {
            true => Some(self.reference("a population or projection")?),
            false => None,
        };
        match self.fields()? {
            Some(fields) => Ok(Hint {
                about,
                fields,
                span: self.since(start),
            }),
            None => Err(self.expected("`{`", "as in `hint exc { precision = int8 }`")),
        }
    }

    fn for_(&mut self) -> Parsed<For> {
        let start = self.bump();
        let var = self.name("the name that runs")?;
        let form = "as in `for p in [a, b] { ... }` or `for i in 0 .. 9 { ... }`";
        self.expect_word("in", form)?;
        let first = self.condition()?;
        let range = match self.accept(Tok::DotDot) {
            Some(_) => Range::Integers(first, self.condition()?),
            None => Range::List(first),
        };
        let of = format!("`for {}`", var.as_str());
        let body = self.body(Place::Net, Mark::Body, &of, Self::net)?;
        Ok(For {
            var,
            range,
            body,
            span: self.since(start),
        })
    }
}
