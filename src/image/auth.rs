//! Docker's client configuration: credentials for registries, and proxies for containers.

use crate::engine::docker::images::{Credentials, Keyring};
use crate::value::image::Reference;
use base64::Engine as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use tokio::io::AsyncWriteExt;

/// The key of the public registry in the client's configuration.
const PUBLIC_KEY: &str = "https://index.docker.io/v1/";

/// `config.json`, as far as it is used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientConfig {
    auths: BTreeMap<String, Auth>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
    proxies: BTreeMap<String, Proxies>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Auth {
    /// `name:password` in base 64.
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Proxies {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

/// What a credential helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl ClientConfig {
    /// Reads a `config.json`; what is no such file says nothing.
    pub fn parse(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// The variables that containers of an engine get, in both spellings.
    pub fn proxy_environment(&self, endpoint: &str) -> BTreeMap<String, String> {
        let Some(proxies) = self.proxies.get(endpoint).or(self.proxies.get("default")) else {
            return BTreeMap::new();
        };
        let mut all = BTreeMap::new();
        for (name, value) in [
            ("HTTP_PROXY", &proxies.http_proxy),
            ("HTTPS_PROXY", &proxies.https_proxy),
            ("NO_PROXY", &proxies.no_proxy),
            ("FTP_PROXY", &proxies.ftp_proxy),
            ("ALL_PROXY", &proxies.all_proxy),
        ] {
            if !value.is_empty() {
                all.insert(name.to_string(), value.clone());
                all.insert(name.to_lowercase(), value.clone());
            }
        }
        all
    }

    /// The helper program that keeps a registry's credentials.
    fn helper(&self, registry: &str) -> Option<&str> {
        let own = self.cred_helpers.get(registry).map(String::as_str);
        own.or(Some(self.creds_store.as_str()))
            .filter(|name| !name.is_empty())
    }

    /// Credentials that stand in the file itself.
    fn stored(&self, registry: &str) -> Option<Credentials> {
        let same = |key: &&String| hostname(key) == hostname(registry);
        let exact = self.auths.get(registry);
        let auth = exact.or_else(|| self.auths.get(self.auths.keys().find(same)?))?;
        let (username, password) = match auth.auth.is_empty() {
            true => (auth.username.clone(), auth.password.clone()),
            false => {
                let engine = base64::engine::general_purpose::STANDARD;
                let text = String::from_utf8(engine.decode(auth.auth.trim()).ok()?).ok()?;
                let (name, password) = text.split_once(':')?;
                // Docker pads with zero bytes.
                (
                    name.to_string(),
                    password.trim_end_matches('\0').to_string(),
                )
            }
        };
        let found = Credentials {
            username,
            password,
            identity_token: auth.identitytoken.clone(),
            server_address: registry.to_string(),
        };
        let empty = found.username.is_empty() && found.identity_token.is_empty();
        (!empty).then_some(found)
    }

    async fn find(&self, registry: &str) -> Option<Credentials> {
        if let Some(helper) = self.helper(registry) {
            let found = ask_helper(helper, registry).await;
            if found.is_some() {
                return found;
            }
        }
        self.stored(registry)
    }

    async fn find_all(&self) -> BTreeMap<String, Credentials> {
        let mut names: Vec<String> = self
            .auths
            .keys()
            .chain(self.cred_helpers.keys())
            .cloned()
            .collect();
        if !self.creds_store.is_empty() {
            names.extend(list_helper(&self.creds_store).await);
        }
        names.sort();
        names.dedup();
        let mut all = BTreeMap::new();
        for name in names {
            if let Some(found) = self.find(&name).await {
                all.insert(name, found);
            }
        }
        all
    }
}

/// The bare host of a registry's key.
fn hostname(key: &str) -> &str {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

/// The key under which a reference's registry is kept.
fn registry_key(reference: &str) -> String {
    let parsed = Reference::parse(reference);
    match parsed.registry() {
        "docker.io" | "index.docker.io" => PUBLIC_KEY.into(),
        registry => registry.into(),
    }
}

async fn run_helper(helper: &str, verb: &str, input: &str) -> Option<Vec<u8>> {
    let program = format!("docker-credential-{helper}");
    let mut child = tokio::process::Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| tracing::debug!(program, %error, "credential helper"))
        .ok()?;
    let mut stdin = child.stdin.take()?;
    stdin.write_all(input.as_bytes()).await.ok()?;
    drop(stdin);
    let output = child.wait_with_output().await.ok()?;
    output.status.success().then_some(output.stdout)
}

async fn ask_helper(helper: &str, registry: &str) -> Option<Credentials> {
    let output = run_helper(helper, "get", registry).await?;
    let helped: Helped = serde_json::from_slice(&output).ok()?;
    let mut found = Credentials {
        server_address: registry.to_string(),
        ..Credentials::default()
    };
    // A helper's word for a token instead of a password.
    if helped.username == "<token>" {
        found.identity_token = helped.secret;
    } else {
        found.username = helped.username;
        found.password = helped.secret;
    }
    Some(found)
}

async fn list_helper(helper: &str) -> Vec<String> {
    let output = run_helper(helper, "list", "").await.unwrap_or_default();
    let known: BTreeMap<String, String> = serde_json::from_slice(&output).unwrap_or_default();
    known.into_keys().collect()
}

/// The keys to registries that Docker's client has; its file is read when first needed.
pub struct ClientKeyring {
    directory: PathBuf,
    config: OnceLock<ClientConfig>,
}

impl ClientKeyring {
    /// `directory` is that of `config.json`.
    pub fn new(directory: PathBuf) -> Self {
        ClientKeyring {
            directory,
            config: OnceLock::new(),
        }
    }

    pub fn config(&self) -> &ClientConfig {
        self.config.get_or_init(|| {
            crate::file::read(&self.directory.join("config.json"))
                .map(|bytes| ClientConfig::parse(&bytes))
                .unwrap_or_default()
        })
    }

    /// A `config.json` with all credentials in it, for a container with `use_api_socket`.
    pub async fn rendered(&self) -> Vec<u8> {
        let mut auths = serde_json::Map::new();
        for (registry, found) in self.config().find_all().await {
            let engine = base64::engine::general_purpose::STANDARD;
            let auth = engine.encode(format!("{}:{}", found.username, found.password));
            let entry = match found.identity_token.is_empty() {
                true => serde_json::json!({ "auth": auth }),
                false => serde_json::json!({ "identitytoken": found.identity_token }),
            };
            auths.insert(registry, entry);
        }
        serde_json::json!({ "auths": auths })
            .to_string()
            .into_bytes()
    }
}

impl Keyring for ClientKeyring {
    fn of_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Option<Credentials>> {
        Box::pin(async move { self.config().find(&registry_key(reference)).await })
    }

    fn all(&self) -> BoxFuture<'_, BTreeMap<String, Credentials>> {
        Box::pin(self.config().find_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "auths": {
            "https://index.docker.io/v1/": {"auth": "bWU6czNjcmV0"},
            "registry.example:5000": {"identitytoken": "t0ken"},
            "https://old.example/v1/": {"username": "u", "password": "p"},
            "empty.example": {}
        },
        "proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "localhost"}, "tcp://x:1": {"allProxy": "a"}}
    }"#;

    #[tokio::test]
    async fn credentials_of_images() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), CONFIG).unwrap();
        let keyring = ClientKeyring::new(dir.path().into());
        let table = [
            ("nginx", Some(("me", "s3cret", ""))),
            ("docker.io/a/b:1", Some(("me", "s3cret", ""))),
            ("registry.example:5000/x", Some(("", "", "t0ken"))),
            ("old.example/x", Some(("u", "p", ""))),
            ("empty.example/x", None),
            ("other.example/x", None),
        ];
        for (reference, expected) in table {
            let found = keyring.of_image(reference).await;
            let found = found.as_ref().map(|f| {
                (
                    f.username.as_str(),
                    f.password.as_str(),
                    f.identity_token.as_str(),
                )
            });
            assert_eq!(found, expected, "{reference}");
        }
        assert_eq!(keyring.all().await.len(), 3);
        let rendered = String::from_utf8(keyring.rendered().await).unwrap();
        assert!(
            rendered.contains(r#""https://index.docker.io/v1/":{"auth":"bWU6czNjcmV0"}"#),
            "{rendered}"
        );
    }

    #[tokio::test]
    async fn nothing_there() {
        let keyring = ClientKeyring::new("/nowhere".into());
        assert_eq!(keyring.of_image("nginx").await, None);
        assert!(ClientConfig::parse(b"nonsense").auths.is_empty());
    }

    #[test]
    fn proxies() {
        let config = ClientConfig::parse(CONFIG.as_bytes());
        let words: Vec<_> = config.proxy_environment("unix:///x").into_keys().collect();
        assert_eq!(words, ["HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"]);
        assert_eq!(config.proxy_environment("tcp://x:1")["all_proxy"], "a");
    }

    #[test]
    fn helpers() {
        let config = ClientConfig::parse(
            br#"{"credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud"}}"#,
        );
        assert_eq!(config.helper("gcr.io"), Some("gcloud"));
        assert_eq!(config.helper("other"), Some("desktop"));
        assert_eq!(ClientConfig::default().helper("other"), None);
    }
}
