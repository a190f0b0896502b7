use super::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// An entry of a tar by hand, as no well-meaning program writes it.
enum Made<'a> {
    File(&'a str, &'a str),
    Directory(&'a str, u32),
    Symlink(&'a str, &'a str),
    Link(&'a str, &'a str),
    Fifo(&'a str),
}

fn archive(entries: &[Made<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let (name, kind, mode, link, content) = match entry {
            Made::File(name, content) => (name, EntryType::Regular, 0o640, "", *content),
            Made::Directory(name, mode) => (name, EntryType::Directory, *mode, "", ""),
            Made::Symlink(name, link) => (name, EntryType::Symlink, 0o777, *link, ""),
            Made::Link(name, link) => (name, EntryType::Link, 0o640, *link, ""),
            Made::Fifo(name) => (name, EntryType::Fifo, 0o600, "", ""),
        };
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        header.set_mtime(1_000_000_000);
        // Past the library's own checks.
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

struct Place {
    _around: tempfile::TempDir,
    root: std::path::PathBuf,
    outside: std::path::PathBuf,
}

fn place() -> Place {
    let around = tempfile::tempdir().unwrap();
    let (root, outside) = (around.path().join("dest"), around.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "kept").unwrap();
    Place {
        _around: around,
        root,
        outside,
    }
}

fn put(place: &Place, entries: &[Made<'_>]) -> io::Result<()> {
    unpack(&mut archive(entries).as_slice(), &place.root, None)
}

#[test]
fn all_kinds() {
    let place = place();
    let entries = [
        Made::Directory("d/", 0o555),
        Made::File("d/file", "content"),
        Made::Link("d/second", "d/file"),
        Made::Symlink("absolute", "/etc/passwd"),
        Made::Symlink("up", "../outside"),
        Made::Fifo("pipe"),
        Made::File("/rooted", "r"),
        Made::File("implied/by/name", "n"),
    ];
    put(&place, &entries).unwrap();
    let at = |name: &str| place.root.join(name);
    assert_eq!(fs::read_to_string(at("d/file")).unwrap(), "content");
    let file = fs::metadata(at("d/file")).unwrap();
    assert_eq!(
        (file.mode() & 0o7777, file.mtime(), file.nlink()),
        (0o640, 1_000_000_000, 2)
    );
    let directory = fs::metadata(at("d")).unwrap();
    assert_eq!(
        (directory.mode() & 0o7777, directory.mtime()),
        (0o555, 1_000_000_000)
    );
    assert_eq!(
        fs::read_link(at("absolute")).unwrap(),
        Path::new("/etc/passwd")
    );
    assert_eq!(fs::read_link(at("up")).unwrap(), Path::new("../outside"));
    assert_eq!(fs::read_to_string(at("rooted")).unwrap(), "r");
    assert_eq!(fs::read_to_string(at("implied/by/name")).unwrap(), "n");
    // Again over what is there.
    fs::set_permissions(at("d"), fs::Permissions::from_mode(0o755)).unwrap();
    put(&place, &entries).unwrap();
}

#[test]
fn nothing_is_written_outside() {
    for (what, entries) in [
        (
            "a name that leads up",
            vec![Made::File("../outside/secret", "x")],
        ),
        (
            "one that goes down first",
            vec![Made::File("a/../../outside/new", "x")],
        ),
        (
            "a file through a link",
            vec![
                Made::Symlink("l", "../outside"),
                Made::File("l/secret", "x"),
            ],
        ),
        (
            "a file through an absolute link",
            vec![Made::Symlink("l", "OUTSIDE"), Made::File("l/new", "x")],
        ),
        (
            "a directory through a link",
            vec![
                Made::Symlink("l", "../outside"),
                Made::Directory("l/new", 0o755),
            ],
        ),
        (
            "a link as a directory, to change what it leads to",
            vec![
                Made::Symlink("l", "../outside"),
                Made::Directory("l", 0o700),
            ],
        ),
        (
            "a hard link to a file outside",
            vec![Made::Link("l", "../outside/secret"), Made::File("l", "x")],
        ),
        (
            "a hard link through a link",
            vec![
                Made::Symlink("l", "../outside"),
                Made::Link("m", "l/secret"),
            ],
        ),
        (
            "a link through a link",
            vec![
                Made::Symlink("l", ".."),
                Made::Symlink("l/outside/new", "x"),
            ],
        ),
    ] {
        let place = place();
        let outside = place.outside.display().to_string();
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| match entry {
                Made::Symlink(name, "OUTSIDE") => Made::Symlink(name, &outside),
                Made::Symlink(a, b) => Made::Symlink(a, b),
                Made::File(a, b) => Made::File(a, b),
                Made::Directory(a, b) => Made::Directory(a, *b),
                Made::Link(a, b) => Made::Link(a, b),
                Made::Fifo(a) => Made::Fifo(a),
            })
            .collect();
        let before = fs::metadata(&place.outside).unwrap().mode();
        let result = put(&place, &entries);
        result.expect_err(what);
        let left: Vec<_> = fs::read_dir(&place.outside).unwrap().collect();
        assert_eq!(left.len(), 1, "{what}");
        assert_eq!(
            fs::read_to_string(place.outside.join("secret")).unwrap(),
            "kept",
            "{what}"
        );
        assert_eq!(
            fs::metadata(&place.outside).unwrap().mode(),
            before,
            "{what}"
        );
    }
}

#[test]
fn a_file_over_a_link_replaces_the_link() {
    let place = place();
    symlink(place.outside.join("secret"), place.root.join("f")).unwrap();
    put(&place, &[Made::File("f", "new")]).unwrap();
    assert_eq!(fs::read_to_string(place.root.join("f")).unwrap(), "new");
    assert_eq!(
        fs::read_to_string(place.outside.join("secret")).unwrap(),
        "kept"
    );
}

#[test]
fn kinds_are_not_exchanged() {
    let place = place();
    fs::create_dir(place.root.join("d")).unwrap();
    fs::write(place.root.join("f"), "old").unwrap();
    let error = put(&place, &[Made::File("d", "x")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "d: cannot overwrite directory with non-directory"
    );
    let error = put(&place, &[Made::Directory("f", 0o755)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "f: cannot overwrite non-directory with directory"
    );
}

#[test]
fn names_change_on_the_way() {
    let place = place();
    let rename = Rename {
        from: "src".into(),
        to: "new".into(),
    };
    let tar = archive(&[
        Made::Directory("src/", 0o755),
        Made::File("src/a", "a"),
        Made::Link("src/b", "src/a"),
    ]);
    unpack(&mut tar.as_slice(), &place.root, Some(&rename)).unwrap();
    assert_eq!(fs::read_to_string(place.root.join("new/b")).unwrap(), "a");
}

#[test]
fn nothing_is_written_beside_the_destination() {
    let place = place();
    let rename = |from: &str| Rename {
        from: from.into(),
        to: "new".into(),
    };
    let hostile = [
        [Made::File("src/a", "a"), Made::File("evil", "x")],
        [Made::File("src/a", "a"), Made::Link("src/b", "evil")],
    ];
    for entries in hostile {
        let tar = archive(&entries);
        let error = unpack(&mut tar.as_slice(), &place.root, Some(&rename("src"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "evil: is not below src, which was asked for"
        );
        assert!(!place.root.join("evil").exists());
    }
    // What is in a directory, as Podman sends it: without the directory itself.
    let tar = archive(&[Made::Directory("sub/", 0o755), Made::File("sub/a", "a")]);
    unpack(&mut tar.as_slice(), &place.root, Some(&rename("."))).unwrap();
    assert_eq!(
        fs::read_to_string(place.root.join("new/sub/a")).unwrap(),
        "a"
    );
    assert!(!place.root.join("sub").exists());
}

#[test]
fn many_directories_do_not_run_out_of_files() {
    let place = place();
    let names: Vec<String> = (0..2000).map(|n| format!("d{n}")).collect();
    let entries: Vec<_> = names.iter().map(|n| Made::Directory(n, 0o750)).collect();
    put(&place, &entries).unwrap();
    let mode = fs::metadata(place.root.join("d1")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o750);
}

#[test]
fn half_a_file_is_removed() {
    let place = place();
    let mut tar = archive(&[Made::File("f", &"x".repeat(5000))]);
    tar.truncate(2000);
    unpack(&mut tar.as_slice(), &place.root, None).unwrap_err();
    assert!(!place.root.join("f").exists());
}
