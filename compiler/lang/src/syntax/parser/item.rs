//! The top level of a file.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::report;
use super::super::tree::{
    Expr, ExprKind, Import, Item, Let, Model, Name, Path, Structure, Text, Type, Use,
};
use super::{Fail, Mark, Parsed, Parser};
use synfire_ir::diag::Span;

impl<'a> Parser<'a> {
    /// Everything in the file.
    pub(super) fn items(&mut self) -> Vec<Item> {
        self.top_statements(Self::item)
    }

    fn item(&mut self) -> Parsed<Item> {
        match self.word_at(0) {
            Some("import") => self.import().map(Item::Import),
            Some("use") => self.use_().map(Item::Use),
            Some("let") => self.let_().map(Item::Let),
            Some("neuron") => self.model("neuron").map(Item::Neuron),
            Some("synapse") => self.model("synapse").map(Item::Synapse),
            Some("module") => self.structure("module").map(Item::Module),
            Some("network") => self.structure("network").map(Item::Network),
            Some("experiment") => self.experiment().map(Item::Experiment),
            _ => Err(self.no_statement(Place::Top)),
        }
    }

    /// Reports that no statement of `place` begins here.
    pub(super) fn no_statement(&mut self, place: Place) -> Fail {
        let Some(word) = self.word_at(0) else {
            if !self.token(0).newline && self.at > 0 {
                let hint = "statements stand on lines of their own or have `;` between them";
                let hint = self.mark_hint().unwrap_or(hint);
                return self.expected("the end of the statement", hint);
            }
            let list: Vec<String> = place.heads().iter().map(|h| format!("`{h}`")).collect();
            let hint = format!("statements here begin with {}", list.join(", "));
            return self.expected(place.what(), &hint);
        };
        let next = self.token_text(self.token(1));
        let d = report::no_statement(self.span(), word, place, next);
        self.report(d)
    }

    fn import(&mut self) -> Parsed<Import> {
        let start = self.bump();
        if !self.is(Tok::Text) {
            return Err(self.expected(
                "the file's name in quotes",
                "as in `import \"cells.syn\" as cells`",
            ));
        }
        let token = self.token(0);
        let value = self.intern(self.token_text(token).trim_matches('"'));
        let file = Text {
            value,
            span: self.bump(),
        };
        let alias = match self.accept_word("as") {
            Some(_) => Some(self.name("the name of the import")?),
            None => None,
        };
        Ok(Import {
            file,
            alias,
            span: self.since(start),
        })
    }

    fn use_(&mut self) -> Parsed<Use> {
        let start = self.bump();
        let path = self.path("what to use")?;
        if self.accept(Tok::Dot).is_none() {
            return Ok(Use {
                path,
                group: None,
                span: self.since(start),
            });
        }
        if !self.is(Tok::LBrace) {
            return Err(self.expected("a name or `{`", "as in `use std.neurons.{Lif, Li}`"));
        }
        if self.token(1).tok == Tok::RBrace {
            self.bump();
            let fail = self.expected(
                "a name",
                "name what to use, as in `use std.neurons.{Lif, Li}`",
            );
            self.bump();
            return Err(fail);
        }
        let from = self.at;
        let group = self.list(Tok::RBrace, "the names", |p| p.name("a name"));
        if group.is_err() {
            self.skip_group(from);
        }
        Ok(Use {
            path,
            group: Some(group?),
            span: self.since(start),
        })
    }

    /// Goes past the brace that closes the wrong list opened at token `from`, if one stands on the same line.
    fn skip_group(&mut self, from: usize) {
        let rest = self.tokens.get(from + 1..).unwrap_or_default();
        let line = rest
            .iter()
            .take_while(|t| !t.newline || t.tok == Tok::RBrace);
        if let Some(i) = line.take(1000).position(|t| t.tok == Tok::RBrace) {
            self.at = self.at.max(from + 1 + i + 1);
        }
    }

    /// `let name [: type] = expr`.
    pub(super) fn let_(&mut self) -> Parsed<Let> {
        let start = self.bump();
        let name = self.name("the name after `let`")?;
        let parsed = self.let_rest();
        let span = self.span();
        let (ty, value) = self.or_broken(
            parsed,
            (
                None,
                Expr {
                    kind: ExprKind::Error,
                    span,
                },
            ),
        );
        Ok(Let {
            name,
            ty,
            value,
            span: self.since(start),
        })
    }

    fn let_rest(&mut self) -> Parsed<(Option<Type>, Expr)> {
        let ty = match self.is(Tok::Colon) {
            true => Some(self.of_type()?),
            false => None,
        };
        self.expect(Tok::Set, "`=`", "as in `let tau = 20 ms`")?;
        Ok((ty, self.expr_or_error()))
    }

    fn model(&mut self, keyword: &str) -> Parsed<Model> {
        let doc = self.doc();
        let start = self.bump();
        let name = self.item_name(keyword)?;
        let params = self.params();
        let of = format!("{keyword} `{}`", name.as_str());
        let body = self.body(Place::Dyn, Mark::Body, &of, Self::dyn_)?;
        Ok(Model {
            doc,
            name,
            params,
            body,
            span: self.since(start),
        })
    }

    fn structure(&mut self, keyword: &str) -> Parsed<Structure> {
        let doc = self.doc();
        let start = self.bump();
        let name = self.item_name(keyword)?;
        let params = self.params();
        let of = format!("{keyword} `{}`", name.as_str());
        let body = self.body(Place::Net, Mark::Body, &of, Self::net)?;
        Ok(Structure {
            doc,
            name,
            params,
            body,
            span: self.since(start),
        })
    }

    /// The name of an item; empty where only the name is missing, so that its body is read all the same.
    fn item_name(&mut self, keyword: &str) -> Parsed<Name> {
        let span = self.span();
        match self.name(&format!("the {keyword}'s name")) {
            Err(Fail) if matches!(self.tok(), Tok::LParen | Tok::LBrace) => Ok(Name {
                text: self.intern(""),
                span,
            }),
            other => other,
        }
    }

    /// A path of one unreadable name, for a statement that is kept for the sake of the name it declares.
    pub(super) fn no_path(&mut self, span: Span) -> Path {
        let text = self.intern("");
        Path {
            names: vec![Name { text, span }],
            span,
        }
    }
}
