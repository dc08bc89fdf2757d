//! Arrays on disk: movies and behaviour in, responses out.

use std::io::Write;
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use tempfile::TempDir;
use twinscope::data::{ArrayError, NpyMovie, NpyResponsesWriter, read_behavior_npy};
use twinscope::signals::{FrameSource, Raster};

/// A `.npy` file with this dictionary and these bytes.
fn npy(element: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{element}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((text.len() as u16).to_le_bytes());
    file.extend(text.as_bytes());
    file.extend(data);
    file
}

fn npz(members: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).expect("memory is writable");
        archive.write_all(bytes).expect("memory is writable");
    }
    archive.finish().expect("memory is writable").into_inner()
}

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn with(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
    fn said<T: std::fmt::Debug>(&self, result: Result<T, ArrayError>) -> String {
        let error = result.expect_err("this file must be refused");
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
    fn files(&self) -> usize {
        std::fs::read_dir(self.path()).expect("a folder").count()
    }
}

fn counting(values: usize) -> Vec<u8> {
    (0..values).map(|i| (i % 251) as u8).collect()
}

#[test]
fn a_movie_is_read_from_any_frame_on() {
    let scratch = Scratch::new();
    let data = counting(5 * 3 * 4);
    let mut movie = NpyMovie::open(&scratch.with("m.npy", &npy("|u1", "False", "5, 3, 4", &data))).expect("a movie");
    assert_eq!((movie.frames(), movie.samples(), movie.raster()), (5, 1, Raster { height: 3, width: 4 }));
    assert!(!movie.has_sample_axis());
    let mut pixels = [0; 24];
    movie.read(3, 2, &mut pixels).expect("two frames");
    assert_eq!(pixels[..], data[36..]);
    movie.read(0, 2, &mut pixels).expect("two frames");
    assert_eq!(pixels[..], data[..24]);
    assert!(movie.read(4, 2, &mut pixels).expect_err("one too many").to_string().contains("which has 5"));
    assert!(movie.read(usize::MAX, 2, &mut pixels).is_err());
    assert!(movie.read(0, 1, &mut pixels).expect_err("wrong room").to_string().contains("room for 12 grey levels"));
    // A file that is cut while it is open ends in a sentence too.
    scratch.with("m.npy", &npy("|u1", "False", "5, 3, 4", &data[..30]));
    assert!(movie.read(3, 2, &mut pixels).expect_err("cut").to_string().contains("could not be read at frame 3"));
}

#[test]
fn movies_side_by_side_keep_their_axis() {
    let scratch = Scratch::new();
    let movie =
        NpyMovie::open(&scratch.with("m.npy", &npy("|u1", "False", "5, 1, 3, 4", &counting(60)))).expect("a movie");
    assert_eq!((movie.frames(), movie.samples(), movie.has_sample_axis()), (5, 1, true));
}

#[test]
fn the_array_of_an_npz_file_is_the_one_named_video_or_the_only_one() {
    let scratch = Scratch::new();
    let data = counting(60);
    let (array, other) = (npy("|u1", "False", "5, 3, 4", &data), npy("<f4", "False", "1,", &[0; 4]));
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        for members in [vec![("frames.npy", &array[..])], vec![("fps.npy", &other[..]), ("video.npy", &array[..])]] {
            let mut movie = NpyMovie::open(&scratch.with("m.npz", &npz(&members, method))).expect("a movie");
            let mut pixels = [0; 12];
            movie.read(2, 1, &mut pixels).expect("a frame");
            assert_eq!(pixels[..], data[24..36]);
        }
    }
    let several = npz(&[("a.npy", &array), ("b.npy", &array)], zip::CompressionMethod::Stored);
    assert_eq!(
        scratch.said(NpyMovie::open(&scratch.with("m.npz", &several))),
        "`m.npz` holds the arrays a, b: name one of them `video`, or leave only one"
    );
    // What is no movie is refused by its header, however long it claims to be.
    let said = |array: &[u8]| {
        let file = npz(&[("video.npy", array)], zip::CompressionMethod::Deflated);
        scratch.said(NpyMovie::open(&scratch.with("m.npz", &file)))
    };
    assert_eq!(
        said(&npy("|u1", "False", "3000, 1000, 1000", &data)),
        "`m.npz` is damaged or no array: an array of the shape [3000, 1000, 1000] has more than the 2147483648 bytes \
         that are unpacked from a .npz file; save it as .npy"
    );
    assert!(said(&npy("<f4", "False", "3000, 1000, 1000", &data)).contains("of the type `<f4`, expected u8"));
    assert!(said(&npy("|u1", "True", "5, 3, 4", &data)).contains("Fortran order"));
    assert!(said(&npy("|u1", "False", "5, 3, 4", &data[1..])).contains("needs 60 bytes, but the file has 59"));
    let text = npz(&[("a.txt", b"words")], zip::CompressionMethod::Stored);
    assert!(scratch.said(NpyMovie::open(&scratch.with("m.npz", &text))).contains("its member is no .npy file"));
}

