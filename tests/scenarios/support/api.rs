//! The engine asked directly, past the program under test: HTTP over its unix socket.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A Docker API server on a unix socket.
#[derive(Debug, Clone)]
pub struct Engine {
    pub socket: PathBuf,
}

/// A container of a project, as the engine lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub service: String,
    pub number: u32,
    /// `running`, `exited`…
    pub state: String,
    /// The engine's sentence about it.
    pub status: String,
    pub image: String,
    pub labels: BTreeMap<String, String>,
}

const LABEL: &str = "com.docker.compose";

impl Engine {
    /// The one at `DOCKER_HOST`, else at the default socket.
    ///
    /// Scenarios fail without an engine, they are never skipped.
    pub fn here() -> Engine {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let socket = host
            .strip_prefix("unix://")
            .unwrap_or("/var/run/docker.sock");
        let engine = Engine {
            socket: PathBuf::from(socket),
        };
        assert!(
            engine.answers(),
            "no engine answers at {socket}: run dev/setup first"
        );
        engine
    }

    pub fn at(socket: &Path) -> Engine {
        Engine {
            socket: socket.to_owned(),
        }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    pub fn answers(&self) -> bool {
        self.request("GET", "/_ping", b"")
            .is_ok_and(|(status, _)| status == 200)
    }

    /// One request; gives status and body. HTTP/1.0, so that the body ends with the connection.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let kind = if body.first() == Some(&b'{') {
            "application/json"
        } else {
            "application/x-tar"
        };
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or(answer.len());
        let status = String::from_utf8_lossy(&answer[..end])
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        Ok((status, answer.split_off((end + 4).min(answer.len()))))
    }

    /// `GET`, which must work.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.request("GET", path, b"").expect("the engine answers");
        assert_eq!(
            status,
            200,
            "GET {path}: {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).expect("the engine answers in JSON")
    }

    /// `POST`, which must work.
    pub fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let (status, answer) = self
            .request("POST", path, body.as_bytes())
            .expect("the engine answers");
        assert!(
            status < 300,
            "POST {path}: {}",
            String::from_utf8_lossy(&answer)
        );
        answer
    }

    /// Whether `GET path` finds something.
    pub fn has(&self, path: &str) -> bool {
        self.request("GET", path, b"")
            .is_ok_and(|(status, _)| status == 200)
    }

    /// The containers of a project, by service and number, stopped ones too.
    pub fn containers(&self, project: &str) -> Vec<Container> {
        let path = format!("/containers/json?all=1&filters={}", label_filter(project));
        let mut found: Vec<Container> = rows(&self.get(&path)).iter().map(container).collect();
        found.sort_by_key(|c| (c.service.clone(), c.number, c.name.clone()));
        found
    }

    pub fn inspect(&self, container: &str) -> Value {
        self.get(&format!("/containers/{container}/json"))
    }

    /// Names of the project's networks, sorted.
    pub fn networks(&self, project: &str) -> Vec<String> {
        names(&self.get(&format!("/networks?filters={}", label_filter(project))))
    }

    /// Names of the project's volumes, sorted.
    pub fn volumes(&self, project: &str) -> Vec<String> {
        let path = format!("/volumes?filters={}", label_filter(project));
        names(&self.get(&path)["Volumes"])
    }

    /// The volumes of the project's lock, which carry a label of their own.
    pub fn locks(&self, project: &str) -> Vec<String> {
        let filter = lock_filter(project);
        names(&self.get(&format!("/volumes?filters={filter}"))["Volumes"])
    }

    /// Removes all that carries the project's label: containers, networks, volumes and images; and
    /// what killed commands left of its lock.
    pub fn sweep(&self, project: &str) {
        let filter = label_filter(project);
        let list = |path: &str| -> Value {
            let (_, body) = self.request("GET", path, b"").unwrap_or_default();
            serde_json::from_slice(&body).unwrap_or_default()
        };
        let remove = |path: String| self.request("DELETE", &path, b"").is_ok();
        for row in rows(&list(&format!("/containers/json?all=1&filters={filter}"))) {
            remove(format!("/containers/{}?force=1&v=1", text(&row["Id"])));
        }
        for name in names(&list(&format!("/networks?filters={filter}"))) {
            remove(format!("/networks/{name}"));
        }
        for name in names(&list(&format!("/volumes?filters={filter}"))["Volumes"]) {
            remove(format!("/volumes/{name}?force=1"));
        }
        let locks = lock_filter(project);
        for name in names(&list(&format!("/volumes?filters={locks}"))["Volumes"]) {
            remove(format!("/volumes/{name}?force=1"));
        }
        for row in rows(&list(&format!("/images/json?filters={filter}"))) {
            remove(format!("/images/{}?force=1", text(&row["Id"])));
        }
    }
}

fn label_filter(project: &str) -> String {
    format!("%7B%22label%22%3A%5B%22{LABEL}.project%3D{project}%22%5D%7D")
}

fn lock_filter(project: &str) -> String {
    format!("%7B%22label%22%3A%5B%22dev.regatta.lock%3D{project}%22%5D%7D")
}

fn rows(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn names(list: &Value) -> Vec<String> {
    let mut names: Vec<String> = rows(list).iter().map(|row| text(&row["Name"])).collect();
    names.sort();
    names
}

fn container(row: &Value) -> Container {
    let labels: BTreeMap<String, String> =
        serde_json::from_value(row["Labels"].clone()).unwrap_or_default();
    let label = |key: &str| {
        labels
            .get(&format!("{LABEL}.{key}"))
            .cloned()
            .unwrap_or_default()
    };
    Container {
        id: text(&row["Id"]),
        name: text(&row["Names"][0]).trim_start_matches('/').to_owned(),
        service: label("service"),
        number: label("container-number").parse().unwrap_or(0),
        // Podman has a word of its own for what has ended.
        state: match text(&row["State"]).as_str() {
            "stopped" => "exited".into(),
            state => state.into(),
        },
        status: text(&row["Status"]),
        image: text(&row["Image"]),
        labels,
    }
}
