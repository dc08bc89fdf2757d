//! Which device is opened.

use twinscope::gpu::{ComputeDevice, DeviceChoice};

#[test]
fn choices_are_words() {
    for (word, choice) in [("auto", DeviceChoice::Auto), ("cpu", DeviceChoice::Cpu), ("gpu", DeviceChoice::Gpu)] {
        assert_eq!(word.parse::<DeviceChoice>().ok(), Some(choice));
        assert_eq!(choice.to_string(), word);
    }
    assert!("cuda".parse::<DeviceChoice>().is_err_and(|error| error.to_string().contains("`cuda`")));
}

#[test]
fn the_automatic_choice_never_takes_a_software_renderer() {
    let (device, line) = ComputeDevice::open(DeviceChoice::Auto).unwrap_or_else(|error| panic!("{error}"));
    assert!(!line.contains('\n') && !line.is_empty());
    assert!(device.gpu().is_none_or(|gpu| gpu.report().kind.is_hardware()), "{line}");
}

#[test]
fn without_a_driver_the_cpu_is_chosen_and_nothing_panics() {
    // Drivers are found through the environment, so this looks again from a process of its own.
    const CHILD: &str = "TWINSCOPE_TEST_WITHOUT_DRIVER";
    if std::env::var_os(CHILD).is_some() {
        let (device, line) = ComputeDevice::open(DeviceChoice::Auto).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(device, ComputeDevice::Cpu), "{line}");
        assert_eq!(line, "CPU engine: no graphics adapter was found");
        assert!(ComputeDevice::open(DeviceChoice::Gpu).is_err_and(|e| e.to_string().contains("no graphics adapter")));
        return;
    }
    let name = "device::without_a_driver_the_cpu_is_chosen_and_nothing_panics";
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .env("VK_DRIVER_FILES", "/nowhere/icd.json")
        .env("VK_ICD_FILENAMES", "/nowhere/icd.json")
        .output()
        .expect("the test binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}
