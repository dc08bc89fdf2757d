//! Twins on disk: what is read, what is refused, and how the refusal reads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;
use twinscope::model::twin::{Periphery, TwinConfig};
use twinscope::model::weights::fill::{self, filled};
use twinscope::model::weights::{
    StateDict, TwinCard, TwinWeights, WeightError, builtin, filled_twin, initial, inspect, load, retina_rays, save,
};
use twinscope::signals::{Raster, UnitId};

use crate::fixture::{self, Fixture};

const SEED: u32 = 20_250_409;

fn tiny_config() -> TwinConfig {
    let text = std::fs::read_to_string(fixture::path("twin/twin-tiny.toml")).expect("a fixture");
    TwinConfig::from_toml(&text).expect("a good configuration")
}

fn tiny() -> TwinWeights {
    load(&fixture::path("twin/tiny_pt"), None, None).expect("the fixture is good")
}

/// A copy of the published pair that a test may damage.
fn pair() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["params_core.pt", "params_4_7.pt", "scans.csv", "units.csv"] {
        std::fs::copy(fixture::path("twin/tiny_pt").join(name), folder.path().join(name)).expect("a copy");
    }
    folder
}

/// A state dict without a word about itself, as any Python script would save it.
fn plain(state: &StateDict, path: &Path) {
    let bytes: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = state
        .tensors
        .iter()
        .map(|(key, tensor)| {
            let mask = key.ends_with(".mask");
            let data = if mask {
                tensor.values.iter().map(|&v| v as u8).collect()
            } else {
                tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect()
            };
            (key.clone(), if mask { Dtype::U8 } else { Dtype::F32 }, tensor.shape.clone(), data)
        })
        .collect();
    let views = bytes.iter().map(|(key, dtype, shape, data)| {
        (key, TensorView::new(*dtype, shape.clone(), data).expect("as many bytes as the shape says"))
    });
    std::fs::write(path, safetensors::serialize(views, None).expect("memory is writable")).expect("a file");
}

/// The message of the refusal of a state dict, saved plainly.
fn refusal(change: impl FnOnce(&mut StateDict)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut state = tiny().state;
    change(&mut state);
    let path = folder.path().join("twin.safetensors");
    plain(&state, &path);
    message(load(&path, None, None), folder.path())
}

/// The message of an error, with the temporary folder left out.
fn message(result: Result<TwinWeights, WeightError>, folder: &Path) -> String {
    let error = result.expect_err("this file must be refused");
    error.to_string().replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), "FOLDER")
}

fn identical(left: &TwinWeights, right: &TwinWeights) {
    assert_eq!(left.config, right.config);
    assert_eq!(left.units, right.units);
    assert_eq!(left.card, right.card);
    assert_eq!(left.state.tensors.keys().collect::<Vec<_>>(), right.state.tensors.keys().collect::<Vec<_>>());
    for (key, tensor) in &left.state.tensors {
        let other = &right.state.tensors[key];
        assert_eq!(tensor.shape, other.shape, "{key}");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&tensor.values), bits(&other.values), "{key}");
    }
}

#[test]
fn the_published_pair_is_the_reference_state_bit_for_bit() {
    let twin = tiny();
    let reference = Fixture::load("twin/tiny_public_state.safetensors");
    assert_eq!(twin.state.tensors.len(), reference.keys().count());
    for key in reference.keys() {
        let expected = reference.get(key);
        assert_eq!(twin.state.tensors[key].shape, expected.shape, "{key}");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(twin.state.values(key)), bits(&expected.f32()), "{key}");
    }
    assert_eq!(twin.config, tiny_config());
    let unit = |unit| UnitId { animal: None, session: 4, scan: 7, unit };
    assert_eq!(twin.units, [3, 7, 12, 20].map(unit));
    assert!(!twin.card.simulated);
}

