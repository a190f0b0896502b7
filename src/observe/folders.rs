//! Which containers of a project's name were made from another project directory.

use super::Observed;
use crate::value::path::spelled;
use std::collections::BTreeSet;
use std::path::Path;

/// The directories of containers that are not `own`, whatever links lead there. One that is not
/// there (any more, or on this machine) is another.
pub fn foreign(observed: &Observed, own: &Path) -> BTreeSet<String> {
    let all = observed.replicas().chain(&observed.oneoffs);
    let mut folders: BTreeSet<&str> = all.filter_map(|c| c.folder()).collect();
    let spelled = spelled(own);
    folders.retain(|folder| *folder != spelled && Path::new(folder) != own);
    if folders.is_empty() {
        return BTreeSet::new();
    }
    let real = std::fs::canonicalize(own).ok();
    let is_own = |folder: &&str| real.is_some() && std::fs::canonicalize(folder).ok() == real;
    folders.retain(|folder| !is_own(folder));
    folders.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ContainerSummary;
    use crate::labels::{CONFIG_HASH, WORKING_DIR};

    #[test]
    fn links_lead_to_the_same_and_what_is_gone_is_another() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("own");
        let other = directory.path().join("other");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        let gone = directory.path().join("gone");
        let mut all = vec![own.clone(), own.join("."), other.clone(), gone.clone()];
        #[cfg(unix)]
        {
            let link = directory.path().join("link");
            std::os::unix::fs::symlink(&own, &link).unwrap();
            all.push(link);
        }
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let row = |path: &Path| ContainerSummary {
            labels: [(CONFIG_HASH, "x".to_owned()), (WORKING_DIR, text(path))]
                .map(|(key, value)| (key.to_owned(), value))
                .into(),
            ..ContainerSummary::default()
        };
        let mut rows: Vec<_> = all.iter().map(|path| row(path)).collect();
        rows.push(ContainerSummary {
            labels: [(CONFIG_HASH.to_owned(), "x".to_owned())].into(),
            ..ContainerSummary::default()
        });
        let observed = Observed::from_containers(rows);
        let found = foreign(&observed, &own);
        assert_eq!(found, BTreeSet::from([text(&gone), text(&other)]));
    }
}
