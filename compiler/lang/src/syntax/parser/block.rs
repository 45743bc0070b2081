//! Blocks and their statements.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::report;
use super::super::tree::{
    Arm, Assign, AssignOp, Block, Emit, Expr, ExprKind, If, Ref, Repeat, Segment, Stmt,
};
use super::{Fail, Mark, Parsed, Parser};

impl<'a> Parser<'a> {
    /// `{ statements }`; `of` names what it belongs to.
    pub(super) fn block(&mut self, of: &str) -> Parsed<Block> {
        let start = self.span();
        let stmts = self.body(Place::Block, Mark::Block, of, Self::stmt)?;
        Ok(Block {
            stmts,
            span: self.since(start),
        })
    }

    /// An expression before a block; after an error in it, the block is read all the same.
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        let span = self.span();
        match self.expr() {
            Ok(e) => Ok(e),
            Err(Fail) => {
                self.skip_to_block()?;
                Ok(Expr {
                    kind: ExprKind::Error,
                    span,
                })
            }
        }
    }

    fn stmt(&mut self) -> Parsed<Stmt> {
        // A contextual keyword before a point or an assignment sign is a variable of that name.
        if self.assign_op(1).is_some() || self.token(1).tok == Tok::Dot {
            return self.assign().map(Stmt::Assign);
        }
        match self.word_at(0) {
            Some("let") => self.let_().map(Stmt::Let),
            Some("if") => self.if_().map(Stmt::If),
            Some("repeat") => self.repeat().map(Stmt::Repeat),
            Some("emit") => {
                let start = self.bump();
                let value = self.expr_or_error();
                Ok(Stmt::Emit(Emit {
                    value,
                    span: self.since(start),
                }))
            }
            Some(_) if self.token(1).tok == Tok::LBracket => self.assign().map(Stmt::Assign),
            _ => Err(self.no_stmt()),
        }
    }

    fn no_stmt(&mut self) -> Fail {
        if self.token(1).tok == Tok::Eq && self.is(Tok::Word) {
            self.bump();
            return self.expected("`=`", "`==` compares; a value is assigned with `=`");
        }
        if self.token(1).tok == Tok::Prime && self.is(Tok::Word) {
            self.bump();
            return self.expected(
                "`=`",
                "equations stand directly in the model, outside `on` and `spike when`",
            );
        }
        self.no_statement(Place::Block)
    }

    fn assign_op(&self, ahead: usize) -> Option<AssignOp> {
        match self.token(ahead).tok {
            Tok::Set => Some(AssignOp::Set),
            Tok::AddSet => Some(AssignOp::Add),
            Tok::SubSet => Some(AssignOp::Sub),
            Tok::MulSet => Some(AssignOp::Mul),
            _ => None,
        }
    }

    fn assign(&mut self) -> Parsed<Assign> {
        let target = self.target()?;
        let Some(op) = self.assign_op(0) else {
            let hint = "a value is assigned with `=`, `+=`, `-=` or `*=`";
            return Err(self.expected("`=`", hint));
        };
        let op_span = self.bump();
        let value = self.expr_or_error();
        let span = self.since(target.span);
        Ok(Assign {
            target,
            op,
            op_span,
            value,
            span,
        })
    }

    /// What may stand left of an assignment: a name, its members and elements.
    pub(super) fn target(&mut self) -> Parsed<Ref> {
        if let Some(word) = self.word_at(0).filter(|w| matches!(*w, "true" | "false")) {
            let d = report::reserved(self.span(), word, "a variable");
            return Err(self.report(d));
        }
        let target = self.reference("the name of what is assigned")?;
        let plain = |s: &Segment| matches!(s, Segment::Name(_) | Segment::Index(..));
        if !target.tail.iter().all(plain) {
            let d = report::not_assignable(target.span);
            return Err(self.report(d));
        }
        Ok(target)
    }

    fn if_(&mut self) -> Parsed<If> {
        let start = self.span();
        let mut arms = vec![];
        let mut otherwise = None;
        loop {
            self.bump();
            let condition = self.condition()?;
            let block = self.block("`if`")?;
            arms.push(Arm { condition, block });
            let next = self.token(1);
            let is_if = next.tok == Tok::Word && self.token_text(next) == "if";
            if !self.is_word("else") || !(is_if || next.tok == Tok::LBrace) {
                break;
            }
            self.bump();
            if !is_if {
                otherwise = Some(self.block("`else`")?);
                break;
            }
        }
        Ok(If {
            arms,
            otherwise,
            span: self.since(start),
        })
    }

    fn repeat(&mut self) -> Parsed<Repeat> {
        let start = self.bump();
        let count = self.condition()?;
        let block = self.block("`repeat`")?;
        Ok(Repeat {
            count,
            block,
            span: self.since(start),
        })
    }
}
