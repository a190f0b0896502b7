//! `config.json` of Docker's client: credentials for registries, proxies for containers, the current
//! context, formats.
//!
//! What can be read of it counts. What cannot (a wrong type, a broken entry, the rest of a file that
//! was cut) is left out and told with its place, as Docker's own client goes on, too. The texts never
//! hold a value: it may be a password.

mod json;

use crate::load::Files;
use crate::load::disk::DiskFiles;
use base64::Engine as _;
use json::{Entry, Object};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The file, as far as it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientConfig {
    pub auths: BTreeMap<String, Auth>,
    /// The helper program that keeps all credentials; empty for none.
    pub creds_store: String,
    /// Helper programs of single registries.
    pub cred_helpers: BTreeMap<String, String>,
    pub proxies: BTreeMap<String, Proxies>,
    /// Empty for none.
    pub current_context: String,
    /// The keys that leave a process in a container alone; empty for the engine's own.
    pub detach_keys: String,
    /// `psFormat` and its like.
    pub formats: BTreeMap<String, String>,
}

/// What the file itself knows about a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    pub username: String,
    pub password: String,
    pub identity_token: String,
}

/// The proxies of one engine's containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    pub http: String,
    pub https: String,
    pub no: String,
    pub ftp: String,
    pub all: String,
}

/// A part that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub why: String,
}

impl ClientConfig {
    /// Reads what can be read; the faults are in the order of the file. An empty file says nothing.
    pub fn parse(bytes: &[u8]) -> (Self, Vec<Fault>) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut reading = Reading::default();
        if !text.trim().is_empty() {
            reading.top(text);
        }
        let mut faults = reading.faults;
        faults.extend(reading.broken);
        faults.sort_by_key(|(at, _)| *at);
        let placed = faults.into_iter().map(|(at, why)| {
            let before = &text[..text.floor_char_boundary(at)];
            let line = before.rsplit('\n').next().unwrap_or_default();
            Fault {
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
                why,
            }
        });
        (reading.config, placed.collect())
    }

    /// The variables that containers of an engine get, in both spellings.
    pub fn proxy_environment(&self, endpoint: &str) -> BTreeMap<String, String> {
        let Some(proxies) = self.proxies.get(endpoint).or(self.proxies.get("default")) else {
            return BTreeMap::new();
        };
        let mut all = BTreeMap::new();
        for (name, value) in [
            ("HTTP_PROXY", &proxies.http),
            ("HTTPS_PROXY", &proxies.https),
            ("NO_PROXY", &proxies.no),
            ("FTP_PROXY", &proxies.ftp),
            ("ALL_PROXY", &proxies.all),
        ] {
            if !value.is_empty() {
                all.insert(name.to_string(), value.clone());
                all.insert(name.to_lowercase(), value.clone());
            }
        }
        all
    }
}

/// A reading under way; faults with the byte where they are.
#[derive(Default)]
struct Reading {
    config: ClientConfig,
    faults: Vec<(usize, String)>,
    /// Where it is no JSON; nothing behind that is read.
    broken: Option<(usize, String)>,
}

impl Reading {
    fn fault(&mut self, at: usize, why: impl Into<String>) {
        self.faults.push((at, why.into()));
    }

    fn top(&mut self, text: &str) {
        for entry in self.object("the file", text, 0) {
            match entry.key.as_str() {
                "auths" => self.auths(text, &entry),
                "credHelpers" => self.helpers(text, &entry),
                "proxies" => self.proxies(text, &entry),
                "detachKeys" => self.config.detach_keys = self.string("detachKeys", &entry),
                "credsStore" => self.config.creds_store = self.string("credsStore", &entry),
                "currentContext" => {
                    self.config.current_context = self.string("currentContext", &entry);
                }
                key if key.ends_with("Format") => {
                    let format = self.string(key, &entry);
                    self.config.formats.insert(key.to_owned(), format);
                }
                _ => {}
            }
        }
    }

    fn auths(&mut self, text: &str, all: &Entry<'_>) {
        for registry in self.members("auths", text, all) {
            let name = format!("auths.{:?}", registry.key);
            let mut auth = Auth::default();
            for entry in self.members(&name, text, &registry) {
                let field = format!("{name}.{}", entry.key);
                match entry.key.as_str() {
                    "username" => auth.username = self.string(&field, &entry),
                    "password" => auth.password = self.string(&field, &entry),
                    "identitytoken" => auth.identity_token = self.string(&field, &entry),
                    _ => {}
                }
            }
            // It comes before the two fields, wherever it stands.
            let members = self.quietly(|reading| reading.members(&name, text, &registry));
            for entry in members.iter().filter(|entry| entry.key == "auth") {
                let field = format!("{name}.auth");
                let value = self.string(&field, entry);
                match decoded(&value) {
                    Some((username, password)) => {
                        (auth.username, auth.password) = (username, password);
                    }
                    None if value.is_empty() => {}
                    None => self.fault(
                        entry.value_at,
                        format!("{field} is not NAME:PASSWORD in base64"),
                    ),
                }
            }
            self.config.auths.insert(registry.key, auth);
        }
    }

