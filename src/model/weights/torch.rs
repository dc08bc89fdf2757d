//! State dicts saved by PyTorch: a zip file with a pickle as its table of contents and one member a storage.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::NamedTensor;
use super::element::Element;
use super::pickle::{self, Fault, View, quoted};

/// Tensors and the types they have in the file, by name.
pub(super) type RawTensors = BTreeMap<String, (NamedTensor, Element)>;

/// Every tensor of a file that `torch.save(module.state_dict(), ...)` wrote.
///
/// Nothing larger than the file is ever allocated: members must be stored as they are, all together they cannot
/// exceed the file, and neither can the number of values.
pub(super) fn read(bytes: &[u8]) -> Result<RawTensors, Fault> {
    let mut archive = Archive::open(bytes)?;
    let contents = archive.contents.clone();
    let contents = archive.member(&contents)?;
    let views = pickle::state_dict(&contents)?;
    let mut storages: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    let mut room = bytes.len();
    for (key, view) in views {
        let storage = match storages.entry(view.storage) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => {
                let name = format!("{}data/{}", archive.folder, view.storage);
                empty.insert(archive.member(&name)?)
            }
        };
        let values = elements(key, &view, storage, &mut room)?;
        tensors.insert(key.to_owned(), (NamedTensor { shape: view.shape, values }, view.element));
    }
    Ok(tensors)
}

/// The values of a tensor in row-major order.
fn elements(key: &str, view: &View, storage: &[u8], room: &mut usize) -> Result<Vec<f32>, Fault> {
    let damaged = |what: String| Err(Fault::Damaged(format!("{} {what}", quoted(key))));
    if view.stored.checked_mul(view.element.size()) != Some(storage.len()) {
        let (name, numbers) = (view.element.name(), view.stored);
        return damaged(format!("needs {numbers} {name} numbers, but its storage has {} bytes", storage.len()));
    }
    let Some(count) = view.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size)) else {
        return damaged(format!("has the impossible shape {:?}", view.shape));
    };
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut steps = view.shape.iter().zip(&view.strides);
    let last = steps.try_fold(view.offset, |at, (&n, &step)| (n - 1).checked_mul(step)?.checked_add(at));
    if count > view.stored || last.is_none_or(|last| last >= view.stored) {
        return damaged(format!("of shape {:?} reaches beyond the {} numbers of its storage", view.shape, view.stored));
    }
    // Tensors may share a storage, but not so often that a small file becomes a large network.
    *room = match room.checked_sub(count) {
        Some(rest) => rest,
        None => return damaged("is one of so many views that the file would grow when read".to_owned()),
    };
    let size = view.element.size();
    if view.strides == row_major(&view.shape) {
        return Ok(view.element.decode(&storage[view.offset * size..(view.offset + count) * size]));
    }
    let mut index = vec![0; view.shape.len()];
    let mut ordered = Vec::with_capacity(count * size);
    for _ in 0..count {
        let at = view.offset + index.iter().zip(&view.strides).map(|(i, step)| i * step).sum::<usize>();
        ordered.extend_from_slice(&storage[at * size..(at + 1) * size]);
        for (i, &size) in index.iter_mut().zip(&view.shape).rev() {
            *i += 1;
            if *i < size {
                break;
            }
            *i = 0;
        }
    }
    Ok(view.element.decode(&ordered))
}

fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The zip file around the tensors.
struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Name of the pickle.
    contents: String,
    /// What comes before `data.pkl` in its name.
    folder: String,
    /// Bytes that members may still have.
    room: usize,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken("the zip file", &e))?;
        let mut names = zip.file_names_raw().filter(|name| *name == b"data.pkl" || name.ends_with(b"/data.pkl"));
        let Some(contents) = names.next().and_then(|name| std::str::from_utf8(name).ok()).map(str::to_owned) else {
            return Err(Fault::Damaged("the zip file has no data.pkl: it was not written by torch.save".to_owned()));
        };
        drop(names);
        let folder = contents.trim_end_matches("data.pkl").to_owned();
        let mut archive = Self { zip, contents, folder, room: bytes.len() };
        let order = format!("{}byteorder", archive.folder);
        if archive.zip.index_for_name(&order).is_some() && archive.member(&order)? != b"little" {
            return Err(Fault::Damaged("its numbers are not little-endian".to_owned()));
        }
        Ok(archive)
    }

    /// The bytes of a member; their checksum is verified.
    fn member(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        let label = quoted(name);
        let file = self.zip.by_name(name).map_err(|e| broken(&label, &e))?;
        if file.compression() != zip::CompressionMethod::Stored || file.size() != file.compressed_size() {
            return Err(Fault::Damaged(format!("{label} is compressed, which torch.save never does")));
        }
        let size = usize::try_from(file.size()).ok().filter(|&size| size <= self.room);
        let Some(size) = size else {
            return Err(Fault::Damaged(format!("{label} claims {} bytes, more than the file has left", file.size())));
        };
        self.room -= size;
        let mut bytes = Vec::with_capacity(size);
        file.take(size as u64 + 1).read_to_end(&mut bytes).map_err(|e| broken(&label, &e))?;
        if bytes.len() != size {
            return Err(Fault::Damaged(format!("{label} has {} bytes instead of {size}", bytes.len())));
        }
        Ok(bytes)
    }
}

