//! The kernels of a stepped program, bound to a lot's buffers, and the dispatches of a step.

use super::blocks::{Blocks, Call, Learn, Size, When};
use super::device::Shared;
use super::lot::{Lot, Ready};
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::program::Program;
use synfire_kernels::wgsl::learn::learning;
use synfire_kernels::wgsl::{self, Buffer, Form, Kernel};

/// See the module.
pub(super) struct Kernels {
    begin: Ready,
    deliver: Ready,
    deliver_alone: Option<Ready>,
    gather: Option<Ready>,
    update: Ready,
    /// Does one invocation begin the step of a sample?
    begin_alone: bool,
    /// Samples that an invocation of the update takes.
    share: u32,
    /// For each lesson and kind that it needs: index by the calls.
    learn: BTreeMap<(usize, u8), Ready>,
}

/// Buffers of a shard, or of a lesson: rows, synapses, and of a lesson its synapses by target.
pub(super) type Parts = Vec<(Buffer, wgpu::Buffer)>;

/// Bind groups of a lot.
pub(super) struct Bound {
    begin: wgpu::BindGroup,
    deliver: Vec<wgpu::BindGroup>,
    deliver_alone: Vec<wgpu::BindGroup>,
    gather: Option<wgpu::BindGroup>,
    update: wgpu::BindGroup,
    learn: BTreeMap<(usize, u8), wgpu::BindGroup>,
}

/// What a step is about: its number, whether an odd number of steps went before, and the most events of one external unit in a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub step: u32,
    pub odd: usize,
    pub repeats: u32,
}

impl When {
    /// Does the call belong to that step?
    fn holds(self, now: Now) -> bool {
        match self {
            When::Always => true,
            When::Every(n) => (u64::from(now.step) + 1).is_multiple_of(n.into()),
            When::Repeats(n) => n < now.repeats,
        }
    }
}

/// The kernels of the lessons that the calls of a step name.
fn lessons(
    p: &Program,
    s: &Shared,
    blocks: &Blocks,
) -> Result<BTreeMap<(usize, u8), Ready>, Diagnostic> {
    let mut texts = BTreeMap::new();
    let mut out = BTreeMap::new();
    for call in &blocks.calls {
        let Call::Learn { lesson, what, .. } = *call else {
            continue;
        };
        let key = (lesson, what as u8);
        if out.contains_key(&key) {
            continue;
        }
        let n = p.plastic[lesson].synapse;
        let k = texts
            .entry(n)
            .or_insert_with(|| learning(p, &p.synapse_models[n as usize]));
        let kernel: &Kernel = match what {
            Learn::Deliver => &k.deliver,
            Learn::Offer => &k.offer,
            Learn::Modulate => &k.modulate,
            Learn::Pre => &k.pre,
            Learn::Targets => &k.targets,
            Learn::Every => &k.every,
            Learn::Probe => &k.probe,
        };
        out.insert(key, Ready::new(s, kernel)?);
    }
    Ok(out)
}

impl Kernels {
    /// Compiles the kernels of a program, or takes them from the store.
    pub fn new(
        p: &Program,
        s: &Shared,
        form: Form,
        blocks: &Blocks,
        share: u32,
    ) -> Result<Self, Diagnostic> {
        let texts = wgsl::kernels(p, form);
        let gathers = (blocks.calls.iter()).any(|c| matches!(c, Call::Gather { .. }));
        let alone = (blocks.calls.iter()).any(|c| matches!(c, Call::DeliverAlone { .. }));
        let optional = |needed: bool, k: &Kernel| needed.then(|| Ready::new(s, k)).transpose();
        Ok(Kernels {
            learn: lessons(p, s, blocks)?,
            begin_alone: form.begin_alone,
            share,
            begin: Ready::new(s, &texts.begin)?,
            deliver: Ready::new(s, &texts.deliver)?,
            deliver_alone: optional(alone, &texts.deliver_alone)?,
            gather: optional(gathers, &texts.gather)?,
            update: Ready::new(s, &texts.update)?,
        })
    }

