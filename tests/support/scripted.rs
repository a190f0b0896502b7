//! A small engine behind a socket: it knows one project's containers, networks and lock, and falls
//! silent where a test wants it to.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How it falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It reads the request and says nothing.
    Whole,
    /// It stops in the middle of its answer.
    Half,
}

#[derive(Default)]
struct State {
    /// What was asked, in the order it came.
    requests: Vec<String>,
    /// From this request on it is silent.
    silent_from: Option<(usize, Silence)>,
    containers: BTreeMap<String, Value>,
    /// What it says to every start, in place of starting.
    refusal: Option<String>,
    networks: Vec<Value>,
    volumes: BTreeMap<String, Value>,
    events: Vec<UnixStream>,
    /// Bytes of logs, of commands' output and of pulls that somebody took.
    taken: usize,
}

/// The engine; it serves as long as the test runs.
pub struct Scripted {
    pub socket: PathBuf,
    shared: Arc<(Mutex<State>, Condvar)>,
}

/// One request.
struct Request {
    line: String,
    path: String,
    query: String,
    body: Value,
}

impl Scripted {
    pub fn new(dir: &Path) -> Scripted {
        let socket = dir.join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let engine = Scripted {
            socket,
            shared: shared.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        engine
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// It answers so many requests more, and none after that.
    pub fn silent_after(&self, count: usize, how: Silence) {
        let mut state = self.state();
        state.silent_from = Some((state.requests.len() + count, how));
    }

    /// A running container of a service.
    pub fn add(&self, project: &str, service: &str) {
        let labels = json!({
            "com.docker.compose.project": project,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.config-hash": "x",
        });
        let name = format!("{project}-{service}-1");
        let container = json!({ "name": name, "labels": labels, "state": "running" });
        self.state().containers.insert("c".repeat(64), container);
    }

    /// A container of anybody, as a list shows it.
    pub fn add_row(&self, id: &str, name: &str, labels: Value, row: Value) {
        let container = json!({ "name": name, "labels": labels, "state": "running", "row": row });
        self.state().containers.insert(id.repeat(64), container);
    }

    /// The labels that a container was made with.
    pub fn labels_of(&self, name: &str) -> Value {
        let state = self.state();
        let found = state.containers.values().find(|c| c["name"] == name);
        found.expect("the container")["labels"].clone()
    }

    /// From now on no container starts.
    pub fn refuse_starts(&self, message: &str) {
        self.state().refusal = Some(message.to_owned());
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Waits until such a request has come.
    pub fn asked_for(&self, line: &str) -> bool {
        self.wait(|state| state.requests.iter().any(|r| r.contains(line)))
    }

    fn wait(&self, holds: impl Fn(&State) -> bool) -> bool {
        let (state, change) = &*self.shared;
        let state = state.lock().unwrap();
        let limit = Duration::from_secs(20);
        let waited = change.wait_timeout_while(state, limit, |state| !holds(state));
        !waited.unwrap().1.timed_out()
    }

    /// Waits until nobody takes any more of what it pours out, and gives how much was taken.
    pub fn poured(&self) -> usize {
        self.wait(|state| state.taken > 0);
        let mut before = 0;
        loop {
            std::thread::sleep(Duration::from_millis(150));
            let now = self.state().taken;
            if now == before {
                return now;
            }
            before = now;
        }
    }
}

fn read(reader: &mut BufReader<&UnixStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|n| *n > 0)?;
        let header = header.trim().to_lowercase();
        if let Some(given) = header.strip_prefix("content-length: ") {
            length = given.parse().expect("a length");
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let target = &target[target[1..].find('/')? + 1..];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        line: format!("{method} {path}"),
        path: path.to_owned(),
        query: query.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn serve(stream: &UnixStream, shared: &(Mutex<State>, Condvar)) {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    while let Some(request) = read(&mut reader) {
        let silence = {
            let mut state = shared.0.lock().unwrap();
            let number = state.requests.len();
            state.requests.push(request.line.clone());
            let silent = state.silent_from.filter(|(from, _)| number >= *from);
            shared.1.notify_all();
            silent.map(|(_, how)| how)
        };
        if let Some(how) = silence {
            if how == Silence::Half {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[");
            }
            // Until the other side has had enough.
            let _ = reader.read(&mut [0]);
            return;
        }
        let parts: Vec<&str> = request.path[1..].split('/').collect();
        match (request.line.split(' ').next().unwrap_or(""), &parts[..]) {
            ("GET", ["events"]) => {
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
                let _ = out.write_all(head.as_bytes());
                let copy = stream.try_clone().expect("a stream");
                shared.0.lock().unwrap().events.push(copy);
                let _ = reader.read(&mut [0]);
                return;
            }
            ("GET", ["containers", id, "logs"]) => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n";
                let _ = out.write_all(head.as_bytes());
                let stamp = match request.query.contains("timestamps=1") {
                    true => "2026-01-01T00:00:00.000000000Z ",
                    false => "",
                };
                pour(out, shared, id, &frame(&format!("{stamp}a line\n")));
                return;
            }
            ("POST", ["exec", _, "start"]) => {
                let head = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                let _ = out.write_all(head.as_bytes());
                pour(out, shared, "", &frame("a line\n"));
                return;
            }
            ("POST", ["images", "create"]) => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                let layer = (0..)
                    .map(|n: u64| format!("{{\"id\":\"l{n}\",\"status\":\"Pulling fs layer\"}}\n"));
                for message in layer {
                    if out.write_all(message.as_bytes()).is_err() {
                        return;
                    }
                    shared.0.lock().unwrap().taken += message.len();
                    shared.1.notify_all();
                }
            }
            (method, parts) => {
                let (status, body) = {
                    let mut state = shared.0.lock().unwrap();
                    answer(&mut state, method, parts, &request)
                };
                let body = match body {
                    Value::Null => String::new(),
                    body => body.to_string(),
                };
                let length = body.len();
                let text = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n{body}");
                let text = match status {
                    204 => "HTTP/1.1 204 x\r\n\r\n".to_owned(),
                    _ => text,
                };
                if out.write_all(text.as_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

/// A container's output in the engine's frame.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![1, 0, 0, 0];
    frame.extend((text.len() as u32).to_be_bytes());
    frame.extend(text.as_bytes());
    frame
}

/// Writes the same over and over, as long as somebody takes it and the container runs.
fn pour(mut out: &UnixStream, shared: &(Mutex<State>, Condvar), id: &str, piece: &[u8]) {
    let many = piece.repeat(64);
    let _ = out.set_write_timeout(Some(Duration::from_millis(100)));
    let mut at = 0;
    loop {
        let written = match out.write(&many[at..]) {
            Ok(written) => written,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(_) => return,
        };
        at = (at + written) % many.len();
        let mut state = shared.0.lock().unwrap();
        state.taken += written;
        shared.1.notify_all();
        let has_ended = state
            .containers
            .get(id)
            .is_some_and(|c| c["state"] != "running");
        if has_ended && at % piece.len() == 0 {
            return;
        }
    }
}

fn row(id: &str, container: &Value) -> Value {
    let mut row = json!({
        "Id": id,
        "Names": [format!("/{}", container["name"].as_str().unwrap())],
        "Image": "busybox",
        "ImageID": "sha256:1",
        "Labels": container["labels"],
        "State": container["state"],
        "Status": "Up",
        "NetworkSettings": { "Networks": {} },
        "Mounts": [],
    });
    for (key, value) in container["row"].as_object().into_iter().flatten() {
        row[key] = value.clone();
    }
    row
}

fn event(state: &mut State, id: &str, action: &str) {
    let container = state.containers[id].clone();
    let mut attributes = container["labels"].clone();
    attributes["name"] = container["name"].clone();
    attributes["exitCode"] = json!("0");
    let event = json!({
        "Type": "container", "Action": action, "timeNano": 1_767_225_600_000_000_000_i64,
        "Actor": { "ID": id, "Attributes": attributes },
    });
    let line = format!("{event}\n");
    for mut stream in &state.events {
        let _ = stream.write_all(line.as_bytes());
    }
}

fn answer(state: &mut State, method: &str, parts: &[&str], request: &Request) -> (u16, Value) {
    let body = &request.body;
    match (method, parts) {
        ("GET", ["containers", "json"]) => {
            let all = state.containers.iter();
            (200, all.map(|(id, c)| row(id, c)).collect())
        }
        ("GET", ["networks"]) => (200, json!(state.networks)),
        ("GET", ["volumes"]) => {
            let all: Vec<&Value> = state.volumes.values().collect();
            (200, json!({ "Volumes": all }))
        }
        ("GET", ["images", "busybox", "json"]) => (
            200,
            json!({ "Id": "sha256:1", "RepoTags": ["busybox:latest"], "RepoDigests": [] }),
        ),
        ("POST", ["volumes", "create"]) => {
            let name = body["Name"].as_str().unwrap().to_owned();
            let volume = json!({
                "Name": name, "Driver": "local", "Labels": body["Labels"], "Mountpoint": "/x",
                "Scope": "local", "Options": {},
            });
            let volume = state.volumes.entry(name).or_insert(volume);
            (201, volume.clone())
        }
        ("DELETE", ["volumes", name]) => {
            state.volumes.remove(*name);
            (204, Value::Null)
        }
        ("POST", ["networks", "create"]) => {
            let mut network = body.clone();
            network["Id"] = json!("n".repeat(64));
            state.networks.push(network);
            (201, json!({ "Id": "n".repeat(64), "Warning": "" }))
        }
        ("POST", ["containers", "create"]) => {
            let name = request.query.split("name=").nth(1).unwrap();
            let name = name.split('&').next().unwrap();
            let id = format!("{:064x}", state.containers.len() + 1);
            let container = json!({ "name": name, "labels": body["Labels"], "state": "created" });
            state.containers.insert(id.clone(), container);
            (201, json!({ "Id": id, "Warnings": [] }))
        }
        ("POST", ["containers", _, "start"]) if state.refusal.is_some() => {
            (500, json!({ "message": state.refusal }))
        }
        ("DELETE", ["containers", id]) => {
            state.containers.remove(*id);
            (204, Value::Null)
        }
        ("POST", ["containers", id, "exec"]) => (201, json!({ "Id": format!("exec-{id}") })),
        ("POST", ["containers", id, action]) => {
            let (now, event_of) = match *action {
                "start" => ("running", "start"),
                _ => ("exited", "die"),
            };
            state.containers.get_mut(*id).expect("a container")["state"] = json!(now);
            event(state, id, event_of);
            (204, Value::Null)
        }
        ("GET", ["containers", id, "json"]) => {
            let container = &state.containers[*id];
            let is_running = container["state"] == "running";
            (
                200,
                json!({
                    "Id": id, "Name": container["name"], "Image": "sha256:1",
                    "State": { "Status": container["state"], "Running": is_running, "ExitCode": 0, "Pid": 0 },
                    "Config": { "Labels": container["labels"] },
                    "Mounts": [], "NetworkSettings": { "Networks": {} },
                }),
            )
        }
        _ => (
            404,
            json!({ "message": format!("no such thing: {}", request.line) }),
        ),
    }
}
