use naga::valid::{Capabilities, ValidationFlags, Validator};
use twinscope::stimulus::SHADERS;

#[test]
fn every_shader_is_valid_without_a_gpu_and_without_extensions() {
    for shader in SHADERS {
        let (name, source) = (shader.stem, shader.source);
        let module = naga::front::wgsl::parse_str(source)
            .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
    }
}

#[test]
fn every_file_of_the_shader_folder_is_among_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    for file in [folder.clone(), folder.join("shared")].iter().flat_map(|f| std::fs::read_dir(f).expect("a folder")) {
        let path = file.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "wgsl") {
            let text = std::fs::read_to_string(&path).expect("a shader");
            assert!(SHADERS.iter().any(|shader| shader.source.contains(&text)), "{} is in no shader", path.display());
        }
    }
}

#[test]
fn every_shader_has_a_formula_of_the_same_stem() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for shader in SHADERS {
        // A file, or a folder of the same name.
        let stem = root.join("src/stimulus").join(shader.stem);
        let there = stem.with_extension("rs").is_file() || stem.join("mod.rs").is_file();
        assert!(there, "{}: the formula is missing", stem.display());
    }
}
