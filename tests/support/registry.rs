//! Debian's `docker-registry` on a port of its own, and enough of its protocol to fill it.

use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a registry keeps what it is sent; gone with the last that uses it.
#[derive(Clone)]
struct Store(Arc<tempfile::TempDir>);

impl Store {
    fn new() -> Store {
        Store(Arc::new(tempfile::tempdir().expect("a directory")))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A registry; killed and forgotten at the end.
pub struct Registry {
    pub port: u16,
    child: Child,
    directory: Store,
    /// `Authorization` of requests made here.
    authorization: Option<String>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The digest of bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// What `dev/engine` installs, or what is in the path.
fn program() -> String {
    let prefix = std::env::var("REGATTA_ENGINE_PREFIX").unwrap_or("/opt/regatta-engine".into());
    let installed = format!("{prefix}/usr/bin/docker-registry");
    match Path::new(&installed).exists() {
        true => installed,
        false => "docker-registry".into(),
    }
}

impl Registry {
    pub fn start() -> Registry {
        Registry::with(Store::new(), "127.0.0.1", "", "", None)
    }

    /// One on another address.
    #[allow(dead_code)]
    pub fn start_on(address: &str) -> Registry {
        Registry::with(Store::new(), address, "", "", None)
    }

    /// One that wants a name and a password: `htpasswd` holds the line for them, `basic` what
    /// requests say (`name:password` in base 64).
    pub fn guarded(htpasswd: &str, basic: &str) -> Registry {
        let pass = Some(format!("Basic {basic}"));
        Registry::with(Store::new(), "127.0.0.1", htpasswd, "", pass)
    }

    /// A second one with the same content, under TLS and on all addresses.
    #[allow(dead_code)]
    pub fn under_tls(&self, certificate: &Path, key: &Path) -> Registry {
        let (certificate, key) = (certificate.display(), key.display());
        let tls = format!(", tls: {{certificate: '{certificate}', key: '{key}'}}");
        Registry::with(self.directory.clone(), "0.0.0.0", "", &tls, None)
    }

    fn with(
        directory: Store,
        address: &str,
        htpasswd: &str,
        tls: &str,
        authorization: Option<String>,
    ) -> Registry {
        let root = directory.path().display();
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let mut settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root}/store}}}}\nhttp: {{addr: '{address}:{port}'{tls}}}\n"
        );
        if authorization.is_some() {
            settings += &format!("auth: {{htpasswd: {{realm: test, path: {root}/htpasswd}}}}\n");
            fs::write(directory.path().join("htpasswd"), htpasswd).expect("a file");
        }
        let path = directory.path().join(format!("{port}.yml"));
        fs::write(&path, settings).expect("a file");
        let child = Command::new(program())
            .arg("serve")
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry, which `dev/engine install` installs");
        let registry = Registry {
            port,
            child,
            directory,
            authorization,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "no registry");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// The name that images here begin with.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// One request; gives the head of the answer.
    #[track_caller]
    fn request(&self, method: &str, target: &str, kind: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the registry");
        let authorization = match &self.authorization {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{authorization}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.host(),
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("a request");
        stream.write_all(body).expect("a body");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 20"),
            "{method} {target}: {answer}"
        );
        answer
    }

    /// Stores bytes, and gives their digest.
    #[track_caller]
    pub fn put_blob(&self, name: &str, bytes: &[u8]) -> String {
        let answer = self.request(
            "POST",
            &format!("/v2/{name}/blobs/uploads/"),
            "text/plain",
            b"",
        );
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .expect("a place to send it");
        let target = &location[location.find("/v2/").expect("a path")..];
        let digest = digest(bytes);
        let target = format!("{target}&digest={digest}");
        self.request("PUT", &target, "application/octet-stream", bytes);
        digest
    }

    /// Stores a manifest under a tag, and gives its digest.
    #[track_caller]
    pub fn put_manifest(&self, name: &str, tag: &str, manifest: &serde_json::Value) -> String {
        let kind = manifest["mediaType"].as_str().expect("a media type");
        let bytes = manifest.to_string();
        self.request(
            "PUT",
            &format!("/v2/{name}/manifests/{tag}"),
            kind,
            bytes.as_bytes(),
        );
        digest(bytes.as_bytes())
    }
}
