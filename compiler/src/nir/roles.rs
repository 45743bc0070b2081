//! What each node of a NIR graph becomes in a network: a population, a part of a projection, or a wish to record.
//!
//! In: a [`NirModel`]. Out: [`Roles`]: one [`Role`] a node, the edges into each node, and the constant part of what each
//! linear node gives (its bias and those before it). Nodes are looked at in evaluation order. A linear node becomes a
//! relay where following its ways would multiply beyond [`MAX_WAYS`], or its constant would be too large to follow.

use super::graph::NirKind;
use super::linear::{constant, is_biased, size, work};
use super::time::delay_steps;
use super::{NirEdge, NirModel, ShapedNode};

/// Most ways through linear nodes that end in one linear node.
const MAX_WAYS: u64 = 16;
/// Most multiplications for one constant.
const MAX_WORK: u64 = 1 << 30;
/// Most numbers in all constants together.
pub const MAX_CONSTANTS: u64 = 1 << 24;

/// The part that a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An Input: a source of events.
    Source,
    /// A population of a NIR model.
    Neuron,
    /// A population that passes on a sum.
    Held,
    /// A rule in the projections that pass it.
    Linear,
    /// A Delay that lengthens the projections that pass it, in steps.
    Folded(u32),
    /// An Output right behind that node: a wish to record it.
    Watched(usize),
    /// An Output that nothing leads to.
    Idle,
}

impl Role {
    /// Is there a population for it?
    pub fn holds(self) -> bool {
        matches!(self, Role::Source | Role::Neuron | Role::Held)
    }
}

/// See the module.
pub struct Roles {
    roles: Vec<Role>,
    into: Vec<Vec<NirEdge>>,
    constants: Vec<Vec<f64>>,
}

impl Roles {
    /// The role of a node.
    pub fn of(&self, node: usize) -> Role {
        self.roles.get(node).copied().unwrap_or(Role::Idle)
    }

    /// Edges into a node.
    pub fn edges_into(&self, node: usize) -> &[NirEdge] {
        self.into.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a linear node gives when nothing arrives at the graph; empty where that is zero.
    pub fn constant(&self, node: usize) -> &[f64] {
        self.constants
            .get(node)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The constant part of what arrives at a node of `values` inputs; empty where that is zero.
    pub fn constant_into(&self, node: usize, values: usize) -> Vec<f64> {
        let mut sum: Vec<f64> = vec![];
        for edge in self.edges_into(node) {
            let part = self.constant(edge.from);
            if !part.is_empty() {
                sum.resize(values, 0.0);
                sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
            }
        }
        sum
    }

    /// Decides for all nodes.
    pub fn assign(nir: &NirModel) -> Roles {
        let count = nir.nodes.len();
        let mut into = vec![Vec::new(); count];
        for edge in &nir.edges {
            if let Some(list) = into.get_mut(edge.to) {
                list.push(*edge);
            }
        }
        let mut chooser = Chooser {
            nir,
            roles: Roles {
                roles: vec![Role::Idle; count],
                into,
                constants: vec![Vec::new(); count],
            },
            seen: vec![false; count],
            ways: vec![1; count],
            room: MAX_CONSTANTS,
        };
        for &node in &nir.order {
            let role = chooser.choose(node);
            if let (Some(slot), Some(seen)) = (
                chooser.roles.roles.get_mut(node),
                chooser.seen.get_mut(node),
            ) {
                (*slot, *seen) = (role, true);
            }
        }
        chooser.roles
    }
}

struct Chooser<'a> {
    nir: &'a NirModel,
    roles: Roles,
    seen: Vec<bool>,
    ways: Vec<u64>,
    room: u64,
}

impl Chooser<'_> {
    fn choose(&mut self, node: usize) -> Role {
        let Some(shaped) = self.nir.nodes.get(node) else {
            return Role::Idle;
        };
        match &shaped.node.kind {
            NirKind::Input { .. } => Role::Source,
            NirKind::Output { .. } => match self.roles.edges_into(node) {
                [] => Role::Idle,
                [edge]
                    if !edge.delayed
                        && matches!(self.roles.of(edge.from), Role::Neuron | Role::Held) =>
                {
                    Role::Watched(edge.from)
                }
                _ => Role::Held,
            },
            NirKind::Delay { delay } => self.fold(node, delay),
            NirKind::Affine { .. }
            | NirKind::Linear { .. }
            | NirKind::Scale { .. }
            | NirKind::Conv1d(_)
            | NirKind::Conv2d(_)
            | NirKind::SumPool2d(_)
            | NirKind::AvgPool2d(_)
            | NirKind::Flatten { .. } => self.linear(node),
            _ => Role::Neuron,
        }
    }

    /// A Delay lengthens projections when it has one time for all, does not close a loop, and what arrives has no constant
    /// part (which it would hold back in the first steps).
    fn fold(&mut self, node: usize, delay: &super::Array) -> Role {
        let first = delay.data.first().copied().unwrap_or(0.0);
        let uniform = delay.data.iter().all(|d| *d == first);
        let steps = delay_steps(first, self.nir.dt);
        let ready = self.roles.edges_into(node).iter().all(|e| {
            (self.seen.get(e.from) == Some(&true) || e.delayed)
                && self.roles.constant(e.from).is_empty()
        });
        let ways = self.ways_into(node);
        match steps {
            Some(steps) if uniform && ready && ways <= MAX_WAYS => {
                self.set_ways(node, ways);
                Role::Folded(steps)
            }
            _ => Role::Held,
        }
    }

    fn linear(&mut self, node: usize) -> Role {
        let Some(shaped) = self.nir.nodes.get(node) else {
            return Role::Idle;
        };
        let ways = self.ways_into(node);
        let sum = self.roles.constant_into(node, size(&shaped.input));
        let arriving = !sum.is_empty();
        if ways > MAX_WAYS || !follows(shaped, arriving, MAX_WORK.min(self.room)) {
            return Role::Held;
        }
        self.set_ways(node, ways);
        let given = constant(shaped, &sum);
        self.room = self.room.saturating_sub(given.len() as u64);
        if let Some(slot) = self.roles.constants.get_mut(node) {
            *slot = given;
        }
        Role::Linear
    }

    fn ways_into(&self, node: usize) -> u64 {
        let of = |n: usize| match self.roles.of(n) {
            Role::Linear | Role::Folded(_) => self.ways.get(n).copied().unwrap_or(1),
            _ => 1,
        };
        self.roles
            .edges_into(node)
            .iter()
            .map(|e| of(e.from))
            .fold(0, u64::saturating_add)
    }

    fn set_ways(&mut self, node: usize, ways: u64) {
        if let Some(slot) = self.ways.get_mut(node) {
            *slot = ways;
        }
    }
}

/// Would a linear node have a constant part, and is it cheap enough to follow?
fn follows(shaped: &ShapedNode, arriving: bool, budget: u64) -> bool {
    let values = size(&shaped.output) as u64;
    let cost = if arriving {
        work(shaped).saturating_add(values)
    } else {
        values
    };
    !(arriving || is_biased(shaped)) || cost <= budget
}