#[test]
fn what_is_no_movie_is_refused_with_the_reason() {
    let scratch = Scratch::new();
    let said = |bytes: &[u8]| scratch.said(NpyMovie::open(&scratch.with("m.npy", bytes)));
    let good = npy("|u1", "False", "5, 3, 4", &counting(60));
    assert_eq!(
        said(&good[..good.len() - 1]),
        "`m.npy` is damaged or no array: an array of the shape [5, 3, 4] needs 60 bytes, but the file has 59"
    );
    assert!(said(&[&good[..], b"x"].concat()).contains("needs 60 bytes, but the file has 61"));
    assert_eq!(
        said(&npy("<f4", "False", "5, 3, 4", &[0; 240])),
        "`m.npy` holds numbers of the type `<f4`, expected u8 grey levels (`|u1`, numpy.uint8)"
    );
    assert!(said(&npy("|u1", "True", "5, 3, 4", &counting(60))).contains("is stored in Fortran order"));
    assert!(
        said(&npy("|u1", "False", "60,", &counting(60))).contains("has the shape [60], expected [time, height, width]")
    );
    assert!(said(&npy("|u1", "False", "5, 0, 4", &[])).contains("no axis empty"));
    let huge = said(&npy("|u1", "False", "4294967296, 4294967296, 4294967296", &counting(60)));
    assert!(huge.contains("needs more than any file has bytes"), "{huge}");
    assert!(said(&npy("|u1", "False", "99999999999999999999999, 1, 1", &[])).contains("its header is damaged"));
    assert!(said(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("claims 4294967295 bytes"));
    assert!(said(b"\x93NUMPY\x01\x00\xff\xff{").contains("its header cannot be read"));
    assert!(said(b"\x93NUMPY\x09\x00\x01\x00{").contains("version 9"));
    assert!(said(b"GIF89a, not an array").contains("does not start like a .npy file"));
    assert!(said(b"").contains("the start of a .npy file cannot be read"));
    assert!(said(b"PK\x03\x04").contains("the zip file cannot be read"));
    let table = npy("|u1", "False", "1,", &[]).windows(5).position(|w| w == b"'|u1'").expect("the type");
    let mut bytes = npy("|u1", "False", "1,", &[]);
    bytes[table] = b'[';
    assert!(said(&bytes).contains("type `a table`"));
    assert!(scratch.said(NpyMovie::open(scratch.path())).contains("it is no regular file"));
    assert!(scratch.said(NpyMovie::open(&scratch.path().join("absent"))).starts_with("`absent` could not be read: "));
}

#[test]
fn behaviour_is_read_in_both_precisions_and_shapes() {
    let scratch = Scratch::new();
    let f32s: Vec<u8> = [1.0f32, -2.0, 0.5, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let f64s: Vec<u8> = [1.0f64, -2.0, 0.1, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let big: Vec<u8> = [1.0f32, -2.0, 0.5, 0.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    let read = |bytes: &[u8]| read_behavior_npy(&scratch.with("b.npy", bytes));
    let pairs = vec![[1.0, -2.0], [0.5, 0.0]];
    assert_eq!(read(&npy("<f4", "False", "2, 2", &f32s)).expect("good"), (2, 1, pairs.clone()));
    assert_eq!(read(&npy(">f4", "False", "1, 2, 2", &big)).expect("good"), (1, 2, pairs));
    assert_eq!(read(&npy("<f8", "False", "2, 2", &f64s)).expect("good"), (2, 1, vec![[1.0, -2.0], [0.1, 0.0]]));
    let said = |bytes: &[u8]| scratch.said(read(bytes));
    assert!(
        said(&npy("<f4", "False", "4,", &f32s)).contains("has the shape [4], expected [time, 2] or [time, sample, 2]")
    );
    assert!(said(&npy("<i4", "False", "2, 2", &f32s)).contains("of the type `<i4`, expected f32 or f64"));
    assert!(said(&npy("<f4", "False", "3, 2", &f32s)).contains("needs 24 bytes, but the file has 16"));
    let nan: Vec<u8> = [0.0f32, 0.0, 0.0, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(
        said(&npy("<f4", "False", "2, 2", &nan)),
        "`b.npy` has NaN at frame 1: fill or cut such frames first (0 is the average animal)"
    );
    let large: Vec<u8> = [0.0, -1e7].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
    assert_eq!(
        said(&npy("<f8", "False", "1, 2", &large)),
        "`b.npy` has -10000000 at frame 0, but z-scores lie within 1e6 of 0: is it in other units?"
    );
    let huge: Vec<u8> = [0.0, 0.0, 1e300, 0.0].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
    assert!(said(&npy("<f8", "False", "1, 2, 2", &huge)).contains("at frame 0, but z-scores"));
    let edge: Vec<u8> = [1e6, -1e6].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
    assert_eq!(read(&npy("<f8", "False", "1, 2", &edge)).expect("the largest"), (1, 1, vec![[1e6, -1e6]]));
}

#[test]
fn responses_appear_when_they_are_complete_and_other_programs_read_them() {
    let scratch = Scratch::new();
    let path = scratch.path().join("r.npy");
    let mut writer = NpyResponsesWriter::create(&path, &[2, 1, 3]).expect("a writable folder");
    writer.write(&[1.0, 2.0, 3.0]).expect("a row");
    assert!(!path.exists());
    writer.write(&[4.0, 5.0, 6.5]).expect("a row");
    writer.finish().expect("complete");
    assert_eq!(scratch.files(), 1);
    let bytes = std::fs::read(&path).expect("a file");
    let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
    assert_eq!((array.shape(), array.order()), (&[2, 1, 3][..], npyz::Order::C));
    assert_eq!(array.into_vec::<f32>().expect("f32"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]);
    #[cfg(unix)]
    {
        // The same permissions as any file that this process makes.
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode(&path), mode(&scratch.with("other", b"")));
    }
}

#[test]
fn an_unfinished_or_miscounted_array_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let path = scratch.path().join("r.npy");
    let start = || NpyResponsesWriter::create(&path, &[2, 3]).expect("a writable folder");
    drop(start());
    let mut short = start();
    short.write(&[0.0; 3]).expect("a row");
    assert_eq!(scratch.said(short.finish()), "`r.npy`: 3 values were written, its shape [2, 3] needs 6");
    let mut long = start();
    long.write(&[0.0; 6]).expect("two rows");
    assert!(scratch.said(long.write(&[0.0])).contains("7 values were written"));
    drop(long);
    assert_eq!(scratch.files(), 0);
    let nowhere = scratch.path().join("no/folder/r.npy");
    assert!(scratch.said(NpyResponsesWriter::create(&nowhere, &[1])).contains("could not be written"));
    assert!(NpyResponsesWriter::create(&path, &[usize::MAX, 2]).is_err());
}

#[test]
fn files_of_other_writers_are_read() {
    let scratch = Scratch::new();
    let path = scratch.path().join("m.npy");
    let file = std::fs::File::create(&path).expect("a file");
    let mut writer =
        npyz::WriteOptions::<u8>::new().default_dtype().shape(&[2, 3, 4]).writer(file).begin_nd().expect("a file");
    writer.extend(counting(24)).expect("a file");
    writer.finish().expect("a file");
    let mut pixels = [0; 24];
    NpyMovie::open(&path).expect("a movie").read(0, 2, &mut pixels).expect("two frames");
    assert_eq!(pixels[..], counting(24));
}

#[test]
fn three_thousand_broken_arrays_never_panic() {
    let scratch = Scratch::new();
    let array = npy("|u1", "False", "5, 3, 4", &counting(60));
    let packed = npz(&[("video.npy", &array)], zip::CompressionMethod::Deflated);
    let behavior = npy("<f8", "False", "4, 2", &[0; 64]);
    let mut state = 9u64;
    let mut below = |limit: usize| {
        // SplitMix64, so that the same files are broken in the same way on every machine.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) as usize % limit
    };
    let mut refused = 0;
    for round in 0..3000 {
        let mut bad = [&array, &packed, &behavior][round % 3].clone();
        for _ in 0..=below(3) {
            let at = below(bad.len());
            match below(3) {
                0 => bad[at] ^= 1 << below(8),
                1 => bad[at] = b"\x00\xff09(,'{}T"[below(10)],
                _ => bad.truncate(at.max(1)),
            }
        }
        let path = scratch.with("m", &bad);
        if round % 3 == 2 {
            refused += usize::from(read_behavior_npy(&path).is_err());
        } else if let Ok(mut movie) = NpyMovie::open(&path) {
            let mut pixels = vec![0; movie.samples() * movie.raster().pixels()];
            movie.read(movie.frames() - 1, 1, &mut pixels).expect("the header was checked against the size");
        } else {
            refused += 1;
        }
    }
    assert!((1500..3000).contains(&refused), "{refused} of 3000 were refused");
}
