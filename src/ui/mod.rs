//! The window: panels that read the workbench and return what should be done.
//!
//! A panel is one file in `panels/` and one line in [`panels::all`]; [`App`] is the one place that carries actions
//! out. Colours and distances come from [`theme`].

mod app;
mod dialogs;
mod order;
pub mod panels;
pub mod theme;
mod tuned;
mod view;
pub mod widgets;

pub use app::App;
pub use view::{Action, Ask, Columns, CompareKey, Dialog, SortKey, SpikeTool, ThemeChoice, View, Workspace};

use eframe::egui;

use crate::gpu::{ComputeDevice, DeviceChoice};
use crate::model::weights;
use crate::workbench::{Compute, Workbench};

/// Identifies the program to the desktop and names the folder of its settings.
const APP_ID: &str = "twinscope";

/// Opens the window and returns when it is closed. It draws on the graphics adapter that computes, when there is one.
/// A device that is named here counts, else the one of the last time.
///
/// # Errors
/// When there is no display, no way to draw, or the device that was named cannot be had.
pub fn run(named: Option<DeviceChoice>) -> anyhow::Result<()> {
    let choice = named.unwrap_or_default();
    let (device, line) = ComputeDevice::open(choice)?;
    let setup = device.gpu().map(|gpu| gpu.egui_setup());
    let compute = Compute::with_twins().with_device(choice, device, line);
    let bench = Workbench::new(weights::builtin(), compute)?;
    let mut options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id(APP_ID)
            .with_title("twinscope")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([960.0, 620.0])
            .with_drag_and_drop(true),
        ..Default::default()
    };
    if let Some(setup) = setup {
        options.wgpu_options.wgpu_setup = setup;
    }
    eframe::run_native(APP_ID, options, Box::new(move |context| Ok(Box::new(App::new(bench, named, context)))))
        .map_err(|error| anyhow::anyhow!("the window could not be opened: {error}"))
}
