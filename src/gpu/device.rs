//! Which machine computes: a graphics card through wgpu, shared by the network, the stimuli and the window, or our
//! own engine on the CPU.
//!
//! burn keeps one runtime per device for the whole process and cannot take it back, so the GPU is opened once and the
//! same handles are returned ever after.

use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, Tensor, TensorData};
use eframe::egui_wgpu;

/// What the user asks to compute on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A hardware GPU when there is one that works, else the CPU.
    #[default]
    Auto,
    /// Our engine on the CPU.
    Cpu,
    /// Whatever graphics adapter there is, even one that is drawn by software.
    Gpu,
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            other => Err(DeviceError::UnknownChoice(other.to_owned())),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        })
    }
}

/// Why no device could be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Not a word that names a device.
    #[error("`{0}` is no device: choose auto, cpu or gpu")]
    UnknownChoice(String),
    /// A GPU was demanded where there is none.
    #[error(
        "no graphics adapter was found: install a Vulkan driver (on Debian `libvulkan1` and the driver of the card, or \
         `mesa-vulkan-drivers`), or choose the CPU"
    )]
    NoAdapter,
    /// The driver refused.
    #[error("the graphics adapter could not be opened: {0}; choose the CPU to go on without it")]
    Refused(String),
    /// The driver accepted, but computed nothing or nonsense.
    #[error("{adapter} was opened, but a sum computed on it failed ({found}); choose the CPU to go on without it")]
    Broken {
        /// Name of the adapter.
        adapter: String,
        /// What came back.
        found: String,
    },
}

/// What kind of machine an adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterKind {
    /// A card with its own memory.
    Discrete,
    /// Part of the processor.
    Integrated,
    /// A share of a card, handed to a virtual machine.
    Virtual,
    /// Hardware of an unnamed kind.
    Other,
    /// A program on the CPU that behaves like a card, such as lavapipe: correct, but slower than our own CPU engine.
    Software,
}

impl AdapterKind {
    fn of(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Other => Self::Other,
            wgpu::DeviceType::Cpu => Self::Software,
        }
    }

    /// Whether `auto` may choose it.
    pub fn is_hardware(self) -> bool {
        matches!(self, Self::Discrete | Self::Integrated | Self::Virtual)
    }
}

impl std::fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "other adapter",
            Self::Software => "software renderer",
        })
    }
}

/// One graphics adapter of this machine, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterReport {
    /// Name that the driver gives.
    pub name: String,
    /// Graphics interface: `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// Kind of machine.
    pub kind: AdapterKind,
    /// Driver and its version.
    pub driver: String,
}

impl AdapterReport {
    fn of(info: &wgpu::AdapterInfo) -> Self {
        Self {
            name: info.name.clone(),
            backend: info.backend.to_str().to_owned(),
            kind: AdapterKind::of(info.device_type),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        }
    }
}

impl std::fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

/// Interfaces that can run our kernels. OpenGL is left out: it lacks the 64-bit integers of burn's kernels.
const BACKENDS: [(wgpu::Backend, WgpuBackend); 3] = [
    (wgpu::Backend::Vulkan, WgpuBackend::Vulkan),
    (wgpu::Backend::Metal, WgpuBackend::Metal),
    (wgpu::Backend::Dx12, WgpuBackend::Dx12),
];

/// The first attempt to open the GPU. The lock is also held while adapters are listed: some Vulkan loaders crash when
/// instances come and go on several threads.
static OPENED: Mutex<Option<Result<Gpu, DeviceError>>> = Mutex::new(None);

fn opened() -> MutexGuard<'static, Option<Result<Gpu, DeviceError>>> {
    // A panic elsewhere leaves either nothing or a whole device behind: both are fine to go on with.
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All adapters that could compute, best kind first; empty when the machine has no driver at all.
pub fn adapters() -> Vec<AdapterReport> {
    let _no_other_instance = opened();
    list_adapters().iter().map(AdapterReport::of).collect()
}

