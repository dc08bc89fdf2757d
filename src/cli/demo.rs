//! The demonstration: two runs of the built-in twin.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use super::figure::{FigureArguments, SheetArgument};
use super::run::{NpzArgument, Output};
use super::{DeviceArgument, run, say};
use crate::experiment::Protocol;
use crate::gpu::{ComputeDevice, DeviceChoice};
use crate::model::weights;

/// The window where there is a display, else the demonstration.
pub fn window_or_demo(
    window: impl FnOnce(Option<DeviceChoice>) -> Result<()>,
    device: Option<DeviceChoice>,
) -> Result<()> {
    if has_display() {
        match window(device) {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("The window could not be opened ({error:#}); running the demonstration instead."),
        }
    } else {
        say("No display was found: running the demonstration without a window.")?;
    }
    let device = DeviceArgument { device: device.unwrap_or_default() }.open()?;
    demo(Path::new("twinscope-demo"), &device, &FigureArguments::default())
}

/// Only Linux and the BSDs run without a desktop and say so.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", target_os = "windows")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Direction tuning of the built-in twin to gratings and to moving dots.
pub fn demo(out: &Path, device: &ComputeDevice, figures: &FigureArguments) -> Result<()> {
    let twin = Arc::new(weights::builtin());
    say(format_args!("{} ({} units): {}", twin.card.name, twin.units.len(), twin.card.note))?;
    for (name, text) in [
        ("gratings", include_str!("../../assets/protocols/direction_grating.toml")),
        ("dots", include_str!("../../assets/protocols/direction_dots.toml")),
    ] {
        let protocol = Protocol::from_toml(text, &format!("{name}.toml"))?;
        let folder = out.join(name);
        let output = Output { folder: &folder, figures, sheet: &SheetArgument::default(), npz: NpzArgument::default() };
        run::run(&protocol, twin.clone(), device, &output, None)?;
    }
    Ok(())
}
