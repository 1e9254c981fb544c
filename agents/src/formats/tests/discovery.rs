use std::fs;
use std::path::PathBuf;

use super::super::discover;

#[test]
fn files_are_found_below_directories_in_a_fixed_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("b/c")).unwrap();
    for name in ["z.json", "b/a.xml", "b/c/m", ".hidden"] {
        fs::write(root.join(name), "x").unwrap();
    }
    let expected: Vec<PathBuf> =
        [".hidden", "b/a.xml", "b/c/m", "z.json"].iter().map(|name| root.join(name)).collect();
    assert_eq!(discover(&[root.to_owned()]).unwrap(), expected);
    let twice = [root.join("z.json"), root.to_owned(), root.join("b")];
    assert_eq!(discover(&twice).unwrap(), expected);
    let error = discover(&[root.join("nowhere")]).unwrap_err();
    assert!(error.to_string().contains("nowhere"));
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_ends() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("d")).unwrap();
    fs::write(root.join("d/f"), "x").unwrap();
    symlink(root, root.join("d/up")).unwrap();
    symlink(root.join("d"), root.join("a_second_name")).unwrap();
    symlink(root.join("gone"), root.join("broken")).unwrap();
    symlink(root.join("self"), root.join("self")).unwrap();
    let files = discover(&[root.to_owned()]).unwrap();
    assert_eq!(files.len(), 1);
    assert!(files[0].ends_with("f"));
}
