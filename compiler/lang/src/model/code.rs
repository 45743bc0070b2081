//! Writes the step code: from typed statements and nodes to blocks of the step IR.
//!
//! Comes in: [`Step`]s, updates of equations, the graph. Goes out: a [`Block`]. What is known before the run becomes a parameter column
//! (one for each distinct node), conditions become selections, `repeat` is unrolled. Limits: [`MAX_INSTRUCTIONS`] a block and a bound on
//! the work of unrolling; past them [`Shared::too_large`] is set and writing stops.

use super::graph::{Graph, Id, Node};
use super::host::{self, Refusal};
use super::linear::Linear;
use super::ode::{Hold, Update};
use super::range;
use super::statements::{Slot, Step};
use super::types;
use std::collections::{BTreeMap, HashMap};
use synfire_ir::model::{BinOp, Block, BlockBuilder, Op, Param, Ty, Value, Width};
use synfire_ir::network::HostExpr;

/// Most instructions of a block.
pub const MAX_INSTRUCTIONS: u32 = 20_000;
/// Most nodes and statements visited while writing a model.
const MAX_WORK: u32 = 4_000_000;

/// Columns, draws and limits of all blocks of a model.
#[derive(Debug, Default)]
pub struct Shared {
    /// Parameter columns.
    pub params: Vec<Param>,
    /// Their values.
    pub columns: Vec<HostExpr>,
    /// A limit was passed.
    pub too_large: bool,
    /// A column that the host cannot compute.
    pub refused: Option<Refusal>,
    /// Widths of all states.
    pub widths: Vec<Width>,
    /// Declared widths of parameters; in fixed-width models parameter `i` is column `i`.
    pub field_widths: Vec<Width>,
    /// Names of parameters.
    pub field_names: Vec<String>,
    /// Does the model compute in fixed widths?
    pub fixed: bool,
    /// Type of what blocks emit: F32 for a synapse of reals.
    pub float_payload: bool,
    made: HashMap<Id, u16>,
    sites: u32,
    work: u32,
    derived: u32,
}

impl Shared {
    /// The column of a uniform node.
    pub fn column(&mut self, g: &Graph, id: Id, name: Option<String>) -> u16 {
        if let Some(&c) = self.made.get(&id) {
            return c;
        }
        let name = match (g.node(id), name) {
            (_, Some(name)) => name,
            (Node::Field(i), _) => self.field_names[i as usize].clone(),
            (Node::Dt, _) => "dt".into(),
            _ => self.fresh_name(),
        };
        let value = host::to_host(g, id).unwrap_or_else(|why| {
            self.refused = Some(why);
            HostExpr::Const(0.0)
        });
        let c = self.params.len() as u16;
        self.too_large |= self.params.len() > u16::MAX as usize - 1;
        self.params.push(Param { name, ty: g.ty(id) });
        self.columns.push(value);
        self.made.insert(id, c);
        c
    }

    fn fresh_name(&mut self) -> String {
        loop {
            let name = format!("c{}", self.derived);
            self.derived += 1;
            if !self.field_names.contains(&name) {
                return name;
            }
        }
    }

    fn site(&mut self) -> u16 {
        self.too_large |= self.sites > u16::MAX as u32;
        self.sites += 1;
        (self.sites - 1) as u16
    }
}

/// Writes one block.
pub struct Writer<'m> {
    b: BlockBuilder,
    /// The model's nodes.
    pub graph: &'m mut Graph,
    /// What all blocks share.
    pub shared: &'m mut Shared,
    slots: BTreeMap<Place, Value>,
    log: Vec<(Place, Option<Value>)>,
    hold: Option<Hold>,
    memo: HashMap<Id, Value>,
    ranges: HashMap<Value, range::Range>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Slot(Slot),
    Payload,
}

impl<'m> Writer<'m> {
    /// An empty block.
    pub fn new(graph: &'m mut Graph, shared: &'m mut Shared) -> Self {
        Writer {
            b: BlockBuilder::new(),
            graph,
            shared,
            slots: BTreeMap::new(),
            log: vec![],
            hold: None,
            memo: HashMap::new(),
            ranges: HashMap::new(),
        }
    }

    /// From here on assignments to held states keep the old value while the condition holds; `None` ends that.
    pub fn hold(&mut self, hold: Option<Hold>) {
        self.hold = hold;
    }

    fn work(&mut self, n: u32) -> bool {
        self.shared.work = self.shared.work.saturating_add(n);
        self.shared.too_large |= self.shared.work > MAX_WORK;
        self.shared.too_large
    }