#[test]
fn the_folder_and_either_file_of_the_pair_are_the_same_twin() {
    let folder = fixture::path("twin/tiny_pt");
    let twin = tiny();
    for (path, scan) in
        [("params_core.pt", None), ("params_4_7.pt", None), ("", Some("4-7")), ("params_4_7.pt", Some("4-7"))]
    {
        let other = load(&folder.join(path), scan, None).expect("the fixture is good");
        identical(&twin, &other);
        assert_eq!(twin.sha256, other.sha256);
    }
    // (cd tests/fixtures/twin/tiny_pt && sha256sum params_core.pt params_4_7.pt | sha256sum)
    assert_eq!(twin.sha256, "b7431efbc014a01aaab675bc4828ddf1ec764a72867753e58a6bb7235a1f451d");
}

#[test]
fn a_twin_comes_back_from_our_file_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    let mut twin = tiny();
    twin.config.periphery = Periphery::Extend;
    twin.card = TwinCard {
        name: "A \"quoted\" name, with a comma".to_owned(),
        simulated: true,
        raster: Raster { height: 36, width: 64 },
        note: "Two\nlines".to_owned(),
    };
    twin.units[1].animal = Some("mouse, 17".to_owned());
    save(&first, &twin).expect("a writable folder");
    let back = load(&first, None, None).expect("our own file");
    identical(&twin, &back);
    save(&second, &back).expect("a writable folder");
    assert_eq!(std::fs::read(&first).expect("a file"), std::fs::read(&second).expect("a file"));
    let made = TwinWeights::new(back.config.clone(), back.state.clone(), back.units.clone(), back.card.clone());
    assert_eq!(made.expect("a good twin").sha256, back.sha256);
    // Nothing but the two files is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

#[test]
fn a_card_with_an_impossible_raster_is_refused_wherever_it_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twin.safetensors");
    let mut twin = tiny();
    for (height, width, key) in [(0, 64, "`raster.height` is 0"), (36, 4097, "`raster.width` is 4097")] {
        twin.card.raster = Raster { height, width };
        let made = TwinWeights::new(twin.config.clone(), twin.state.clone(), twin.units.clone(), twin.card.clone());
        for said in [message(save(&path, &twin).map(|()| tiny()), folder.path()), message(made, folder.path())] {
            assert!(said.contains(key) && said.contains("between 1 and 4096"), "{said}");
        }
    }
    twin.card.raster = Raster { height: 36, width: 64 };
    save(&path, &twin).expect("a writable folder");
    let mut bytes = std::fs::read(&path).expect("a file");
    let raster = bytes.windows(4).position(|four| four == b":36,").expect("the height in the card");
    bytes[raster..raster + 4].copy_from_slice(b":00,");
    // Not JSON any more, which is refused too; a lone zero is JSON, and no raster.
    assert!(message(write_and_load(&path, &bytes), folder.path()).contains("the card of the twin cannot be used"));
    bytes[raster..raster + 4].copy_from_slice(b": 0,");
    assert_eq!(
        message(write_and_load(&path, &bytes), folder.path()),
        "`twin.safetensors`: the card of the twin cannot be used: `raster.height` is 0, but a movie has between 1 and \
         4096 pixels on each side"
    );
}

fn write_and_load(path: &Path, bytes: &[u8]) -> Result<TwinWeights, WeightError> {
    std::fs::write(path, bytes).expect("a writable folder");
    load(path, None, None)
}

#[test]
fn other_programs_can_read_our_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twin.safetensors");
    save(&path, &tiny()).expect("a writable folder");
    let bytes = std::fs::read(&path).expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a safetensors file");
    assert_eq!(file.len(), tiny().state.tensors.len());
    assert_eq!(file.tensor("core.recurrent.proj_x.0.mask").expect("a tensor").dtype(), Dtype::BOOL);
    let (header, _) = safetensors::SafeTensors::read_metadata(&bytes).expect("a header");
    assert_eq!(header % 8, 0, "the numbers must lie on multiples of their size");
}