    /// Binds the buffers of a lot, of the shards and of the lessons.
    pub fn bind(&self, s: &Shared, lot: &mut Lot, shards: &[Parts], lessons: &[Parts]) -> Bound {
        let all = &mut lot.buffers;
        let (mut deliver, mut deliver_alone) = (vec![], vec![]);
        for parts in shards {
            all.extend(parts.iter().cloned());
            deliver.push(self.deliver.bind(s, all));
            deliver_alone.extend(self.deliver_alone.as_ref().map(|k| k.bind(s, all)));
        }
        let learn = (self.learn.iter())
            .map(|(&key, ready)| {
                all.extend(lessons[key.0].iter().cloned());
                all.insert(Buffer::Learned, lot.learned[key.0].clone());
                (key, ready.bind(s, all))
            })
            .collect();
        Bound {
            learn,
            begin: self.begin.bind(s, all),
            deliver,
            deliver_alone,
            gather: self.gather.as_ref().map(|g| g.bind(s, all)),
            update: self.update.bind(s, all),
        }
    }

    /// Adds the dispatches of a step, and gives their number.
    pub fn step(
        &self,
        pass: &mut wgpu::ComputePass,
        bound: &Bound,
        blocks: &Blocks,
        lot: &Lot,
        now: Now,
    ) -> u64 {
        type Pass<'a> = wgpu::ComputePass<'a>;
        let set = |pass: &mut Pass, ready: &Ready, group: &wgpu::BindGroup, block: u32| {
            pass.set_pipeline(&ready.pipeline.pipeline);
            pass.set_bind_group(0, group, &[block]);
        };
        let odd = now.odd;
        let mut calls = 0;
        for call in &blocks.calls {
            match *call {
                Call::Learn { when, .. } if !when.holds(now) => continue,
                Call::Learn {
                    lesson,
                    what,
                    block,
                    size,
                    ..
                } => {
                    let key = (lesson, what as u8);
                    let (Some(ready), Some(group)) = (self.learn.get(&key), bound.learn.get(&key))
                    else {
                        continue;
                    };
                    set(pass, ready, group, block);
                    match size {
                        Size::Fixed(x, z) => pass.dispatch_workgroups(x, lot.samples, z),
                        Size::Args(args) => {
                            pass.dispatch_workgroups_indirect(lot.buffer(Buffer::Args), args[odd]);
                        }
                    }
                }
                Call::Begin { blocks } => {
                    set(pass, &self.begin, &bound.begin, blocks[odd]);
                    match self.begin_alone {
                        true => pass.dispatch_workgroups(lot.samples.div_ceil(64), 1, 1),
                        false => pass.dispatch_workgroups(1, lot.samples, 1),
                    }
                }
                Call::Deliver { shard, block, args } => {
                    set(pass, &self.deliver, &bound.deliver[shard], block);
                    pass.dispatch_workgroups_indirect(lot.buffer(Buffer::Args), args[odd]);
                }
                Call::DeliverAlone { shard, block } => {
                    if let Some(ready) = &self.deliver_alone {
                        set(pass, ready, &bound.deliver_alone[shard], block);
                        pass.dispatch_workgroups(lot.samples.div_ceil(8), 1, 1);
                    }
                }
                Call::Gather { block, groups } => {
                    if let (Some(ready), Some(group)) = (&self.gather, &bound.gather) {
                        set(pass, ready, group, block);
                        pass.dispatch_workgroups(groups, lot.samples, 1);
                    }
                }
                Call::Update { block, groups } => {
                    set(pass, &self.update, &bound.update, block);
                    pass.dispatch_workgroups(groups, lot.samples.div_ceil(self.share), 1);
                }
            }
            calls += 1;
        }
        calls
    }
}
