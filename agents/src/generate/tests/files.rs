use std::fs;
use std::io::Read;
use std::str::FromStr;

use super::super::*;
use super::mixed;

/// A writer that is full after some bytes.
#[derive(Debug)]
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_refuses_ends_the_generation_with_its_error() {
    let error = generate(Kind::Labels, &Options::new(1_000, 1), &mut Full(50_000), &mut |_| {}).unwrap_err();
    assert!(
        matches!(error, GenerateError::Write(source) if source.kind() == std::io::ErrorKind::StorageFull)
    );
}

#[test]
fn kinds_are_read_from_their_names_and_others_are_refused_by_name() {
    for (kind, name) in Kind::ALL.into_iter().zip(Kind::NAMES) {
        assert_eq!((Kind::from_str(name), kind.to_string()), (Ok(kind), name.to_owned()));
    }
    let message = Kind::from_str("patients").unwrap_err().to_string();
    assert!(message.contains("patients") && message.contains("people"), "{message}");
}

#[test]
fn a_compressed_file_holds_the_bytes_of_the_plain_one_and_is_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, force| {
        let path = folder.path().join(name);
        write_file(Kind::Articles, &mixed(80), &path, force, &mut |_| {}).unwrap();
        fs::read(path).unwrap()
    };
    let (plain, packed) = (write("a.xml", false), write("b.xml.gz", false));
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!((plain, &packed), (unpacked, &write("b.xml.gz", true)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn the_ending_of_the_name_says_the_layout_and_a_wrong_one_is_refused() {
    use std::path::Path;
    for (kind, name, layout) in [
        (Kind::Studies, "x.json", Some(Layout::Page)),
        (Kind::Studies, "x.ndjson.gz", Some(Layout::Lines)),
        (Kind::Labels, "X.JSON.GZ", Some(Layout::Page)),
        (Kind::Consents, "x.jsonl", Some(Layout::Lines)),
        (Kind::Consents, "x.json", None),
        (Kind::Articles, "x.json", None),
        (Kind::People, "x", None),
        (Kind::Events, "x.gz", None),
    ] {
        assert_eq!(layout_of(kind, Path::new(name)).ok(), layout, "{kind} {name}");
    }
}

#[test]
fn a_file_that_exists_is_replaced_only_when_asked_and_a_failure_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, "mine").unwrap();
    let options = Options::new(5, 1);
    let error = write_file(Kind::People, &options, &path, false, &mut |_| {}).unwrap_err();
    assert!(matches!(error, GenerateError::Exists { .. }));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    write_file(Kind::People, &options, &path, true, &mut |_| {}).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"rec_id,"));
    let missing = folder.path().join("no such folder").join("people.csv");
    assert!(matches!(
        write_file(Kind::People, &options, &missing, false, &mut |_| {}),
        Err(GenerateError::File { .. })
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