#[test]
fn the_published_configuration_is_inferred_from_the_tensors_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("full.safetensors");
    let config = TwinConfig::microns();
    let state = filled(&config, 16, SEED);
    plain(&state, &path);
    let twin = load(&path, None, None).expect("a good file");
    assert_eq!(twin.config, config);
    assert_eq!(twin.state, state);
    assert_eq!(twin.units[5], UnitId { animal: None, session: 0, scan: 0, unit: 5 });
    assert_eq!(twin.card.name, "full");
}

#[test]
fn unusual_sizes_are_inferred_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twin.safetensors");
    let mut config = tiny_config();
    config.streams = 3;
    config.perspective.degrees = 61.7;
    config.perspective.mlp_layers = 1;
    config.modulation.mlp_layers = 2;
    (config.core.feedforward.input_spatial, config.core.feedforward.input_stride) = (5, 1);
    config.core.feedforward.block_layers = vec![1, 4];
    config.core.recurrent.groups = 1;
    plain(&initial(&config, 2, 7), &path);
    let twin = load(&path, None, None).expect("a good file");
    assert_eq!(twin.config, config);
    // What shapes cannot tell is told; what they can tell must not be contradicted.
    config.core.feedforward.block_pools = vec![1, 3];
    config.core.feedforward.input_stride = 3;
    config.periphery = Periphery::Extend;
    assert_eq!(load(&path, None, Some(&config)).expect("a good file").config, config);
}

#[test]
fn a_contradicting_configuration_is_named_with_both_values() {
    let folder = pair();
    let said = |change: fn(&mut TwinConfig)| {
        let mut config = tiny_config();
        change(&mut config);
        message(load(folder.path(), None, Some(&config)), folder.path())
    };
    assert_eq!(
        said(|config| config.core.recurrent.groups = 4),
        "`params_4_7.pt with params_core.pt`: the configuration says `core.recurrent.groups` = 4, but the tensors say 2"
    );
    let said_degrees = said(|config| config.perspective.degrees = 60.0);
    assert!(said_degrees.contains("`perspective.degrees` = 60.0, but the tensors say 75.0"), "{said_degrees}");
    let said_layers = said(|config| config.core.feedforward.block_layers = vec![2, 3]);
    assert!(said_layers.contains("`core.feedforward.block_layers` = [2, 3], but the tensors say [2, 2]"));
    let said_pools = said(|config| config.core.feedforward.block_pools = vec![2]);
    assert!(
        said_pools.contains("`core.feedforward.block_pools` is [2], but every `block_` list needs one entry a block")
    );
}

#[test]
fn a_configuration_that_is_not_the_one_in_the_file_is_named_with_both_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twin.safetensors");
    let twin = tiny();
    save(&path, &twin).expect("a writable folder");
    identical(&twin, &load(&path, None, Some(&twin.config)).expect("the same configuration"));
    // What no tensor can tell: the file says it, and nobody else may say otherwise.
    let said = |change: fn(&mut TwinConfig)| {
        let mut config = twin.config.clone();
        change(&mut config);
        message(load(&path, None, Some(&config)), folder.path())
    };
    assert_eq!(
        said(|config| config.core.feedforward.block_pools = vec![1, 2]),
        "`twin.safetensors`: the given configuration says `core.feedforward.block_pools` = [1, 2], but the one in the \
         file says [2, 1]"
    );
    let stride = said(|config| config.core.feedforward.input_stride = 4);
    assert!(stride.contains("`core.feedforward.input_stride` = 4, but the one in the file says 2"), "{stride}");
    let periphery = said(|config| config.periphery = Periphery::Extend);
    assert!(periphery.contains("`periphery` = Extend, but the one in the file says Dark"), "{periphery}");
    let streams = said(|config| config.streams = 5);
    assert!(streams.contains("`streams` = 5, but the one in the file says 2"), "{streams}");
}

