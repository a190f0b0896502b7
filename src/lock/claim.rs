//! A claim on a project: a volume whose labels name the holder.
//!
//! A volume's labels never change, and of several that create one name at once exactly one makes
//! it. So a claim that is to be renewed, or taken over, is a chain of volumes: whoever makes the
//! next one of the chain has the claim.

use crate::engine::{ResourceRequest, VolumeSummary};
use crate::labels::{LOCK, LOCK_VOLUME};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

const TOKEN: &str = "dev.regatta.lock.token";
const HOST: &str = "dev.regatta.lock.host";
const PROCESS: &str = "dev.regatta.lock.process";
const COMMAND: &str = "dev.regatta.lock.command";
const SINCE: &str = "dev.regatta.lock.since";
const FILE: &str = "dev.regatta.lock.file";

/// What the name of a project's lock begins with. A volume is a directory of the engine's, whose
/// name has at most 255 bytes, as has a file: of a long project name the beginning and a digest of
/// the whole stand for it.
pub fn stem(project: &str) -> Cow<'_, str> {
    const LONGEST: usize = 200;
    if project.len() <= LONGEST {
        return project.into();
    }
    let digest = Sha256::digest(project);
    let hex: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    let kept = project.floor_char_boundary(LONGEST - hex.len() - 1);
    format!("{}-{hex}", &project[..kept]).into()
}

/// Where a volume stands in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// Begins a chain: ten seconds of the epoch, by the clock of the command that began it. Two chains
    /// that begin at the same time meet at one name; one that begins later meets none that a
    /// sleeper may still want to delete.
    pub epoch: u64,
    pub step: u64,
}

impl Generation {
    /// Seconds for which new chains have the same name; shorter than a lease.
    const EPOCH: u64 = 10;

    /// The beginning of a chain at a time in seconds since the epoch.
    pub fn first(seconds: u64) -> Self {
        Generation {
            epoch: seconds / Self::EPOCH,
            step: 0,
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        Generation {
            step: self.step + 1,
            ..self
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (epoch, step) = text.split_once('.')?;
        Some(Generation {
            epoch: epoch.parse().ok()?,
            step: step.parse().ok()?,
        })
    }
}

/// The volume's name of a generation.
pub fn volume_name(project: &str, generation: Generation) -> String {
    let Generation { epoch, step } = generation;
    format!("{}{LOCK_VOLUME}{epoch}.{step}", stem(project))
}

/// The command that claims a project, in words for the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Differs for every command that was ever run.
    pub token: String,
    pub host: String,
    /// The process's number, as its host (or its container) counts.
    pub process: u32,
    /// `regatta up`.
    pub command: String,
    /// RFC 3339, by the holder's clock: to be shown, never compared.
    pub since: String,
    /// Identifies the file that it keeps locked as long as it lives, on its machine; `None`
    /// where there is none.
    pub file: Option<String>,
}

impl Holder {
    /// `regatta up on web1 (process 4711), since 2026-11-21 15:04:05 UTC`.
    pub fn in_words(&self) -> String {
        let since = self.since.replace('T', " ").replace('Z', " UTC");
        let Holder {
            host,
            process,
            command,
            ..
        } = self;
        if *process == 0 {
            return match command.as_str() {
                "" => "a command that does not name itself".to_owned(),
                command => command.to_owned(),
            };
        }
        match since.is_empty() {
            true => format!("{command} on {host} (process {process})"),
            false => format!("{command} on {host} (process {process}), since {since}"),
        }
    }

