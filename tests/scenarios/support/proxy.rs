//! A socket in front of the engine that writes down every request, and can do something at one.

use super::api::Engine;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

pub struct Recorder {
    pub engine: Engine,
    book: Arc<Book>,
    _directory: tempfile::TempDir,
}

/// What came through.
#[derive(Default)]
struct Book {
    requests: Mutex<Vec<String>>,
    ambush: Mutex<Option<Ambush>>,
}

/// Something to be done at a request.
struct Ambush {
    /// Requests that come before.
    after: usize,
    /// Before it is passed on, or just after.
    early: bool,
    act: Box<dyn FnOnce() + Send>,
}

impl Book {
    /// A request came; gives what is to be done once it is passed on.
    fn note(&self, request: String) -> Option<Ambush> {
        self.requests.lock().expect("the list").push(request);
        let mut waiting = self.ambush.lock().expect("the ambush");
        let ambush = waiting.as_mut()?;
        if ambush.after > 0 {
            ambush.after -= 1;
            return None;
        }
        let due = waiting.take()?;
        if due.early {
            (due.act)();
            return None;
        }
        Some(due)
    }
}

impl Recorder {
    pub fn before(engine: &Engine) -> Recorder {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let book = Arc::new(Book::default());
        let (target, list) = (engine.socket.clone(), book.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, list) = (target.clone(), list.clone());
                std::thread::spawn(move || forward(client, &target, &list));
            }
        });
        Recorder {
            engine: Engine::at(&socket),
            book,
            _directory: directory,
        }
    }

    /// `METHOD /path` of each request since the last call, without version and query.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.book.requests.lock().expect("the list"))
    }

    /// At the nth request from now on (from 0), before it is passed on (`early`) or just after,
    /// does this.
    pub fn ambush(&self, nth: usize, early: bool, act: impl FnOnce() + Send + 'static) {
        *self.book.ambush.lock().expect("the ambush") = Some(Ambush {
            after: nth,
            early,
            act: Box::new(act),
        });
    }

    /// Forgets what was to be done and has not been.
    pub fn relax(&self) {
        *self.book.ambush.lock().expect("the ambush") = None;
    }
}

/// Passes one connection on. Requests are taken apart only as far as finding the next one needs.
fn forward(client: UnixStream, target: &std::path::Path, book: &Book) -> Option<()> {
    let mut server = UnixStream::connect(target).ok()?;
    let (mut back_from, mut back_to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back_from, &mut back_to);
        let _ = back_to.shutdown(std::net::Shutdown::Write);
    });
    let mut from = BufReader::new(client);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut head).ok()? == 0 {
                let _ = server.shutdown(std::net::Shutdown::Write);
                return None;
            }
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let ambush = book.note(shown(&text));
        server.write_all(&head).ok()?;
        let header = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        if header("upgrade").is_some() {
            std::io::copy(&mut from, &mut server).ok()?;
            return None;
        } else if header("transfer-encoding").is_some() {
            chunks(&mut from, &mut server)?;
        } else if let Some(length) = header("content-length").and_then(|l| l.parse().ok()) {
            std::io::copy(&mut from.by_ref().take(length), &mut server).ok()?;
        }
        if let Some(ambush) = ambush {
            (ambush.act)();
        }
    }
}

fn chunks(from: &mut BufReader<UnixStream>, to: &mut UnixStream) -> Option<()> {
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        to.write_all(line.as_bytes()).ok()?;
        let size = u64::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
        std::io::copy(&mut from.by_ref().take(size + 2), to).ok()?;
        if size == 0 {
            return Some(());
        }
    }
}

/// `GET /v1.51/containers/json?all=1 HTTP/1.1` → `GET /containers/json`.
fn shown(head: &str) -> String {
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = path.split('?').next().unwrap_or(path);
    let path = match path.split_once("/v1.") {
        Some(("", rest)) => rest.find('/').map_or(path, |at| &rest[at..]),
        _ => path,
    };
    format!("{method} {path}")
}
