//! What the items of a program may name, and the types of what they name.

use crate::model::{Model, Ty};
use crate::program::{Group, GroupKind, Plastic, Program, Projection};
use crate::synapse::Synapse;
use crate::text::Names;

/// Names of a model's parts, with their types.
pub(super) struct ModelScope {
    pub params: Names,
    pub param_types: Vec<Ty>,
    pub states: Names,
    pub state_types: Vec<Ty>,
    pub ports: Names,
    pub port_types: Vec<Ty>,
    pub outputs: Names,
}

impl ModelScope {
    /// Of a synapse model: its modulators are its ports.
    fn of_synapse(m: &Synapse) -> Self {
        ModelScope {
            params: Names::of("parameter", m.params.iter().map(|x| x.name.as_str())),
            param_types: m.params.iter().map(|x| x.ty).collect(),
            states: Names::of("state", m.states.iter().map(|x| x.name.as_str())),
            state_types: m.states.iter().map(|x| x.width.ty()).collect(),
            ports: Names::of("modulator", m.modulators.iter().map(|x| x.name.as_str())),
            port_types: m.modulators.iter().map(|x| x.ty).collect(),
            outputs: Names::new("output"),
        }
    }

    fn of(m: &Model) -> Self {
        ModelScope {
            params: Names::of("parameter", m.params.iter().map(|x| x.name.as_str())),
            param_types: m.params.iter().map(|x| x.ty).collect(),
            states: Names::of("state", m.states.iter().map(|x| x.name.as_str())),
            state_types: m.states.iter().map(|x| x.width.ty()).collect(),
            ports: Names::of("port", m.ports.iter().map(|x| x.name.as_str())),
            port_types: m.ports.iter().map(|x| x.ty).collect(),
            outputs: Names::of("output", m.outputs.iter().map(|x| x.name.as_str())),
        }
    }

    /// Type of the values at a port.
    pub fn port_type(&self, port: u16) -> Option<Ty> {
        self.port_types.get(port as usize).copied()
    }
}

/// Names of the items so far.
pub(super) struct Scope {
    pub models: Names,
    pub groups: Names,
    pub projections: Names,
    pub synapses: Names,
    synapse_parts: Vec<ModelScope>,
    plastic: std::collections::BTreeMap<u32, u32>,
    parts: Vec<ModelScope>,
    model_of: Vec<Option<u32>>,
    /// Stands for a model that is not there.
    none: ModelScope,
}

impl Scope {
    /// Of an empty program.
    pub fn new() -> Self {
        Scope {
            models: Names::new("model"),
            groups: Names::new("group"),
            projections: Names::new("projection"),
            synapses: Names::new("synapse model"),
            synapse_parts: vec![],
            plastic: Default::default(),
            parts: vec![],
            model_of: vec![],
            none: ModelScope::of(&Model::default()),
        }
    }

    /// Of a whole program.
    pub fn of(p: &Program) -> Self {
        let mut scope = Scope::new();
        p.models.iter().for_each(|m| scope.add_model(m));
        p.groups.iter().for_each(|g| scope.add_group(g));
        p.projections.iter().for_each(|x| scope.add_projection(x));
        p.synapse_models.iter().for_each(|m| scope.add_synapse(m));
        p.plastic.iter().for_each(|x| scope.add_plastic(x));
        scope
    }

    pub fn add_synapse(&mut self, m: &Synapse) {
        self.synapses.push(&m.name);
        self.synapse_parts.push(ModelScope::of_synapse(m));
    }

    pub fn add_plastic(&mut self, x: &Plastic) {
        self.plastic.insert(x.projection, x.synapse);
    }

    /// Parts of a synapse model; none when it is not there.
    pub fn synapse(&self, synapse: u32) -> &ModelScope {
        let parts = self.synapse_parts.get(synapse as usize);
        parts.unwrap_or(&self.none)
    }

    /// Parts of the synapse model of a projection; none when it does not learn.
    pub fn plastic(&self, projection: u32) -> &ModelScope {
        let synapse = self.plastic.get(&projection);
        synapse.map_or(&self.none, |m| self.synapse(*m))
    }

    pub fn add_model(&mut self, m: &Model) {
        self.models.push(&m.name);
        self.parts.push(ModelScope::of(m));
    }

    pub fn add_group(&mut self, g: &Group) {
        self.groups.push(&g.name);
        self.model_of.push(match g.kind {
            GroupKind::Units { model, .. } => Some(model),
            GroupKind::External => None,
        });
    }

    pub fn add_projection(&mut self, p: &Projection) {
        self.projections.push(&p.name);
    }

    /// Parts of a model; none when it is not there.
    pub fn model(&self, model: u32) -> &ModelScope {
        self.parts.get(model as usize).unwrap_or(&self.none)
    }

    /// Parts of the model of a group; none for external groups.
    pub fn group(&self, group: u32) -> &ModelScope {
        let model = self.model_of.get(group as usize).copied().flatten();
        model.map_or(&self.none, |m| self.model(m))
    }
}
