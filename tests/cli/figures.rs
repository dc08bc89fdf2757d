//! Width, resolution, formats and sheets of figures, as a user asks for them.

use super::{TWO_DIRECTIONS, succeeds, text, twinscope};

#[test]
fn figures_have_the_width_the_resolution_and_the_formats_that_were_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, out) = (folder.path().join("p.toml"), folder.path().join("out"));
    std::fs::write(&file, TWO_DIRECTIONS).expect("a writable folder");
    let run = ["run", text(&file), "--out", text(&out), "--device", "cpu"];
    let style = ["--width", "89", "--dpi", "100", "--format", "png,pdf", "--sheet", "traces,heat_map"];
    let printed = succeeds(&[&run[..], &style].concat());
    // 89 mm at 100 dots per inch.
    for figure in ["heat_map", "traces", "summary", "sheet"] {
        let path = out.join(figure).with_extension("png");
        assert_eq!(image::image_dimensions(&path).map(|size| size.0).ok(), Some(350), "{figure}: {printed}");
        let pdf = std::fs::read(path.with_extension("pdf")).expect("written");
        assert!(pdf.starts_with(b"%PDF-1."), "{figure}");
        assert!(!path.with_extension("svg").exists(), "{figure} was not asked for as SVG");
        let numbers = std::fs::read_to_string(out.join(format!("{figure}_numbers.csv"))).expect("written");
        assert!(numbers.starts_with("panel,series,x_label,x,y_label,y,low,high,n\n"), "{figure}: {numbers}");
        assert!(printed.contains(&format!("{figure}_numbers.csv")), "{printed}");
    }
    // The outcome's own table of that name is another one.
    let table = std::fs::read_to_string(out.join("tuning.csv")).expect("written");
    assert!(table.lines().next().is_some_and(|line| line.contains("direction_deg")), "{table}");
}

#[test]
fn what_no_figure_can_be_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = text(folder.path()).to_owned() + "/out";
    for (option, value, expected) in [
        ("--width", "120", "expected 89 (one column) or 183 (a page), in mm"),
        ("--format", "png,eps", "expected png, svg or pdf"),
        ("--dpi", "20", "72..=1200"),
        ("--sheet", "traces,tunes", "expected one of direction_tuning, traces"),
    ] {
        let output = twinscope(&["run", "p.toml", "--out", &out, option, value]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{option} {value}: {said}");
    }
    assert!(!std::path::Path::new(&out).exists());
}
