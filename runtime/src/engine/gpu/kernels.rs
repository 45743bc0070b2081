//! The kernels of a stepped program, bound to a lot's buffers, and the dispatches of a step.

use super::blocks::{Blocks, Call};
use super::device::Shared;
use super::lot::{Lot, Ready};
use synfire_ir::Diagnostic;
use synfire_ir::program::Program;
use synfire_kernels::wgsl::{self, Buffer};

/// See the module.
pub(super) struct Kernels {
    begin: Ready,
    deliver: Ready,
    gather: Option<Ready>,
    update: Ready,
}

/// Bind groups of a lot.
pub(super) struct Bound {
    begin: wgpu::BindGroup,
    deliver: Vec<wgpu::BindGroup>,
    gather: Option<wgpu::BindGroup>,
    update: wgpu::BindGroup,
}

impl Kernels {
    /// Compiles the kernels of a program, or takes them from the store.
    pub fn new(p: &Program, s: &Shared, parallel: bool, gathers: bool) -> Result<Self, Diagnostic> {
        let texts = wgsl::kernels(p, parallel);
        Ok(Kernels {
            begin: Ready::new(s, &texts.begin)?,
            deliver: Ready::new(s, &texts.deliver)?,
            gather: gathers.then(|| Ready::new(s, &texts.gather)).transpose()?,
            update: Ready::new(s, &texts.update)?,
        })
    }

    /// Binds the buffers of a lot, and of the shards (row pointers, synapses).
    pub fn bind(&self, s: &Shared, lot: &mut Lot, shards: &[[wgpu::Buffer; 2]]) -> Bound {
        let all = &mut lot.buffers;
        let deliver = shards
            .iter()
            .map(|[rows, synapses]| {
                all.insert(Buffer::Rows, rows.clone());
                all.insert(Buffer::Synapses, synapses.clone());
                self.deliver.bind(s, all)
            })
            .collect();
        Bound {
            begin: self.begin.bind(s, all),
            deliver,
            gather: self.gather.as_ref().map(|g| g.bind(s, all)),
            update: self.update.bind(s, all),
        }
    }

    /// Adds the dispatches of a step; `odd` says whether an odd number of steps went before.
    pub fn step(
        &self,
        pass: &mut wgpu::ComputePass,
        bound: &Bound,
        blocks: &Blocks,
        lot: &Lot,
        odd: usize,
    ) {
        type Pass<'a> = wgpu::ComputePass<'a>;
        let set = |pass: &mut Pass, ready: &Ready, group: &wgpu::BindGroup, block: u32| {
            pass.set_pipeline(&ready.pipeline.pipeline);
            pass.set_bind_group(0, group, &[block]);
        };
        for call in &blocks.calls {
            match *call {
                Call::Begin { blocks } => {
                    set(pass, &self.begin, &bound.begin, blocks[odd]);
                    pass.dispatch_workgroups(1, lot.samples, 1);
                }
                Call::Deliver { shard, block, args } => {
                    set(pass, &self.deliver, &bound.deliver[shard], block);
                    pass.dispatch_workgroups_indirect(lot.buffer(Buffer::Args), args[odd]);
                }
                Call::Gather { block, groups } => {
                    if let (Some(ready), Some(group)) = (&self.gather, &bound.gather) {
                        set(pass, ready, group, block);
                        pass.dispatch_workgroups(groups, lot.samples, 1);
                    }
                }
                Call::Update { block, groups } => {
                    set(pass, &self.update, &bound.update, block);
                    pass.dispatch_workgroups(groups, lot.samples, 1);
                }
            }
        }
    }
}
