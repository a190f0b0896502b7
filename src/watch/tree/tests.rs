use super::*;
use std::fs;

const NOTHING: Skips<'static> = &|_| false;

struct Place {
    _directory: tempfile::TempDir,
    root: PathBuf,
    tree: Tree,
}

fn place(make: impl Fn(&Path)) -> Place {
    let directory = tempfile::tempdir().unwrap();
    let around = directory.path().canonicalize().unwrap();
    let root = around.join("src");
    fs::create_dir(&root).unwrap();
    make(&root);
    let skips = |path: &Path| path.ends_with("skipped");
    let tree = Tree::new([root.clone()].into(), &[], &skips).unwrap();
    Place {
        _directory: directory,
        root,
        tree,
    }
}

impl Place {
    /// What is told until nothing more comes.
    async fn told(&mut self) -> Vec<String> {
        let mut all = BTreeSet::new();
        let skips = |path: &Path| path.ends_with("skipped");
        let limit = Duration::from_millis(300);
        while let Ok(changes) = tokio::time::timeout(limit, self.tree.quiet()).await {
            for changed in self.tree.look(&changes.unwrap(), &skips).unwrap() {
                if let Ok(path) = changed.path.strip_prefix(&self.root) {
                    let sign = if changed.is_gone { "-" } else { "+" };
                    all.insert(format!("{sign}{}", path.display()));
                }
            }
        }
        all.into_iter().collect()
    }
}

#[tokio::test]
async fn saves_in_all_their_ways() {
    let mut place = place(|root| fs::write(root.join("a"), "1").unwrap());
    let root = place.root.clone();
    fs::write(root.join("a"), "2").unwrap();
    assert_eq!(place.told().await, ["+a"]);
    // Written to another file, which takes its place.
    fs::write(root.join(".a.tmp"), "3").unwrap();
    fs::rename(root.join(".a.tmp"), root.join("a")).unwrap();
    assert_eq!(place.told().await, ["+a", "-.a.tmp"]);
    // The old one is kept under another name.
    fs::rename(root.join("a"), root.join("a~")).unwrap();
    fs::write(root.join("a"), "4").unwrap();
    assert_eq!(place.told().await, ["+a", "+a~"]);
    fs::remove_file(root.join("a")).unwrap();
    assert_eq!(place.told().await, ["-a"]);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(root.join("a~"), executable).unwrap();
    assert_eq!(place.told().await, ["+a~"]);
}

#[tokio::test]
async fn reading_is_no_change() {
    let mut place = place(|root| {
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/a"), "1").unwrap();
    });
    fs::read(place.root.join("d/a")).unwrap();
    fs::read_dir(place.root.join("d")).unwrap().count();
    assert!(place.told().await.is_empty());
}

#[tokio::test]
async fn directories_come_and_go() {
    let mut place = place(|root| {
        fs::create_dir_all(root.join("skipped/deep")).unwrap();
    });
    let root = place.root.clone();
    fs::write(root.join("skipped/deep/a"), "x").unwrap();
    assert!(place.told().await.is_empty());
    fs::create_dir_all(root.join("new/deep")).unwrap();
    fs::write(root.join("new/deep/a"), "x").unwrap();
    assert_eq!(place.told().await, ["+new", "+new/deep", "+new/deep/a"]);
    fs::write(root.join("new/deep/b"), "x").unwrap();
    assert_eq!(place.told().await, ["+new/deep/b"]);
    fs::rename(root.join("new"), root.join("moved")).unwrap();
    let told = place.told().await;
    assert!(
        told.contains(&"-new".into()) && told.contains(&"+moved/deep/b".into()),
        "{told:?}"
    );
    fs::write(root.join("moved/deep/c"), "x").unwrap();
    assert_eq!(place.told().await, ["+moved/deep/c"]);
    // Another one of the same name, within a moment.
    fs::remove_dir_all(root.join("moved")).unwrap();
    fs::create_dir_all(root.join("moved/deep")).unwrap();
    fs::write(root.join("moved/deep/d"), "x").unwrap();
    assert!(place.told().await.contains(&"+moved/deep/d".into()));
    fs::write(root.join("moved/deep/e"), "x").unwrap();
    assert_eq!(place.told().await, ["+moved/deep/e"]);
}

#[tokio::test]
async fn a_root_may_come_back() {
    let mut place = place(|root| fs::write(root.join("a"), "x").unwrap());
    let root = place.root.clone();
    fs::remove_dir_all(&root).unwrap();
    assert!(place.told().await.contains(&"-".into()));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("b"), "x").unwrap();
    assert!(place.told().await.contains(&"+b".into()));
    fs::write(root.join("c"), "x").unwrap();
    assert_eq!(place.told().await, ["+c"]);
}

#[tokio::test]
async fn many_changes_come_together() {
    let mut place = place(|_| {});
    let root = place.root.clone();
    let writing = tokio::task::spawn(async move {
        for n in 0..1000 {
            fs::write(root.join(format!("f{n}")), "x").unwrap();
        }
    });
    writing.await.unwrap();
    let changes = place.tree.quiet().await.unwrap();
    let found = place.tree.look(&changes, NOTHING).unwrap();
    assert_eq!(found.iter().filter(|c| c.path != place.root).count(), 1000);
}

#[test]
fn limits_are_told_by_name() {
    let error = limit(
        Path::new("/x"),
        notify::Error::new(ErrorKind::MaxFilesWatch),
    );
    assert!(
        error.to_string().contains("fs.inotify.max_user_watches"),
        "{error}"
    );
    let full = io::Error::from_raw_os_error(24);
    let error = limit(Path::new("/x"), notify::Error::io(full));
    assert!(error.to_string().contains("max_user_instances"), "{error}");
}