fn broken(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged(format!("{what} cannot be read ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Writes a pickle by hand.
    #[derive(Default)]
    struct Pickle(Vec<u8>);

    impl Pickle {
        fn raw(mut self, bytes: &[u8]) -> Self {
            self.0.extend(bytes);
            self
        }
        fn text(self, text: &str) -> Self {
            self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
        }
        fn int(self, number: i32) -> Self {
            self.raw(b"J").raw(&number.to_le_bytes())
        }
        fn sizes(self, sizes: &[i32]) -> Self {
            sizes.iter().fold(self.raw(b"("), |pickle, &n| pickle.int(n)).raw(b"t")
        }
        fn view(self, storage: (&str, &str, i32), offset: i32, shape: &[i32], strides: &[i32]) -> Self {
            self.raw(b"ctorch._utils\n_rebuild_tensor_v2\n((")
                .text("storage")
                .raw(format!("ctorch\n{}\n", storage.0).as_bytes())
                .text(storage.1)
                .text("cuda:0")
                .int(storage.2)
                .raw(b"tQ")
                .int(offset)
                .sizes(shape)
                .sizes(strides)
                .raw(b"\x89ccollections\nOrderedDict\n)RtR")
        }
    }

    fn dict(entries: impl FnOnce(Pickle) -> Pickle) -> Vec<u8> {
        entries(Pickle::default().raw(b"\x80\x02ccollections\nOrderedDict\n)R(")).raw(b"u.").0
    }

    fn saved(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut member = |name: &str, bytes: &[u8]| {
            zip.start_file(name, stored).expect("memory is writable");
            zip.write_all(bytes).expect("memory is writable");
        };
        member("x/data.pkl", pickle);
        member("x/byteorder", b"little");
        for (name, bytes) in storages {
            member(&format!("x/data/{name}"), bytes);
        }
        zip.finish().expect("memory is writable").into_inner()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    fn damage(file: &[u8]) -> String {
        match read(file) {
            Err(Fault::Damaged(what)) => what,
            other => panic!("expected damage, found {other:?}"),
        }
    }

    const SIX: (&str, &str, i32) = ("FloatStorage", "0", 6);

    #[test]
    fn transposed_and_offset_views_come_out_in_row_major_order() {
        let pickle = dict(|p| {
            let p = p.text("whole").view(SIX, 0, &[2, 3], &[3, 1]);
            let p = p.text("turned").view(SIX, 0, &[3, 2], &[1, 3]);
            let p = p.text("column").view(SIX, 1, &[2], &[3]);
            p.text("number").view(SIX, 5, &[], &[])
        });
        let values = floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let tensors = read(&saved(&pickle, &[("0", &values)])).expect("a good file");
        assert_eq!(tensors["whole"].0.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(tensors["turned"].0.values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(tensors["column"].0.values, [1.0, 4.0]);
        assert_eq!((tensors["number"].0.shape.len(), &tensors["number"].0.values[..]), (0, &[5.0][..]));
    }

    #[test]
    fn parameters_and_module_versions_are_read_over() {
        let pickle = dict(|p| {
            let p = p.text("a").raw(b"ctorch._utils\n_rebuild_parameter\n(").view(SIX, 0, &[6], &[1]);
            p.raw(b"\x88ccollections\nOrderedDict\n)RtR")
        });
        // `_metadata` of a module: an attribute of the dictionary, not an entry.
        let mut pickle = Pickle(pickle[..pickle.len() - 1].to_vec());
        pickle = pickle.raw(b"}").text("_metadata").raw(b"ccollections\nOrderedDict\n)R").text("");
        pickle = pickle.raw(b"}").text("version").raw(b"K\x01sssb.");
        let tensors = read(&saved(&pickle.0, &[("0", &floats(&[1.0; 6]))])).expect("a good file");
        assert_eq!(tensors.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn the_type_of_the_storage_is_kept() {
        let pickle = dict(|p| p.text("mask").view(("BoolStorage", "0", 2), 0, &[2], &[1]));
        let tensors = read(&saved(&pickle, &[("0", &[0, 1])])).expect("a good file");
        assert_eq!(tensors["mask"], (NamedTensor { shape: vec![2], values: vec![0.0, 1.0] }, Element::Bool));
    }

    #[test]
    fn a_pickle_that_asks_for_anything_else_is_refused_by_name() {
        for global in
            ["os\nsystem", "posix\nsystem", "builtins\neval", "torch\nload", "torch.storage\n_load_from_bytes"]
        {
            let pickle = dict(|p| p.text("a").raw(format!("c{global}\n").as_bytes()).raw(b"(").text("true").raw(b"tR"));
            assert_eq!(read(&saved(&pickle, &[])), Err(Fault::Refused(global.replace('\n', "."))));
        }
    }

    #[test]
    fn calls_of_unknown_things_deep_nests_and_false_memories_are_damage() {
        let refused = |pickle: &[u8]| damage(&saved(pickle, &[]));
        assert!(refused(b"\x80\x02K\x01)R.").contains("calls what is no function"));
        assert!(refused(b"\x80\x02j\xff\xff\xff\xff.").contains("recalls value 4294967295"));
        assert!(refused(b"\x80\x02h\x09.").contains("recalls value 9"));
        let mut nest = b"\x80\x02)".to_vec();
        nest.extend([0x85; 1_000_000]);
        assert!(refused(&nest).contains("nested too deeply"));
        assert!(refused(&[b"\x80\x02".as_slice(), &[b'('; 1_000_000]].concat()).contains("nested too deeply"));
        assert!(refused(&[b"\x80\x02".as_slice(), &[b'N'; 1_000_000]].concat()).contains("wait on the stack"));
        assert!(refused(&[b'N'; 3 << 20]).contains("table of contents has 3145728 bytes"));
        assert!(refused(b"\x80\x02X\xff\xff\xff\xff.").contains("a text of 4294967295 bytes"));
        assert!(refused(b"\x80\x02N.").contains("no dictionary of tensors"));
        assert_eq!(read(&saved(b"\x80\x02}.", &[])), Ok(BTreeMap::new()));
    }

    #[test]
    fn impossible_sizes_are_refused_before_anything_is_allocated() {
        let file = |p: Vec<u8>| damage(&saved(&p, &[("0", &floats(&[0.0; 6]))]));
        let view =
            |offset, shape: &[i32], strides: &[i32]| file(dict(|p| p.text("a").view(SIX, offset, shape, strides)));
        assert!(view(0, &[7], &[1]).contains("`a` of shape [7] reaches beyond the 6 numbers"));
        assert!(view(1, &[6], &[1]).contains("reaches beyond"));
        assert!(view(0, &[2], &[i32::MAX]).contains("reaches beyond"));
        assert!(view(0, &[1 << 30, 1 << 30, 1 << 30], &[0, 0, 0]).contains("impossible shape"));
        assert!(view(0, &[1 << 30], &[0]).contains("reaches beyond"));
        assert!(view(-1, &[6], &[1]).contains("is -1"));
        assert!(view(0, &[6], &[1, 1]).contains("strides"));
        assert!(view(0, &[1; 9], &[1; 9]).contains("9 axes"));
        let many = dict(|p| (0..200).fold(p, |p, i| p.text(&i.to_string()).view(SIX, 0, &[6], &[1])));
        assert!(read(&saved(&many, &[("0", &floats(&[0.0; 6]))])).is_ok());
        let wrong = dict(|p| p.text("a").view(("FloatStorage", "0", 7), 0, &[6], &[1]));
        assert!(file(wrong).contains("needs 7 float32 numbers, but its storage has 24 bytes"));
        let absent = dict(|p| p.text("a").view(("FloatStorage", "1", 6), 0, &[6], &[1]));
        assert!(file(absent).contains("`x/data/1` cannot be read"));
    }

    #[test]
    fn a_small_file_cannot_become_a_large_network() {
        let ones = floats(&[0.0; 1000]);
        let big = ("FloatStorage", "0", 1000);
        let many = dict(|p| (0..200).fold(p, |p, i| p.text(&i.to_string()).view(big, 0, &[1000], &[1])));
        assert!(damage(&saved(&many, &[("0", &ones)])).contains("the file would grow"));
    }

    #[test]
    fn compressed_members_and_altered_bytes_are_refused() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("x/data.pkl", zip::write::SimpleFileOptions::default()).expect("memory is writable");
        zip.write_all(&[b'N'; 1 << 16]).expect("memory is writable");
        let bomb = zip.finish().expect("memory is writable").into_inner();
        assert!(damage(&bomb).contains("`x/data.pkl` is compressed"));
        let pickle = dict(|p| p.text("a").view(SIX, 0, &[6], &[1]));
        let good = saved(&pickle, &[("0", &floats(&[0.5; 6]))]);
        let at = good.windows(4).position(|w| w == 0.5f32.to_le_bytes()).expect("a value");
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(damage(&bad).contains("`x/data/0` cannot be read"), "{}", damage(&bad));
        assert!(damage(&good[..good.len() / 2]).contains("zip"));
    }

    /// SplitMix64, so that the same files are broken in the same way on every machine.
    fn random(state: &mut u64) -> usize {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = *state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) as usize
    }

    /// Checksums would stop most damage at the door; here the table of contents itself is altered and stored anew.
    #[test]
    fn twenty_thousand_broken_tables_of_contents_never_panic() {
        let file = include_bytes!("../../../tests/fixtures/twin/tiny_pt/params_core.pt");
        let mut archive = Archive::open(file).expect("the fixture is good");
        let good = archive.member("params_core/data.pkl").expect("the fixture is good");
        let sizes: BTreeMap<String, usize> = pickle::state_dict(&good)
            .expect("the fixture is good")
            .values()
            .map(|view| (view.storage.to_owned(), view.stored * view.element.size()))
            .collect();
        let mut state = 1;
        let (mut read, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let mut bad = good.clone();
            for _ in 0..=random(&mut state) % 3 {
                let at = random(&mut state) % bad.len();
                match random(&mut state) % 4 {
                    0 => bad[at] ^= 1 << (random(&mut state) % 8),
                    1 => bad[at] = [0, 0xFF, b'(', b't', b'R', b'Q', b'b', b'u', b'.', 0x85][random(&mut state) % 10],
                    2 => drop(bad.splice(at..(at + random(&mut state) % 9).min(bad.len()), [])),
                    _ => bad.truncate(at.max(1)),
                }
            }
            match pickle::state_dict(&bad) {
                Err(_) => refused += 1,
                Ok(views) => {
                    read += 1;
                    let mut room = file.len();
                    for (key, view) in views {
                        let Some(&size) = sizes.get(view.storage) else { continue };
                        let values = elements(key, &view, &vec![0; size], &mut room);
                        assert!(values.is_err() || values.is_ok_and(|v| v.len() <= size));
                    }
                }
            }
        }
        // Both ends must be seen, or nothing was tried.
        assert!(read > 100 && refused > 10_000, "{read} were read, {refused} refused");
    }
}