    /// The holder of a lock file that does not say which process it is.
    pub fn nameless(path: &dyn std::fmt::Display) -> Self {
        Holder {
            command: format!("a process that keeps {path} locked and does not name itself"),
            ..Holder::default()
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels: BTreeMap<String, String> = [
            (TOKEN, self.token.clone()),
            (HOST, self.host.clone()),
            (PROCESS, self.process.to_string()),
            (COMMAND, self.command.clone()),
            (SINCE, self.since.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        if let Some(file) = &self.file {
            labels.insert(FILE.to_owned(), file.clone());
        }
        labels
    }

    /// As JSON, for the lock file.
    pub fn to_json(&self) -> String {
        serde_json::json!(self.labels()).to_string()
    }

    /// Reads what [`Holder::to_json`] wrote.
    pub fn from_json(text: &str) -> Option<Self> {
        Some(Holder::from_labels(&serde_json::from_str(text).ok()?))
    }

    fn from_labels(labels: &BTreeMap<String, String>) -> Self {
        let label = |key: &str| labels.get(key).cloned().unwrap_or_default();
        Holder {
            token: label(TOKEN),
            host: label(HOST),
            process: label(PROCESS).parse().unwrap_or_default(),
            command: label(COMMAND),
            since: label(SINCE),
            file: labels.get(FILE).cloned(),
        }
    }
}

/// One volume of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub generation: Generation,
    pub holder: Holder,
}

impl Claim {
    /// Reads a volume of the project's lock; `None` if it is none.
    pub fn of(project: &str, volume: &VolumeSummary) -> Option<Self> {
        let name = volume.name.strip_prefix(&*stem(project))?;
        let rest = name.strip_prefix(LOCK_VOLUME)?;
        Some(Claim {
            generation: Generation::parse(rest)?,
            holder: Holder::from_labels(&volume.labels),
        })
    }

    /// The request that makes it, or shows its holder.
    pub fn request(&self, project: &str) -> ResourceRequest {
        let name = volume_name(project, self.generation);
        let mut labels = self.holder.labels();
        labels.insert(LOCK.to_owned(), project.to_owned());
        ResourceRequest {
            body: serde_json::json!({ "Name": name, "Labels": labels }),
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        Claim {
            generation: Generation { epoch: 7, step: 3 },
            holder: Holder {
                token: "t".into(),
                host: "web1".into(),
                process: 4711,
                command: "regatta up".into(),
                since: "2026-11-21T15:04:05Z".into(),
                file: Some("boot:1:2".into()),
            },
        }
    }

    #[test]
    fn a_volume_gives_back_its_claim() {
        let request = claim().request("shop");
        assert_eq!(request.name, "shop_regatta-lock.7.3");
        let labels = request.body["Labels"].as_object().unwrap();
        assert_eq!(labels[LOCK], "shop");
        assert!(labels.keys().all(|key| !key.starts_with("com.docker.")));
        let volume = VolumeSummary {
            name: request.name,
            driver: "local".into(),
            labels: serde_json::from_value(request.body["Labels"].clone()).unwrap(),
            ..VolumeSummary::default()
        };
        assert_eq!(Claim::of("shop", &volume), Some(claim()));
        assert_eq!(Claim::of("sho", &volume), None);
        assert_eq!(
            Holder::from_json(&claim().holder.to_json()),
            Some(claim().holder)
        );
    }

    #[test]
    fn a_long_project_name_has_a_lock_of_its_own() {
        let [one, other] = ["x", "y"].map(|end| "p".repeat(250) + end);
        let request = claim().request(&one);
        assert!(request.name.len() < 255, "{}", request.name);
        assert_eq!(request.body["Labels"][LOCK], one.as_str());
        let volume = VolumeSummary {
            name: request.name,
            labels: claim().holder.labels(),
            ..VolumeSummary::default()
        };
        assert_eq!(Claim::of(&one, &volume), Some(claim()));
        assert_eq!(Claim::of(&other, &volume), None);
    }

    #[test]
    fn a_holder_is_named() {
        assert_eq!(
            claim().holder.in_words(),
            "regatta up on web1 (process 4711), since 2026-11-21 15:04:05 UTC"
        );
        assert_eq!(
            Holder::default().in_words(),
            "a command that does not name itself"
        );
        assert_eq!(
            Holder::nameless(&"/l/p.lock").in_words(),
            "a process that keeps /l/p.lock locked and does not name itself"
        );
    }

    #[test]
    fn new_chains_begin_under_one_name_for_ten_seconds() {
        assert_eq!(Generation::first(1009), Generation::first(1000));
        assert!(Generation::first(1010) > Generation::first(1009).next());
    }
}
