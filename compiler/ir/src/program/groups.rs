//! Groups of a program under way: one after another, their units numbered through.

use super::{Group, GroupKind};

/// Groups so far; payloads of their events are whole numbers.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    list: Vec<Group>,
    base: u32,
}

impl Groups {
    /// Adds a group and gives its number.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        size: usize,
        phase: u16,
        kind: GroupKind,
    ) -> u32 {
        self.list.push(Group {
            name: name.into(),
            size: size as u32,
            phase,
            base: self.base,
            graded: false,
            kind,
        });
        self.base = self.base.saturating_add(size as u32);
        self.list.len() as u32 - 1
    }

    /// With a group more.
    pub fn and(
        mut self,
        name: impl Into<String>,
        size: usize,
        phase: u16,
        kind: GroupKind,
    ) -> Groups {
        self.add(name, size, phase, kind);
        self
    }

    /// All of them, for [`super::Program::groups`].
    pub fn list(self) -> Vec<Group> {
        self.list
    }
}