#[test]
fn one_of_several_scans_must_be_chosen() {
    let folder = pair();
    let readouts = |name: &str| folder.path().join(name);
    std::fs::copy(readouts("params_4_7.pt"), readouts("params_10_2.pt")).expect("a copy");
    std::fs::remove_file(readouts("scans.csv")).expect("a file");
    assert_eq!(
        message(load(folder.path(), None, None), folder.path()),
        "`FOLDER` holds 2 scans (4-7, 10-2): choose one of them, such as `--scan 4-7`, or open its own file, \
         params_4_7.pt"
    );
    assert_eq!(
        message(load(folder.path(), Some("4-8"), None), folder.path()),
        "`FOLDER` has no scan 4-8; it holds 4-7, 10-2"
    );
    identical(
        &load(folder.path(), Some("4-7"), None).expect("a good pair"),
        &load(&readouts("params_4_7.pt"), None, None).expect("a good pair"),
    );
    let wrong = message(load(&readouts("params_4_7.pt"), Some("10-2"), None), folder.path());
    assert_eq!(wrong, "`params_4_7.pt` has no scan 10-2; it holds 4-7");
    let unlisted = message(load(folder.path(), Some("10-2"), None), folder.path());
    assert_eq!(unlisted, "`units.csv`: no unit of scan 10-2 has readout_id 0");
    std::fs::remove_file(readouts("units.csv")).expect("a file");
    let twin = load(folder.path(), Some("10-2"), None).expect("a good pair");
    assert_eq!(twin.units[3], UnitId { animal: None, session: 10, scan: 2, unit: 3 });
    std::fs::remove_file(readouts("params_core.pt")).expect("a file");
    assert!(message(load(folder.path(), Some("4-7"), None), folder.path()).contains("has no params_core.pt"));
    assert!(
        message(load(&readouts("params_4_7.pt"), None, None), folder.path())
            .contains("params_core.pt does not lie beside it")
    );
}

#[test]
fn a_pair_with_its_files_exchanged_is_refused() {
    let folder = pair();
    std::fs::copy(folder.path().join("params_core.pt"), folder.path().join("params_4_7.pt")).expect("a copy");
    assert_eq!(
        message(load(folder.path(), None, None), folder.path()),
        "`params_4_7.pt` has `core.feedforward.blocks.0.convs.0.biases.0`, but of a pair params_core.pt has all keys \
         that start with `core.` and no others"
    );
}

#[test]
fn the_tables_beside_the_weights_must_fit() {
    let folder = pair();
    let with = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let before = std::fs::read(&path).expect("a file");
        std::fs::write(&path, text).expect("a file");
        let result = load(folder.path(), None, None);
        std::fs::write(&path, before).expect("a file");
        result
    };
    let said = |name: &str, text: &str| message(with(name, text), folder.path());
    assert_eq!(
        said("scans.csv", "session,scan_idx,units\n4,7,5\n"),
        "`scans.csv`: scan 4-7 has 5 units, but its readout has 4"
    );
    assert_eq!(said("scans.csv", "session,scan_idx,units\n4,8,4\n"), "`scans.csv`: scan 4-7 is not listed");
    assert_eq!(said("scans.csv", "session,scan,units\n"), "`scans.csv`: the column scan_idx is missing");
    let head = "session,scan_idx,unit_id,readout_id\n";
    assert_eq!(
        said("units.csv", &format!("{head}4,7,3,0\n4,7,9,4\n")),
        "`units.csv`: readout_id 4 of unit 9 is not below the 4 readouts"
    );
    assert_eq!(
        said("units.csv", &format!("{head}4,7,3,0\n4,7,9,0\n")),
        "`units.csv`: readout_id 0 belongs to the units 3 and 9"
    );
    assert_eq!(
        said("units.csv", &format!("{head}4,7,3,x\n")),
        "`units.csv`: line 2: readout_id is `x`, expected a whole number"
    );
    let named = format!("animal_id,{head}17797,4,7,3,3\n,4,7,5,2\n17797,4,7,7,1\n17797,4,7,9,0\n1,9,9,9,9\n");
    let units = with("units.csv", &named).expect("a good table").units;
    assert_eq!(units[0], UnitId { animal: Some("17797".to_owned()), session: 4, scan: 7, unit: 9 });
    assert_eq!(units[2].animal, None);
}

