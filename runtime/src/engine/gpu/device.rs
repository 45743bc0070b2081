//! The adapter and the device, opened once a process and shared by all engines.
//!
//! Opening a driver takes far longer than running a small network, and pipelines are cached with the device, so the
//! device lives until the process ends or the driver loses it; then the next engine opens another. Every limit asked
//! for is WebGPU's default, whatever the adapter could do, so that what runs here runs on any other adapter.
//!
//! Driver errors arrive in three ways, and all of them end as a [`Diagnostic`]: through error scopes around the work
//! ([`Shared::scoped`]), through the handler of uncaptured errors, and as the loss of the device.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synfire_ir::{Class, Diagnostic};

use super::pipelines::Pipelines;

/// How long one submission may take before the engine gives it up.
const PATIENCE: Duration = Duration::from_secs(120);

/// An adapter that could run programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// Name, as the driver gives it.
    pub name: String,
    /// API: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `cpu` (a software adapter) or `other`.
    pub device_type: String,
    /// Driver and its version.
    pub driver: String,
}

impl AdapterInfo {
    fn of(info: &wgpu::AdapterInfo) -> Self {
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "cpu",
            wgpu::DeviceType::Other => "other",
        };
        AdapterInfo {
            name: info.name.clone(),
            backend: info.backend.to_string(),
            device_type: kind.into(),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_string(),
        }
    }

    /// Is it a graphics processor, and not a program that pretends to be one?
    pub fn is_real(&self) -> bool {
        matches!(
            self.device_type.as_str(),
            "discrete" | "integrated" | "virtual"
        )
    }

    fn rank(&self) -> usize {
        ["discrete", "integrated", "virtual", "other"]
            .iter()
            .position(|k| *k == self.device_type)
            .unwrap_or(4)
    }
}

impl std::fmt::Display for AdapterInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let AdapterInfo {
            name,
            backend,
            device_type,
            driver,
        } = self;
        write!(f, "{name} ({device_type}, {backend}, {driver})")
    }
}

/// All adapters, the best first: discrete, integrated, virtual, other, software.
pub fn adapters() -> Vec<AdapterInfo> {
    found(&instance()).into_iter().map(|a| a.0).collect()
}

/// The adapter that `auto` may take: the best real one; `None` if all are software.
pub fn auto_adapter() -> Option<AdapterInfo> {
    adapters().into_iter().find(AdapterInfo::is_real)
}

fn instance() -> wgpu::Instance {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    desc.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // The arguments of indirect dispatches are bounded by the kernel that writes them; checking them again would add a
    // dispatch to each, and no kernel reads `num_workgroups`.
    desc.flags = wgpu::InstanceFlags::empty();
    wgpu::Instance::new(desc)
}

fn found(instance: &wgpu::Instance) -> Vec<(AdapterInfo, wgpu::Adapter)> {
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let mut list: Vec<_> = all
        .into_iter()
        .map(|a| (AdapterInfo::of(&a.get_info()), a))
        .collect();
    list.sort_by_key(|(info, _)| info.rank());
    list
}

/// What all engines of a process share.
pub(super) struct Shared {
    pub info: AdapterInfo,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub pipelines: Pipelines,
    lost: Arc<Mutex<Option<String>>>,
    stray: Arc<Mutex<Option<String>>>,
}

static OPENED: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// The device of this process, opened at the first call.
///
/// Errors: `SYN0810` without an adapter, `SYN0811` when the driver refuses.
pub(super) fn shared() -> Result<Arc<Shared>, Diagnostic> {
    let mut slot = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(s) = slot.as_ref()
        && s.lost().is_none()
    {
        return Ok(s.clone());
    }
    let opened = Arc::new(open()?);
    *slot = Some(opened.clone());
    Ok(opened)
}

/// The first adapter in the order of [`adapters`] whose name holds `wanted`.
fn choose(
    list: Vec<(AdapterInfo, wgpu::Adapter)>,
    wanted: &str,
) -> Result<(AdapterInfo, wgpu::Adapter), Diagnostic> {
    let names: Vec<String> = list.iter().map(|a| a.0.to_string()).collect();
    let wanted = wanted.to_lowercase();
    let chosen = list
        .into_iter()
        .find(|(info, _)| info.name.to_lowercase().contains(&wanted));
    chosen.ok_or_else(|| {
        let none = Diagnostic::error("SYN0810", "no GPU adapter was found").class(Class::Device);
        if names.is_empty() {
            none.note("neither Vulkan, Metal nor Direct3D 12 offers a device on this machine")
                .hint(
                    "install a driver; on Debian and Ubuntu the package `mesa-vulkan-drivers` brings one for most cards \
                     and a software adapter",
                )
                .hint("or run on the processor: `--engine cpu`")
        } else {
            none.note(format!(
                "WGPU_ADAPTER_NAME asks for `{wanted}`; there are: {}",
                names.join("; ")
            ))
            .hint("unset WGPU_ADAPTER_NAME, or set it to a part of one of these names")
        }
    })
}

