//! Project files from elsewhere: git repositories and artifacts of registries, brought to a cache on
//! this machine. Loading sees them through [`Files`]; nothing happens before a file names one.

mod artifact;
mod cache;
mod challenge;
mod connection;
mod git;
mod login;
mod oci;
pub mod publish;
mod registry;

use crate::docker_config::ClientFile;
use crate::engine::docker::images::Keyring;
use crate::image::auth::ClientKeyring;
use crate::interrupt::{Cause, Interrupts, Stage};
use crate::load::disk::DiskFiles;
use crate::load::{Fetched, FileAttributes, FileKind, Files, Unfetched};
use crate::private;
use crate::programs::Programs;
use crate::signals;
use crate::threads;
use crate::value::address::Address;
use crate::value::switch;
use crate::value::userinfo::masked;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

pub use registry::Ways;

/// What fetching takes from its surroundings.
#[derive(Default)]
pub struct Settings {
    /// `COMPOSE_EXPERIMENTAL_GIT_REMOTE`, where set.
    pub git: Option<String>,
    /// `COMPOSE_EXPERIMENTAL_OCI_REMOTE`, where set.
    pub oci: Option<String>,
    /// Where to keep what was fetched; `None` where there is no home.
    pub cache: Option<PathBuf>,
    /// The user lets git ask for passwords, or says which ssh to use.
    pub git_may_ask: bool,
    pub has_own_ssh: bool,
    /// How many settings the user's environment has for git (`GIT_CONFIG_COUNT`).
    pub git_config_count: usize,
    /// How long a fetch may take once it was told of, if not as long as usual.
    pub limit: Option<Duration>,
    /// Says that something takes a while.
    pub tell: Option<fn(&str)>,
    /// How to get to registries.
    pub ways: Ways,
    /// Where Docker's client keeps credentials for them.
    pub docker_config: Option<Arc<ClientFile>>,
    /// Where programs are looked for.
    pub programs: Programs,
}

impl Settings {
    /// Reads the process environment as far as it matters.
    pub fn of(environment: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| environment.get(name).filter(|v| !v.is_empty()).cloned();
        let xdg = environment.get("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || Some(Path::new(&set("HOME")?).join(".cache"));
        Settings {
            git: set("COMPOSE_EXPERIMENTAL_GIT_REMOTE"),
            oci: set("COMPOSE_EXPERIMENTAL_OCI_REMOTE"),
            // Shared with Docker Compose, as the paths are part of what containers are made from.
            cache: xdg.or_else(home).map(|dir| dir.join("docker-compose")),
            git_may_ask: set("GIT_TERMINAL_PROMPT").is_some(),
            has_own_ssh: set("GIT_SSH").is_some() || set("GIT_SSH_COMMAND").is_some(),
            git_config_count: set("GIT_CONFIG_COUNT")
                .and_then(|count| count.parse().ok())
                .unwrap_or_default(),
            limit: None,
            tell: None,
            ways: Ways {
                proxy: set("HTTPS_PROXY").or_else(|| set("https_proxy")),
                no_proxy: set("NO_PROXY")
                    .or_else(|| set("no_proxy"))
                    .unwrap_or_default(),
                insecure: Vec::new(),
            },
            docker_config: None,
            programs: Programs::default(),
        }
    }

    fn keyring(&self) -> Option<Arc<dyn Keyring>> {
        let file = self.docker_config.clone()?;
        file.config();
        for warning in self.tell.map_or_else(Vec::new, |_| file.warnings()) {
            self.tell.iter().for_each(|tell| tell(&warning));
        }
        let programs = self.programs.clone();
        Some(Arc::new(ClientKeyring::new(file, programs)))
    }

    /// The cache: the user's alone, as what is fetched may be secret.
    fn cache(&self) -> Result<&Path, Unfetched> {
        let cache = self.cache.as_deref().ok_or_else(|| Unfetched {
            why: "there is no place for files from elsewhere: no home directory".into(),
            help: Some("say where with XDG_CACHE_HOME".into()),
        })?;
        if cache.exists() {
            private::folder(cache).map_err(|error| cache::unwritable(cache, &error))?;
        }
        Ok(cache)
    }
}

/// A fetch that takes longer is told of.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much longer one may take then.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Files of this machine, and those that are fetched to it.
#[derive(Default)]
pub struct RemoteFiles {
    pub settings: Settings,
    interrupted: OnceLock<Cause>,
    /// By address: what was fetched once is the same for as long as the program runs.
    known: Mutex<BTreeMap<String, Fetched>>,
}

impl RemoteFiles {
    pub fn new(settings: Settings) -> Self {
        RemoteFiles {
            settings,
            interrupted: OnceLock::new(),
            known: Mutex::default(),
        }
    }