#[test]
fn every_refusal_names_file_key_and_expectation() {
    assert_eq!(
        refusal(|state| drop(state.tensors.remove("readout.biases.1"))),
        "`twin.safetensors` lacks `readout.biases.1`, which must be float32 of the shape [4, 1]"
    );
    assert_eq!(
        refusal(|state| state.tensors.retain(|key, _| !key.starts_with("core.recurrent.proj_i.gains"))),
        "`twin.safetensors` lacks `core.recurrent.proj_i.gains.0`, which must be float32 of the shape [2, 4] (1 more lacking)"
    );
    assert_eq!(
        refusal(|state| drop(state.tensors.remove("core.recurrent.scales.0"))),
        "`twin.safetensors` lacks `core.recurrent.scales.0`, which must be there to tell the size of the network"
    );
    let extra = |state: &mut StateDict| {
        let tensor = state.tensors["readout.biases.0"].clone();
        state.tensors.insert("readout.extra".to_owned(), tensor);
    };
    assert_eq!(
        refusal(extra),
        "`twin.safetensors` has `readout.extra`, but the network it describes has no such entry"
    );
    assert_eq!(
        refusal(|state| state.tensors.get_mut("readout.biases.0").expect("a tensor").shape = vec![2, 2]),
        "`twin.safetensors`: `readout.biases.0` has the shape [2, 2], expected [4, 1]"
    );
    assert_eq!(
        refusal(|state| state.tensors.get_mut("core.recurrent.scales.0").expect("a tensor").shape = vec![12]),
        "`twin.safetensors`: `core.recurrent.scales.0` has the shape [12], expected 2 axes, none of them empty"
    );
    assert_eq!(
        refusal(|state| state.tensors.get_mut("readout.biases.0").expect("a tensor").values[2] = f32::NAN),
        "`twin.safetensors`: `readout.biases.0` is NaN at element 2, expected finite numbers"
    );
    assert_eq!(
        refusal(|state| state.tensors.get_mut("core.recurrent.proj_x.0.mask").expect("a tensor").values[0] = 1.0),
        "`twin.safetensors`: `core.recurrent.proj_x.0.mask` is 1 at element 0, but this constant of the network must be 0"
    );
    assert_eq!(
        refusal(|state| state.tensors.get_mut("perspective.monitor_pixel.scale").expect("a tensor").values[0] = 2.0),
        "`twin.safetensors`: `perspective.monitor_pixel.scale` is 2 at element 0, but this constant of the network must be 1"
    );
    let bent = refusal(|state| state.tensors.get_mut("perspective.retina.grid").expect("a tensor").values[7] += 0.01);
    assert!(
        bent.contains("`perspective.retina.grid`") && bent.contains("this constant of the network must be"),
        "{bent}"
    );
}

#[test]
fn numbers_of_another_type_are_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twin.safetensors");
    let state = tiny().state;
    for (dtype, said) in [(Dtype::F64, "float64"), (Dtype::I64, "int64")] {
        let bytes: HashMap<String, (Vec<usize>, Vec<u8>, Dtype)> = state
            .tensors
            .iter()
            .map(|(key, tensor)| {
                let wrong = key == "readout.position.mu";
                let data = tensor.values.iter().flat_map(|&v| match (wrong, dtype) {
                    (false, _) => v.to_le_bytes().to_vec(),
                    (true, Dtype::F64) => f64::from(v).to_le_bytes().to_vec(),
                    (true, _) => (v as i64).to_le_bytes().to_vec(),
                });
                (key.clone(), (tensor.shape.clone(), data.collect(), if wrong { dtype } else { Dtype::F32 }))
            })
            .collect();
        let views = bytes.iter().map(|(key, (shape, data, dtype))| {
            (key, TensorView::new(*dtype, shape.clone(), data).expect("as many bytes as the shape says"))
        });
        std::fs::write(&path, safetensors::serialize(views, None).expect("memory is writable")).expect("a file");
        assert_eq!(
            message(load(&path, None, None), folder.path()),
            format!("`twin.safetensors`: `readout.position.mu` is {said}, expected float32; convert it before saving")
        );
    }
}

