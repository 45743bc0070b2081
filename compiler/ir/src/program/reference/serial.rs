//! Programs that run one event after another: see [`Serial`].

use super::Reference;
use crate::eval::run_block;
use crate::model::Block;
use crate::program::{Discipline, GroupKind, Layout, Serial, SerialEvent};
use std::collections::VecDeque;

impl Reference<'_> {
    /// One step of a serial program with the given events; spikes go to [`Self::out`].
    pub fn serial_step(&mut self, given: &[SerialEvent]) {
        let Discipline::Serial(s) = &self.p.discipline else {
            return;
        };
        let mut events: Vec<SerialEvent> = vec![];
        if s.sorted {
            let mut rows = self.due.remove(&self.step).unwrap_or_default();
            rows.extend(given.iter().filter_map(|e| match e {
                SerialEvent::Row { pre } => Some(*pre),
                _ => None,
            }));
            rows.sort_unstable();
            events.extend(rows.into_iter().map(|pre| SerialEvent::Row { pre }));
            events.extend(
                given
                    .iter()
                    .filter(|e| !matches!(e, SerialEvent::Row { .. })),
            );
        } else {
            events.extend(given);
        }
        events.extend(&s.tail);
        for e in events {
            self.drain(s, e);
        }
        self.step += 1;
    }

    fn drain(&mut self, s: &Serial, event: SerialEvent) {
        let mut queue = VecDeque::new();
        match event {
            SerialEvent::Row { .. } | SerialEvent::Direct { queued: true, .. } => {
                queue.push_back(event)
            }
            _ => self.process(s, event, &mut queue),
        }
        while let Some(&head) = queue.front() {
            self.process(s, head, &mut queue);
            queue.pop_front();
        }
    }

    fn process(&mut self, s: &Serial, event: SerialEvent, queue: &mut VecDeque<SerialEvent>) {
        let pr = &self.p.projections[s.matrix as usize];
        let m = self.p.model_of(s.group).expect("checked");
        match event {
            SerialEvent::Row { pre } => {
                if s.popped {
                    self.out.push((self.step, pre));
                }
                let Layout::Dense { weights, .. } = &pr.layout else {
                    return;
                };
                let block = &m.handler(pr.port).expect("checked").block;
                for t in 0..pr.target_range.len {
                    let w = weights.bits(pre as usize * pr.target_range.len as usize + t as usize);
                    self.visit_unit(s, block, pr.target_range.start + t, w, queue);
                }
            }
            SerialEvent::Direct {
                port,
                value,
                first,
                last,
                ..
            } => {
                let block = &m.handler(port).expect("checked").block;
                (first..=last).for_each(|i| self.visit_unit(s, block, i, value as u32, queue));
            }
            SerialEvent::Step { first, last } => {
                (first..=last).for_each(|i| self.visit_unit(s, &m.step, i, 0, queue));
            }
        }
    }

    fn visit_unit(
        &mut self,
        s: &Serial,
        block: &Block,
        i: u32,
        arg: u32,
        queue: &mut VecDeque<SerialEvent>,
    ) {
        let group = &self.p.groups[s.group as usize];
        let GroupKind::Units { params, .. } = &group.kind else {
            return;
        };
        let mut values = vec![];
        let u = self.unit(
            params,
            &self.state[s.group as usize],
            &[],
            i as usize,
            arg,
            group.base,
        );
        run_block(block, &u, &mut values);
        for &(st, v) in &block.stores {
            self.state[s.group as usize][st as usize][i as usize] = values[v as usize];
        }
        if block.emit.is_none_or(|v| values[v as usize] == 0) {
            return;
        }
        if !s.popped {
            self.out.push((self.step, i));
        }
        for l in s.loopback.iter().filter(|l| l.unit == i) {
            self.due
                .entry(self.step + l.delay as u32)
                .or_default()
                .push(l.pre);
        }
        if s.closed_loop {
            if queue.len() < s.capacity as usize {
                queue.push_back(SerialEvent::Row { pre: i });
            } else {
                self.lost += 1;
            }
        }
    }
}
