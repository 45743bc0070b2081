//! Compiled pipelines by their text: two networks of the same models share them.
//!
//! Compiling takes tens of milliseconds, more than many a run, so texts hold no number of the network (those are in
//! tables), and what was compiled stays for the process. The store is emptied when it has grown large, which costs only time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Pipelines kept at most.
const KEEP: usize = 512;

/// A compute pipeline and the layout of its one bind group.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// What a binding of a kernel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    /// Uniform buffer of 256-byte blocks, one chosen by a dynamic offset.
    Block,
    /// Storage, read only.
    Read,
    /// Storage, read and written.
    Write,
}

type ByBindings = HashMap<Vec<(u32, Access)>, Arc<Pipeline>>;

/// The store.
#[derive(Default)]
pub(super) struct Pipelines(Mutex<HashMap<String, ByBindings>>);

impl Pipelines {
    /// The pipeline of entry point `main` of `text` over bindings `(number, access)` of group 0, if it was compiled before.
    pub fn get(&self, text: &str, bindings: &[(u32, Access)]) -> Option<Arc<Pipeline>> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(text)?.get(bindings).cloned()
    }

    /// Keeps a pipeline that compiled without an error.
    pub fn keep(&self, text: &str, bindings: &[(u32, Access)], made: &Arc<Pipeline>) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= KEEP {
            map.clear();
        }
        map.entry(text.to_string())
            .or_default()
            .insert(bindings.to_vec(), made.clone());
    }
}

/// Compiles entry point `main` of a text. Errors of the driver go to the caller's scope.
pub(super) fn compile(device: &wgpu::Device, text: &str, bindings: &[(u32, Access)]) -> Pipeline {
    let entries: Vec<_> = bindings.iter().map(|&(n, a)| entry(n, a)).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let whole = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: Some(&whole),
        module: &module,
        entry_point: Some("main"),
        // Kernels write their workgroup memory before they read it.
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { pipeline, layout }
}

fn entry(binding: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: match access {
                Access::Block => wgpu::BufferBindingType::Uniform,
                Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
                Access::Write => wgpu::BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: access == Access::Block,
            min_binding_size: None,
        },
        count: None,
    }
}