fn list_adapters() -> Vec<wgpu::AdapterInfo> {
    let wanted =
        BACKENDS.iter().fold(wgpu::Backends::empty(), |all, (backend, _)| all | wgpu::Backends::from(*backend));
    let enabled = wanted & wgpu::Instance::enabled_backend_features();
    if enabled.is_empty() {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: enabled,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = cubecl::future::block_on(instance.enumerate_adapters(enabled));
    let mut infos: Vec<_> = found.iter().map(wgpu::Adapter::get_info).collect();
    infos.sort_by_key(|info| match AdapterKind::of(info.device_type) {
        AdapterKind::Discrete => 0,
        AdapterKind::Integrated => 1,
        AdapterKind::Virtual => 2,
        AdapterKind::Other => 3,
        AdapterKind::Software => 4,
    });
    infos
}

/// What computes.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a program, and it is matched on everywhere")]
pub enum ComputeDevice {
    /// Our engine on the CPU.
    Cpu,
    /// A graphics adapter.
    Gpu(Gpu),
}

impl ComputeDevice {
    /// Opens a device, and says in one line which and why.
    ///
    /// # Errors
    /// Only when a GPU was demanded and none works; `auto` falls back to the CPU and says so.
    pub fn open(choice: DeviceChoice) -> Result<(Self, String), DeviceError> {
        match choice {
            DeviceChoice::Cpu => Ok((Self::Cpu, "CPU engine, as asked".to_owned())),
            DeviceChoice::Gpu => {
                let gpu = Gpu::open()?;
                let line = format!("GPU {}, as asked", gpu.report());
                Ok((Self::Gpu(gpu), line))
            }
            DeviceChoice::Auto => Ok(Self::automatic()),
        }
    }

    fn automatic() -> (Self, String) {
        let found = adapters();
        let Some(best) = found.first() else {
            return (Self::Cpu, "CPU engine: no graphics adapter was found".to_owned());
        };
        if !best.kind.is_hardware() {
            return (Self::Cpu, format!("CPU engine: the only graphics adapter is {best}"));
        }
        match Gpu::open() {
            Ok(gpu) if gpu.report().kind.is_hardware() => {
                let line = format!("GPU {}", gpu.report());
                (Self::Gpu(gpu), line)
            }
            Ok(gpu) => (Self::Cpu, format!("CPU engine: the driver offers only {}", gpu.report())),
            Err(error) => (Self::Cpu, format!("CPU engine: {error}")),
        }
    }

    /// The GPU, when it is one.
    pub fn gpu(&self) -> Option<&Gpu> {
        match self {
            Self::Cpu => None,
            Self::Gpu(gpu) => Some(gpu),
        }
    }

    /// Short name for provenance and status lines.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "CPU engine".to_owned(),
            Self::Gpu(gpu) => format!("GPU {}", gpu.report()),
        }
    }
}

/// One graphics device, shared by burn, our shaders and the window. Cloning copies handles.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// For burn's tensors.
    pub burn: Device,
    /// Where surfaces come from.
    pub instance: wgpu::Instance,
    /// The physical card.
    pub adapter: wgpu::Adapter,
    /// The logical device on which burn runs.
    pub device: wgpu::Device,
    /// The queue to which burn submits.
    pub queue: wgpu::Queue,
    /// Name, kind and driver.
    pub info: wgpu::AdapterInfo,
}

impl Gpu {
    /// The best adapter of this machine, also when it is a software renderer. The first call opens it, later ones
    /// return the same device, or the same error: burn registers a device once, even when it turns out not to work.
    ///
    /// # Errors
    /// When there is no adapter, its driver refuses, or it cannot add.
    pub fn open() -> Result<Self, DeviceError> {
        opened().get_or_insert_with(Self::open_first).clone()
    }

    fn open_first() -> Result<Self, DeviceError> {
        let best = list_adapters().into_iter().next().ok_or(DeviceError::NoAdapter)?;
        let backend = BACKENDS.iter().find(|(listed, _)| *listed == best.backend).map(|(_, backend)| *backend);
        let (burn, setup) = Device::wgpu_options()
            .graphics_api(backend.ok_or(DeviceError::NoAdapter)?)
            .init_with_setup()
            .map_err(|error| DeviceError::Refused(error.to_string()))?;
        let info = setup.adapter.get_info();
        let gpu = Self {
            burn,
            instance: setup.instance,
            adapter: setup.adapter,
            device: setup.device,
            queue: setup.queue,
            info,
        };
        gpu.check_sum()?;
        Ok(gpu)
    }

    /// Adds three numbers: a driver that compiles nothing shows it here and not in the middle of a run.
    fn check_sum(&self) -> Result<(), DeviceError> {
        let broken = |found: String| DeviceError::Broken { adapter: self.report().to_string(), found };
        let numbers = Tensor::<1>::from_data(TensorData::new(vec![1.0f32, 2.0, 3.0], [3]), &self.burn);
        let data = (numbers + 1.0).try_into_data().map_err(|error| broken(format!("{error:?}")))?;
        match data.try_to_vec::<f32>() {
            Ok(values) if values == [2.0, 3.0, 4.0] => Ok(()),
            other => Err(broken(format!("[1, 2, 3] + 1 gave {other:?}"))),
        }
    }

    /// The adapter in words.
    pub fn report(&self) -> AdapterReport {
        AdapterReport::of(&self.info)
    }

    /// For `eframe::NativeOptions`: the window draws on the same device, so that pictures need not be copied.
    pub fn egui_setup(&self) -> egui_wgpu::WgpuSetup {
        egui_wgpu::WgpuSetup::Existing(egui_wgpu::WgpuSetupExisting {
            instance: self.instance.clone(),
            adapter: self.adapter.clone(),
            device: self.device.clone(),
            queue: self.queue.clone(),
        })
    }
}