/// Opens a device of the best adapter, or of the one that `WGPU_ADAPTER_NAME` names.
pub(super) fn open() -> Result<Shared, Diagnostic> {
    let wanted = std::env::var("WGPU_ADAPTER_NAME").unwrap_or_default();
    let (info, adapter) = choose(found(&instance()), &wanted)?;
    let asked = adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("synfire"),
        required_features: wgpu::Features::empty(),
        required_limits: wgpu::Limits::defaults(),
        ..Default::default()
    });
    let (device, queue) = pollster::block_on(asked).map_err(|e| {
        Diagnostic::error("SYN0811", format!("{info} gives no device"))
            .class(Class::Device)
            .note(e.to_string())
            .hint("update the driver, choose another adapter with WGPU_ADAPTER_NAME, or run with `--engine cpu`")
    })?;
    let lost = Arc::new(Mutex::new(None));
    let stray = Arc::new(Mutex::new(None));
    let (on_lost, on_stray) = (lost.clone(), stray.clone());
    device.set_device_lost_callback(move |reason, text| {
        keep(&on_lost, format!("{reason:?}: {text}"));
    });
    device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
        keep(&on_stray, e.to_string());
    }));
    Ok(Shared {
        info,
        device,
        queue,
        pipelines: Pipelines::default(),
        lost,
        stray,
    })
}

/// Keeps the first message: the later ones follow from it.
fn keep(slot: &Mutex<Option<String>>, text: String) {
    slot.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(text);
}

impl Shared {
    /// Makes the device as if a driver had reset it.
    #[cfg(test)]
    pub fn lose(&self) {
        self.device.destroy();
    }

    fn lost(&self) -> Option<String> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs `work` with every driver error of this thread caught: those of validation, memory and the driver itself.
    pub fn scoped<T>(
        &self,
        what: &str,
        work: impl FnOnce() -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let scopes = [
            wgpu::ErrorFilter::OutOfMemory,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::Validation,
        ]
        .map(|f| self.device.push_error_scope(f));
        let done = work();
        let mut error = None;
        for scope in scopes.into_iter().rev() {
            let popped = pollster::block_on(scope.pop());
            error = error.or(popped);
        }
        self.healthy()?;
        match error {
            Some(e) => Err(self.failed(what, &e)),
            None => done,
        }
    }

    fn failed(&self, what: &str, e: &wgpu::Error) -> Diagnostic {
        let text = e.to_string();
        if matches!(e, wgpu::Error::OutOfMemory { .. }) {
            return Diagnostic::error(
                "SYN0812",
                format!("{} is out of memory while {what}", self.info),
            )
            .class(Class::Device)
            .note(text)
            .hint("run fewer samples at once, record less, or run with `--engine cpu`");
        }
        Diagnostic::error("SYN0813", format!("{} failed while {what}", self.info))
            .class(Class::Device)
            .note(text)
            .hint("this is a defect of the driver or of Synfire: please report it; `--engine cpu` runs the same program")
    }

    /// Is the device still there, and without an error that nobody caught?
    pub fn healthy(&self) -> Result<(), Diagnostic> {
        if let Some(why) = self.lost() {
            return Err(Diagnostic::error(
                "SYN0814",
                format!("the device {} was lost", self.info),
            )
            .class(Class::Device)
            .note(why)
            .hint("a driver resets a device that does not answer in time; run again, with fewer samples if it returns"));
        }
        let stray = self
            .stray
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match stray {
            None => Ok(()),
            Some(text) => Err(
                Diagnostic::error("SYN0813", format!("{} failed", self.info))
                    .class(Class::Device)
                    .note(text)
                    .hint("this is a defect of the driver or of Synfire: please report it; `--engine cpu` runs the same program"),
            ),
        }
    }

    /// Waits until a submission is done.
    pub fn wait(&self, index: wgpu::SubmissionIndex) -> Result<(), Diagnostic> {
        let polled = self.device.poll(wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: Some(PATIENCE),
        });
        if polled.is_err() {
            // A loss is told when the device is next looked at.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        self.healthy()?;
        polled.map(|_| ()).map_err(|e| {
            Diagnostic::error("SYN0815", format!("{} does not answer", self.info))
                .class(Class::Device)
                .note(format!("waited {} s: {e}", PATIENCE.as_secs()))
                .hint("run fewer samples at once, or run with `--engine cpu`")
        })
    }
}
