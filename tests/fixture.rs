//! Reference files and comparison with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use safetensors::{Dtype, SafeTensors};
use twinscope::model::weights::{TwinWeights, load};

/// A file below tests/fixtures.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A reference tensor; every number widened to f64.
#[derive(Debug, Clone)]
pub struct Reference {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Reference {
    pub fn f32(&self) -> Vec<f32> {
        self.values.iter().map(|&v| v as f32).collect()
    }
    pub fn u8(&self) -> Vec<u8> {
        self.values.iter().map(|&v| v as u8).collect()
    }
}

/// A small twin whose responses were computed by another program as well.
pub fn pilot() -> TwinWeights {
    load(&path("pilot/pilot.safetensors"), None, None).expect("the pilot twin")
}

/// All tensors of one `.safetensors` file below tests/fixtures.
#[derive(Debug)]
pub struct Fixture {
    name: String,
    tensors: BTreeMap<String, Reference>,
}

impl Fixture {
    pub fn load(name: &str) -> Self {
        let bytes = std::fs::read(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let file = SafeTensors::deserialize(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let tensors = file
            .tensors()
            .into_iter()
            .map(|(key, view)| {
                let data = view.data();
                let values = match view.dtype() {
                    Dtype::F32 => data.as_chunks().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
                    Dtype::F64 => data.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
                    Dtype::I32 => data.as_chunks().0.iter().map(|&b| f64::from(i32::from_le_bytes(b))).collect(),
                    Dtype::U8 | Dtype::BOOL => data.iter().map(|&b| f64::from(b)).collect(),
                    other => panic!("{name}: {key} is {other:?}"),
                };
                (key, Reference { shape: view.shape().to_vec(), values })
            })
            .collect();
        Self { name: name.to_owned(), tensors }
    }

    pub fn get(&self, key: &str) -> &Reference {
        self.tensors.get(key).unwrap_or_else(|| panic!("{} has no `{key}`", self.name))
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }
}

/// Largest absolute difference divided by the largest expected magnitude (the `e` of all tolerances), with the
/// index where it occurs.
pub fn deviation(actual: &[f32], expected: &[f64]) -> (f64, usize) {
    assert_eq!(actual.len(), expected.len(), "number of values");
    let largest = expected.iter().fold(0.0f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    let mut worst = (0.0, 0);
    for (index, (a, b)) in actual.iter().zip(expected).enumerate() {
        let e = (f64::from(*a) - b).abs() / largest;
        // A NaN must not slip through a comparison that is always false.
        let e = if e.is_nan() { f64::INFINITY } else { e };
        if e > worst.0 {
            worst = (e, index);
        }
    }
    worst
}

/// Fails when the deviation exceeds the tolerance, naming the tensor, both values and the index.
#[track_caller]
pub fn assert_near(name: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
    let (e, index) = deviation(actual, expected);
    assert!(
        e <= tolerance,
        "{name}: deviation {e:.3e} exceeds {tolerance:.1e} at {index}: found {}, expected {}",
        actual[index],
        expected[index]
    );
}
