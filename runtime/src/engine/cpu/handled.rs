//! Ports with handlers: what falls due at a tile's ports, collected from its pieces and lessons, and handled in order.
//!
//! In: the histories and calendars of a worker. Out: its states after all handlers of a step ran.

use super::learn::{Lent, Now};
use super::ordered;
use super::pieces::{Form, Timing};
use super::plan::{Code, Plan, Tile};
use super::units::{Memory, Ports, Ready};
use super::worker::Worker;

impl Worker {
    /// Events at ports with handlers.
    pub(super) fn handle(&mut self, plan: &Plan, tile: &Tile, code: &Code, step: u32, at: usize) {
        if code.handlers.is_empty() {
            return;
        }
        self.events.clear();
        self.brought.clear();
        for (index, piece) in tile.pieces.iter().enumerate().filter(|(_, p)| p.handled) {
            if let Form::Learnt(k) = piece.form {
                self.hand_over(plan, (index, k), step);
                continue;
            }
            let from = &plan.tiles[piece.source];
            let place = (from.group as u32, from.start);
            match piece.timing {
                Timing::After(delay) => {
                    let Some(then) = step.checked_sub(delay as u32) else {
                        continue;
                    };
                    let list = self.history[piece.source].list(then);
                    let range = list.within(piece.first, piece.count);
                    let which = (index, piece);
                    ordered::collect(&mut self.events, which, place, list, range, piece.first);
                }
                _ => {
                    let Some(calendar) = &mut self.units[at].calendars[index] else {
                        continue;
                    };
                    calendar.take(step, &mut self.due);
                    let range = 0..self.due.units.len();
                    ordered::collect(&mut self.events, (index, piece), place, &self.due, range, 0);
                    self.due.clear();
                }
            }
        }
        ordered::sort(&mut self.events);
        let units = &mut self.units[at];
        let mut mem = Memory {
            params: &code.params,
            state: &mut units.state,
            ports: Ports {
                arenas: &self.arenas,
                slots: &tile.slots,
                len: tile.len as usize,
            },
            start: tile.start,
        };
        let mut last = u16::MAX;
        for &event in &self.events {
            let piece = &tile.pieces[event.piece as usize];
            let Some((port, kernel)) = code.handlers.iter().find(|h| h.0 == piece.port) else {
                continue;
            };
            if *port != last {
                kernel.scalars(step, &mut self.scalars);
                last = *port;
            }
            let ready = Ready {
                kernel,
                scalars: &self.scalars,
            };
            let core = &mut self.core;
            self.counters.synaptic_events += match piece.form {
                Form::Learnt(_) => {
                    let synapses = &self.brought[event.run as usize];
                    ordered::handle_each(core, ready, &mut mem, synapses)
                }
                _ => ordered::handle(core, ready, &mut mem, piece, event, &mut self.args),
            };
        }
    }

    /// Collects what falls due of a lesson at a port with a handler.
    fn hand_over(&mut self, plan: &Plan, (index, k): (usize, usize), step: u32) {
        let lesson = &plan.sequence.lessons[self.me][k];
        let now = Now::new(&plan.program, lesson, step, self.sample);
        let mut lent = Lent::new(&mut self.core, plan, &self.units, &self.place);
        let learner = &mut self.learners[k];
        learner.arrive(now, &self.history, &mut lent);
        let first = self.brought.len() as u32;
        for d in learner.due().to_vec() {
            let mut synapses = vec![];
            learner.bring(now, &mut lent, d, &mut synapses);
            self.brought.push(synapses);
        }
        learner.arrived_early(now, &mut lent);
        let group = now.pr.source;
        ordered::learnt(&mut self.events, (index, group, step), learner.due(), first);
    }
}