#[test]
fn a_pickle_that_would_run_something_is_refused_by_its_name() {
    let folder = pair();
    let path = folder.path().join("params_4_7.pt");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("params_4_7/data.pkl", stored).expect("a file");
    let evil = b"\x80\x02cos\nsystem\nX\x0a\x00\x00\x00touch /tmp\x85R.";
    std::io::Write::write_all(&mut archive, evil).expect("a file");
    archive.finish().expect("a file");
    assert_eq!(
        message(load(folder.path(), None, None), folder.path()),
        "`params_4_7.pt` asks for `os.system`, which no weight file needs: it was refused, and nothing in it was run"
    );
}

#[test]
fn things_that_hold_no_twin_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        message(load(&path, None, None), folder.path())
    };
    assert!(said("notes.txt", b"").starts_with("`notes.txt` holds no twin: its name ends in neither"));
    assert!(said("a.pt", b"PK").starts_with("`a.pt` is damaged or no weight file: the zip file cannot be read"));
    assert!(said("a.safetensors", &[0xFF; 64]).starts_with("`a.safetensors` is damaged or no weight file"));
    let absent = message(load(&folder.path().join("absent"), None, None), folder.path());
    assert!(absent.starts_with("`absent` could not be read: "), "{absent}");
    let empty = tempfile::tempdir().expect("a folder");
    assert!(message(load(empty.path(), None, None), empty.path()).contains("no params_<session>_<scan>.pt"));
    let nowhere = save(&folder.path().join("no/such/folder.safetensors"), &tiny()).expect_err("no folder");
    assert!(nowhere.to_string().contains("folder.safetensors` could not be written"), "{nowhere}");
}

#[test]
fn a_twin_that_is_not_its_configuration_is_never_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut twin = tiny();
    twin.units.pop();
    let error = save(&folder.path().join("a.safetensors"), &twin).expect_err("three units, four readouts");
    assert_eq!(error.to_string(), "`the twin in memory`: `readout.position.mu` has the shape [4, 2], expected [3, 2]");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// SplitMix64, so that the same files are broken in the same way on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) as usize % limit
    }

    /// Flips bits, cuts, repeats, and writes lengths that cannot be; half of the time where tables are.
    fn damage(&mut self, good: &[u8]) -> Vec<u8> {
        let mut bad = good.to_vec();
        for _ in 0..=self.below(3) {
            if bad.is_empty() {
                break;
            }
            let at = match self.below(4) {
                0 => self.below(bad.len().min(4096)),
                1 => bad.len() - 1 - self.below(bad.len().min(4096)),
                _ => self.below(bad.len()),
            };
            match self.below(6) {
                0 | 1 => bad[at] ^= 1 << self.below(8),
                2 => bad[at] = b"\x00\xff0987{[,:\"\n"[self.below(12)],
                3 => {
                    let end = bad.len().min(at + 1 + self.below(8));
                    bad[at..end].fill([0x00, 0x7F, 0xFF][self.below(3)]);
                }
                4 => bad.truncate(at),
                _ => {
                    let piece: Vec<u8> = bad[at..].iter().copied().take(1 + self.below(64)).collect();
                    bad.splice(at..at, piece);
                }
            }
        }
        bad
    }
}