    /// Runs statements in order.
    pub fn run(&mut self, steps: &[Step]) {
        for s in steps {
            if self.work(1) {
                return;
            }
            self.memo.clear();
            match s {
                Step::Set { slot, value } => self.set(*slot, *value),
                Step::Emit(payload) => {
                    let mut v = self.value(*payload);
                    if let Some(&sum) = self.slots.get(&Place::Payload) {
                        let ty = self.b.ty(v);
                        v = self.put(Op::Bin(BinOp::Add, sum, v), ty);
                    }
                    self.assign(Place::Payload, v);
                }
                Step::If { arms, otherwise } => self.choose(arms, otherwise),
                Step::Repeat(n, inner) => {
                    for _ in 0..*n {
                        self.run(inner);
                        if self.work(1) {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Assigns all updates at once.
    pub fn update(&mut self, updates: &[(u16, Update)]) {
        self.memo.clear();
        let mut values = vec![];
        for (state, update) in updates {
            let v = match update {
                Update::Sum(sum) => self.sum(sum),
                Update::Node(id) => self.value(*id),
                Update::Held(held, free) => {
                    let (x, y) = (self.sum(held), self.sum(free));
                    match self.hold {
                        Some(h) => {
                            let c = self.value(h.condition);
                            self.select(c, x, y)
                        }
                        None => y,
                    }
                }
            };
            values.push((*state, v));
        }
        for (state, v) in values {
            let v = self.held(Slot::State(state), v);
            self.assign(Place::Slot(Slot::State(state)), v);
        }
    }

    fn set(&mut self, slot: Slot, value: Id) {
        let mut v = self.assigned_value(slot, value);
        if let (Slot::State(i), true) = (slot, self.shared.fixed) {
            v = self.narrowed(v, self.shared.widths[i as usize]);
        }
        let v = self.held(slot, v);
        self.assign(Place::Slot(slot), v);
    }

    /// A state's new value; when the state itself enters with a factor other than 1, as a linear combination.
    fn assigned_value(&mut self, slot: Slot, value: Id) -> Value {
        let Slot::State(i) = slot else {
            return self.value(value);
        };
        let one = 1u64.checked_shl(i as u32).unwrap_or(0);
        if self.graph.ty(value) != Ty::F32 || self.graph.info(value).states & one == 0 {
            return self.value(value);
        }
        let own = self.graph.push(Node::State(i), Ty::F32);
        let sum = Linear::new(0).of(self.graph, value);
        let leaky = |t: super::linear::Term| self.graph.real_const(t.factor) != Some(1.0);
        if sum.term(own).is_some_and(leaky) {
            self.sum(&sum)
        } else {
            self.value(value)
        }
    }

    fn held(&mut self, slot: Slot, v: Value) -> Value {
        match (slot, self.hold) {
            (Slot::State(i), Some(h)) if h.states & (1 << i) != 0 => {
                let old = self.slot(slot);
                let c = self.value(h.condition);
                self.select(c, old, v)
            }
            _ => v,
        }
    }

    fn narrowed(&mut self, v: Value, width: Width) -> Value {
        let (low, high) = types::limits(width);
        let r = self.range(v);
        if matches!(width, Width::I32 | Width::U32 | Width::Bool) || (r.0 >= low && r.1 <= high) {
            return v;
        }
        let (bits, signed) = types::bits(width);
        self.put(Op::Wrap { a: v, bits, signed }, Ty::I32)
    }

    fn assign(&mut self, place: Place, v: Value) {
        let old = self.slots.insert(place, v);
        self.log.push((place, old));
        self.memo.clear();
    }

    /// Undoes what was assigned since `mark`; gives the values that were there.
    fn take_back(&mut self, mark: usize) -> BTreeMap<Place, Value> {
        let mut changed = BTreeMap::new();
        while self.log.len() > mark {
            let Some((place, old)) = self.log.pop() else {
                break;
            };
            let now = match old {
                Some(v) => self.slots.insert(place, v),
                None => self.slots.remove(&place),
            };
            if let Some(now) = now {
                changed.entry(place).or_insert(now);
            }
        }
        self.memo.clear();
        changed
    }

    /// Every arm is written, then each place that one of them assigns gets a selection.
    fn choose(&mut self, arms: &[(Id, Vec<Step>)], otherwise: &[Step]) {
        let conditions: Vec<Value> = arms.iter().map(|a| self.value(a.0)).collect();
        let mark = self.log.len();
        let mut results = vec![];
        for (_, steps) in arms {
            self.run(steps);
            results.push(self.take_back(mark));
        }
        self.run(otherwise);
        let last = self.take_back(mark);
        let places: std::collections::BTreeSet<Place> = results
            .iter()
            .chain([&last])
            .flat_map(|r| r.keys().copied())
            .collect();
        for place in places {
            if self.work(arms.len() as u32) {
                return;
            }
            let old = match place {
                Place::Payload => match self.slots.get(&place) {
                    Some(&v) => v,
                    None if self.shared.float_payload => self.b.f32(0.0),
                    None => self.b.i32(0),
                },
                Place::Slot(Slot::State(i)) => self.slot(Slot::State(i)),
                Place::Slot(slot) => match self.slots.get(&Place::Slot(slot)) {
                    Some(&v) => v,
                    // Declared inside an arm: forgotten with it.
                    None => continue,
                },
            };
            let mut v = last.get(&place).copied().unwrap_or(old);
            for (c, r) in conditions.iter().zip(&results).rev() {
                let then = r.get(&place).copied().unwrap_or(old);
                v = self.select(*c, then, v);
            }
            self.assign(place, v);
        }
    }

    /// Value of a state or variable at this place.
    fn slot(&mut self, slot: Slot) -> Value {
        if let Some(&v) = self.slots.get(&Place::Slot(slot)) {
            return v;
        }
        match slot {
            Slot::State(i) => {
                let width = self.shared.widths[i as usize];
                let v = self.b.push(Op::State(i), width.ty());
                if width != Width::F32 {
                    self.ranges.insert(v, types::limits(width));
                }
                v
            }
            // Only after an error elsewhere: every `let` is set before it is read.
            Slot::Local(_) => self.b.f32(0.0),
        }
    }

    fn range(&self, v: Value) -> range::Range {
        match self.ranges.get(&v) {
            Some(&r) => r,
            None => range::full(self.b.ty(v)),
        }
    }

    /// Appends an operation and notes the range of its result.
    pub fn put(&mut self, op: Op, ty: Ty) -> Value {
        let r = range::of(&op, ty, |v| (self.range(v), self.b.ty(v)));
        let v = self.b.push(op, ty);
        if ty != Ty::F32 {
            self.ranges.insert(v, r);
        }
        self.shared.too_large |= v >= MAX_INSTRUCTIONS;
        v
    }

    fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        let (x, y) = (self.range(a), self.range(b));
        let v = self.b.select(c, a, b);
        if self.b.ty(v) != Ty::F32 && v != a && v != b {
            self.ranges.insert(v, (x.0.min(y.0), x.1.max(y.1)));
        }
        v
    }

    /// Value of a node at this place.
    pub fn value(&mut self, id: Id) -> Value {
        if let Some(&v) = self.memo.get(&id) {
            return v;
        }
        if self.work(1) {
            return self.b.push(Op::Const(0), self.graph.ty(id));
        }
        let v = if !self.shared.fixed && self.graph.uniform(id) {
            self.uniform(id, None)
        } else {
            self.compute(id)
        };
        self.memo.insert(id, v);
        v
    }

    /// A constant or a column.
    pub fn uniform(&mut self, id: Id, name: Option<String>) -> Value {
        if let Some(x) = self.graph.real_const(id)
            && !x.is_nan()
        {
            return self.b.f32(x as f32);
        }
        let ty = self.graph.ty(id);
        if let Some(w) = self.graph.word_const(id) {
            return self.put(Op::Const(w), ty);
        }
        let c = self.shared.column(self.graph, id, name);
        self.put(Op::Param(c), ty)
    }

    /// A column under a name of its own.
    pub fn named_column(&mut self, id: Id, name: String) -> Value {
        self.uniform(id, Some(name))
    }

    /// A fresh random word.
    pub fn draw(&mut self) -> Value {
        let site = self.shared.site();
        self.put(Op::Rand { site }, Ty::U32)
    }

    fn compute(&mut self, id: Id) -> Value {
        let ty = self.graph.ty(id);
        let op = match self.graph.node(id) {
            Node::Real(bits) => Op::Const((f64::from_bits(bits) as f32).to_bits()),
            Node::Word(w) => Op::Const(w),
            Node::Field(i) => {
                let v = self.put(Op::Param(i), ty);
                let width = self.shared.field_widths[i as usize];
                if width != Width::F32 {
                    self.ranges.insert(v, types::limits(width));
                }
                return v;
            }
            Node::State(i) => return self.slot(Slot::State(i)),
            Node::Local(i) => return self.slot(Slot::Local(i)),
            Node::Port(i) => Op::Port(i),
            Node::Arg(_) => Op::Arg,
            Node::Un(o, a) => Op::Un(o, self.value(a)),
            Node::Bin(o, a, b) => Op::Bin(o, self.value(a), self.value(b)),
            Node::If(c, a, b) => {
                let (c, a, b) = (self.value(c), self.value(a), self.value(b));
                return self.select(c, a, b);
            }
            Node::MulShift(a, b, shift, round) => {
                let (a, b) = (self.value(a), self.value(b));
                Op::MulShift { a, b, shift, round }
            }
            Node::Sat(a, bits) => Op::Sat {
                a: self.value(a),
                bits,
            },
            Node::Wrap(a, bits, signed) => Op::Wrap {
                a: self.value(a),
                bits,
                signed,
            },
            Node::Draw(_) => return self.draw(),
            Node::Poisson(_, mean, parts) => return self.poisson(mean, parts),
            // Only uniform nodes, and those of real models are columns.
            Node::Dt | Node::Expm1(_) | Node::Round(_) | Node::Cdf(..) => {
                self.shared.refused = Some(Refusal::Operation);
                Op::Const(0)
            }
        };
        self.put(op, ty)
    }

    /// The finished block: every state that was assigned is stored.
    pub fn finish(mut self) -> Block {
        let slots = std::mem::take(&mut self.slots);
        for (place, v) in slots {
            match place {
                Place::Slot(Slot::State(i)) => {
                    let width = self.shared.widths[i as usize];
                    if v != self.b.push(Op::State(i), width.ty()) {
                        self.b.store(i, v);
                    }
                }
                Place::Payload if self.b.constant(v) != Some(0) => self.b.emit(v),
                _ => {}
            }
        }
        self.b.finish()
    }
}
