//! The credentials for registries that Docker's client has: in its configuration, or kept by helper
//! programs.

use crate::docker_config::{ClientConfig, ClientFile};
use crate::engine::docker::images::{Credentials, Keyring};
use crate::programs::Programs;
use crate::value::image::Reference;
use base64::Engine as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// The key of the public registry in the client's configuration.
const PUBLIC_KEY: &str = "https://index.docker.io/v1/";

/// What a credential helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl ClientKeyring {
    fn config(&self) -> &ClientConfig {
        self.file.config()
    }

    /// The helper program that keeps a registry's credentials.
    fn helper(&self, registry: &str) -> Option<&str> {
        let config = self.config();
        let named = |name: &&str| !name.is_empty();
        let own = config.cred_helpers.get(registry).map(String::as_str);
        own.filter(named)
            .or(Some(config.creds_store.as_str()).filter(named))
    }

    /// Credentials that stand in the file itself.
    fn stored(&self, registry: &str) -> Option<Credentials> {
        let same = |key: &&String| hostname(key) == hostname(registry);
        let auths = &self.config().auths;
        let auth = auths
            .get(registry)
            .or_else(|| auths.get(auths.keys().find(same)?))?;
        let found = Credentials {
            username: auth.username.clone(),
            password: auth.password.clone(),
            identity_token: auth.identity_token.clone(),
            server_address: registry.to_string(),
        };
        let empty = found.username.is_empty() && found.identity_token.is_empty();
        (!empty).then_some(found)
    }

    async fn find(&self, registry: &str) -> Option<Credentials> {
        if let Some(helper) = self.helper(registry) {
            let found = ask_helper(&self.programs, helper, registry).await;
            if found.is_some() {
                return found;
            }
        }
        self.stored(registry)
    }

    async fn find_all(&self) -> BTreeMap<String, Credentials> {
        let config = self.config();
        let mut names: Vec<String> = config
            .auths
            .keys()
            .chain(config.cred_helpers.keys())
            .cloned()
            .collect();
        if !config.creds_store.is_empty() {
            names.extend(list_helper(&self.programs, &config.creds_store).await);
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

async fn run_helper(programs: &Programs, helper: &str, verb: &str, input: &str) -> Option<Vec<u8>> {
    let name = format!("docker-credential-{helper}");
    let Some(program) = programs.find(&name) else {
        tracing::debug!(name, "there is no such credential helper in PATH");
        return None;
    };
    let mut child = programs
        .command(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| tracing::debug!(name, %error, "credential helper"))
        .ok()?;
    let mut stdin = child.stdin.take()?;
    // A helper that knows its answer need not read the question.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.ok()?;
    output.status.success().then_some(output.stdout)
}

async fn ask_helper(programs: &Programs, helper: &str, registry: &str) -> Option<Credentials> {
    let output = run_helper(programs, helper, "get", registry).await?;
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

async fn list_helper(programs: &Programs, helper: &str) -> Vec<String> {
    let output = run_helper(programs, helper, "list", "")
        .await
        .unwrap_or_default();
    let known: BTreeMap<String, String> = serde_json::from_slice(&output).unwrap_or_default();
    known.into_keys().collect()
}

/// The keys to registries that Docker's client has; its file is read when first needed.
pub struct ClientKeyring {
    file: Arc<ClientFile>,
    /// Where credential helpers are.
    programs: Programs,
}

impl ClientKeyring {
    pub fn new(file: Arc<ClientFile>, programs: Programs) -> Self {
        ClientKeyring { file, programs }
    }

    /// A `config.json` with all credentials in it, for a container with `use_api_socket`.
    pub async fn rendered(&self) -> Vec<u8> {
        let mut auths = serde_json::Map::new();
        for (registry, found) in self.find_all().await {
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
        Box::pin(async move { self.find(&registry_key(reference)).await })
    }

    fn all(&self) -> BoxFuture<'_, BTreeMap<String, Credentials>> {
        Box::pin(self.find_all())
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
        }
    }"#;

    fn keyring(directory: &std::path::Path) -> ClientKeyring {
        ClientKeyring::new(Arc::new(ClientFile::new(directory)), Programs::default())
    }

    #[tokio::test]
    async fn credentials_of_images() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), CONFIG).unwrap();
        let keyring = keyring(dir.path());
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
        let keyring = keyring("/nowhere".as_ref());
        assert_eq!(keyring.of_image("nginx").await, None);
    }

    #[tokio::test]
    async fn helpers() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let config = r#"{"credsStore": "desktop", "credHelpers": {"gcr.io": "gcloud", "n.io": null, "up.io": "x/../../docker-credential-gcloud"}}"#;
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        let found = keyring(dir.path());
        assert_eq!(found.helper("gcr.io"), Some("gcloud"));
        assert_eq!(found.helper("other"), Some("desktop"));
        assert_eq!(found.helper("n.io"), Some("desktop"));
        let none = dir.path().join("none");
        assert_eq!(keyring(&none).helper("other"), None);
        // It is run out of an absolute folder of `PATH`, and not by a path.
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        let program = dir.path().join("bin/docker-credential-gcloud");
        std::fs::write(
            &program,
            "#!/bin/sh\necho '{\"Username\": \"u\", \"Secret\": \"s\"}'\n",
        )
        .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let bin = dir.path().join("bin").display().to_string();
        for (path, registry, username) in [
            (bin.as_str(), "gcr.io", Some("u")),
            (bin.as_str(), "up.io", None),
            (".", "gcr.io", None),
            ("", "gcr.io", None),
        ] {
            let file = Arc::new(ClientFile::new(dir.path()));
            let cwd = dir.path().join("bin");
            let keyring = ClientKeyring::new(file, Programs::new(Some(path), None, &cwd));
            let found = keyring.of_image(&format!("{registry}/x")).await;
            let found = found.map(|credentials| credentials.username);
            assert_eq!(found.as_deref(), username, "{path:?} {registry}");
        }
    }
}