    fn helpers(&mut self, text: &str, all: &Entry<'_>) {
        for entry in self.members("credHelpers", text, all) {
            let helper = self.string(&format!("credHelpers.{:?}", entry.key), &entry);
            self.config.cred_helpers.insert(entry.key, helper);
        }
    }

    fn proxies(&mut self, text: &str, all: &Entry<'_>) {
        for engine in self.members("proxies", text, all) {
            let name = format!("proxies.{:?}", engine.key);
            let mut proxies = Proxies::default();
            for entry in self.members(&name, text, &engine) {
                let slot = match entry.key.as_str() {
                    "httpProxy" => &mut proxies.http,
                    "httpsProxy" => &mut proxies.https,
                    "noProxy" => &mut proxies.no,
                    "ftpProxy" => &mut proxies.ftp,
                    "allProxy" => &mut proxies.all,
                    _ => continue,
                };
                *slot = self.string(&format!("{name}.{}", entry.key), &entry);
            }
            self.config.proxies.insert(engine.key, proxies);
        }
    }

    /// The entries of an entry's object; `null` is one without any.
    fn members<'t>(&mut self, name: &str, text: &'t str, entry: &Entry<'t>) -> Vec<Entry<'t>> {
        match entry.raw {
            Some("null") => Vec::new(),
            None if !text[entry.value_at..].starts_with('{') => Vec::new(),
            _ => self.object(name, text, entry.value_at),
        }
    }

    fn object<'t>(&mut self, name: &str, text: &'t str, at: usize) -> Vec<Entry<'t>> {
        match json::object(text, at) {
            Object::None(at) => {
                self.fault(at, format!("{name} must be an object"));
                Vec::new()
            }
            Object::Some { entries, fault } => {
                // Of objects in one another the innermost knows best.
                self.broken = fault.or(self.broken.take());
                entries
            }
        }
    }

    /// Reads something again whose faults are known.
    fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let known = self.faults.len();
        let result = read(self);
        self.faults.truncate(known);
        result
    }

    /// A text; `null`, and what is cut off or none, is an empty one.
    fn string(&mut self, name: &str, entry: &Entry<'_>) -> String {
        match entry.raw.map(serde_json::from_str::<Option<String>>) {
            // The fault that ends the file tells of it.
            None | Some(Ok(None)) => String::new(),
            Some(Ok(Some(text))) => text,
            Some(Err(_)) => {
                self.fault(entry.value_at, format!("{name} must be a string"));
                String::new()
            }
        }
    }
}

/// `NAME:PASSWORD`, in base 64.
fn decoded(auth: &str) -> Option<(String, String)> {
    let engine = base64::engine::general_purpose::STANDARD;
    let text = String::from_utf8(engine.decode(auth.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    // Docker pads with zero bytes.
    let password = password.trim_end_matches('\0');
    (!name.is_empty()).then(|| (name.to_owned(), password.to_owned()))
}

/// The file on this machine, read when it is first needed.
#[derive(Debug)]
pub struct ClientFile {
    path: PathBuf,
    config: OnceLock<ClientConfig>,
    untold: Mutex<Vec<String>>,
}

impl ClientFile {
    /// `directory` is that of `config.json`.
    pub fn new(directory: &Path) -> Self {
        ClientFile {
            path: directory.join("config.json"),
            config: OnceLock::new(),
            untold: Mutex::default(),
        }
    }

    pub fn config(&self) -> &ClientConfig {
        self.config.get_or_init(|| {
            let path = self.path.display();
            let (config, faults) = match DiskFiles.read(&self.path) {
                Ok(bytes) => ClientConfig::parse(&bytes),
                Err(error) => {
                    if error.kind() != io::ErrorKind::NotFound {
                        self.untold().push(format!(
                            "{path}: {error}; its credentials and proxies are ignored"
                        ));
                    }
                    return ClientConfig::default();
                }
            };
            let lines = faults.into_iter().map(|Fault { line, column, why }| {
                format!("{path}:{line}:{column}: {why}; that part is ignored")
            });
            self.untold().extend(lines);
            config
        })
    }

    fn untold(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the file, each given once.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.untold())
    }
}

#[cfg(test)]
mod tests;