#[test]
fn five_thousand_broken_files_are_read_or_refused_but_never_panic() {
    let folder = pair();
    let ours = folder.path().join("ours.safetensors");
    let bare = folder.path().join("bare.safetensors");
    save(&ours, &tiny()).expect("a writable folder");
    plain(&tiny().state, &bare);
    let mut chance = Chance(5);
    for (name, rounds) in [
        ("params_core.pt", 1200),
        ("params_4_7.pt", 1200),
        ("ours.safetensors", 1200),
        ("bare.safetensors", 800),
        ("units.csv", 400),
        ("scans.csv", 400),
    ] {
        let path = folder.path().join(name);
        let good = std::fs::read(&path).expect("a file");
        let target: PathBuf = if name.ends_with("safetensors") { path.clone() } else { folder.path().to_owned() };
        let mut refused = 0;
        for _ in 0..rounds {
            std::fs::write(&path, chance.damage(&good)).expect("a file");
            match load(&target, None, None) {
                Ok(twin) => assert_eq!(twin.units.len(), twin.state.tensors["readout.position.mu"].shape[0]),
                Err(error) => {
                    refused += 1;
                    let said = error.to_string();
                    assert!(said.starts_with('`') && said.len() < 1000 && !said.contains('\n'), "{said}");
                }
            }
        }
        std::fs::write(&path, &good).expect("a file");
        // Damage to plain numbers can be harmless; damage to checksummed files cannot.
        assert!(refused > rounds / 3, "{name}: only {refused} of {rounds} were refused");
    }
    identical(&tiny(), &load(&ours, None, None).expect("the good file is back"));
}

#[test]
fn the_built_in_twin_says_what_it_is() {
    let twin = builtin();
    assert!(twin.card.simulated);
    assert_eq!((twin.units.len(), twin.card.raster), (320, Raster { height: 36, width: 64 }));
    assert_eq!((twin.config.streams, twin.config.periphery), (1, Periphery::Extend));
    let summary = inspect(&twin);
    assert_eq!(summary.parameters, 97_133);
    let text = summary.to_string();
    assert!(text.contains("Built-in twin (simulated animal, movies of 36 x 64 pixels)"), "{text}");
    // Written again, it is the same file: nothing was added by hand.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("again.safetensors");
    save(&path, &twin).expect("a writable folder");
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/twin.safetensors");
    assert!(std::fs::read(&path).expect("a file") == std::fs::read(asset).expect("the asset"));
}

#[test]
fn the_inspection_counts_the_published_parameters() {
    let config = TwinConfig::microns();
    let summary = inspect(&filled_twin(&config, 1000, SEED));
    let counts: Vec<(&str, usize)> = summary.modules.iter().map(|m| (m.name.as_str(), m.parameters)).collect();
    assert_eq!(
        counts,
        [
            ("perspective", 693),
            ("modulation", 8_896),
            ("core.feedforward", 1_908_224),
            ("core.recurrent", 2_620_416),
            ("readout", 522_000)
        ]
    );
    assert_eq!((summary.parameters, summary.units, summary.scans.join(" ")), (5_060_229, 1000, "0-0".to_owned()));
    assert_eq!(summary.buffers.len(), 6);
    let json = serde_json::to_value(&summary).expect("plain data");
    assert_eq!(json["modules"][4]["parameters"], 522_000);
}

#[test]
fn the_test_fill_gives_the_reference_inputs() {
    let reference = Fixture::load("twin/full_public.safetensors");
    let inputs = fill::inputs(SEED, 12, 2, 16);
    assert!(inputs.movie.pixels() == reference.get("in.video").u8(), "the movie differs");
    let flat = |of: &dyn Fn(usize) -> Vec<[f32; 2]>| (0..12).flat_map(|t| of(t).concat()).collect::<Vec<_>>();
    assert_eq!(flat(&|t| inputs.behavior.gaze(t).to_vec()), reference.get("in.perspective").f32());
    assert_eq!(flat(&|t| inputs.behavior.state(t).to_vec()), reference.get("in.modulation").f32());
    assert_eq!(inputs.target.values(), reference.get("in.target").f32());
}

#[test]
fn retina_rays_are_those_of_the_published_network() {
    let twin = tiny();
    let rays = retina_rays(&twin.config.perspective);
    let reference: Vec<f64> = twin.state.values("perspective.retina.grid").iter().map(|&v| f64::from(v)).collect();
    // The reference was computed in f32 throughout: a few roundings of numbers near one.
    fixture::assert_near("perspective.retina.grid", &rays, &reference, 1e-6);
}