    /// The addresses of what was fetched.
    pub fn fetched(&self) -> Vec<String> {
        self.known().keys().cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Fetched>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What broke a fetch off, if anything did.
    pub fn interruption(&self) -> Option<Cause> {
        self.interrupted.get().copied()
    }

    async fn bring(&self, address: &str) -> Result<Fetched, Unfetched> {
        let fail = |why: String| Unfetched { why, help: None };
        let parsed = match Address::parse(address) {
            Some(parsed) => parsed.map_err(|why| fail(format!("{}: {why}", masked(address))))?,
            None => return Err(fail(format!("{} is not an address", masked(address)))),
        };
        match parsed {
            Address::Git(git) => {
                allowed("git", "COMPOSE_EXPERIMENTAL_GIT_REMOTE", &self.settings.git)?;
                git::fetch(&self.settings, &git).await
            }
            Address::Oci(reference) => {
                allowed("OCI", "COMPOSE_EXPERIMENTAL_OCI_REMOTE", &self.settings.oci)?;
                oci::fetch(&self.settings, &reference).await
            }
        }
    }
}

/// Looks at the variable that switches a kind of address off.
fn allowed(kind: &str, variable: &str, value: &Option<String>) -> Result<(), Unfetched> {
    let Some(text) = value else { return Ok(()) };
    let (why, help) = match switch::parse(text) {
        Some(true) => return Ok(()),
        Some(false) => (
            format!("{kind} remote resource is disabled by \"{variable}\""),
            format!("unset {variable}, or fetch the file and give its path"),
        ),
        None => (
            format!("{variable} environment variable expects boolean value, not `{text}`"),
            "write true or false".into(),
        ),
    };
    Err(Unfetched {
        why,
        help: Some(help),
    })
}

impl Files for RemoteFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        DiskFiles.read(path)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        DiskFiles.kind(path)
    }

    fn attributes(&self, path: &Path) -> io::Result<FileAttributes> {
        DiskFiles.attributes(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        DiskFiles.canonicalize(path)
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        DiskFiles.stdin()
    }

    /// Loading waits for it on the thread that commands run on, so it gets a thread and a runtime
    /// of its own, which also listens for Ctrl-C.
    fn fetch(&self, address: &str) -> Result<Fetched, Unfetched> {
        if let Some(known) = self.known().get(address) {
            return Ok(known.clone());
        }
        let fail = |why: &dyn std::fmt::Display| Unfetched {
            why: format!("{}: {why}", masked(address)),
            help: None,
        };
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|e| fail(&e))?;
            runtime.block_on(async {
                let interrupts = Interrupts::default();
                let _hearing = signals::hear(interrupts.clone(), None);
                let telling = async {
                    tokio::time::sleep(PATIENCE).await;
                    if let Some(tell) = self.settings.tell {
                        tell(&format!("Fetching {} …", masked(address)));
                    }
                    tokio::time::sleep(self.settings.limit.unwrap_or(LIMIT)).await;
                };
                tokio::select! {
                    biased;
                    () = interrupts.reached(Stage::Leaving) => {
                        let cause = interrupts.cause().unwrap_or(Cause::Interrupt);
                        let _ = self.interrupted.set(cause);
                        Err(fail(&"broken off"))
                    }
                    done = self.bring(address) => done,
                    () = telling => Err(Unfetched {
                        help: Some("see whether this machine reaches it".into()),
                        ..fail(&"it took too long to fetch")
                    }),
                }
            })
        };
        let fetched = threads::aside("the fetch", work).map_err(|e| fail(&e))??;
        self.known().insert(address.to_owned(), fetched.clone());
        Ok(fetched)
    }
}
