//! An engine of canned answers on a socket: enough HTTP for one request per connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Decides the answer to a request: the bytes of the whole response.
pub type Answers = fn(target: &str, body: &[u8], stream: &mut UnixStream) -> Option<Vec<u8>>;

/// Listens as long as the test runs.
pub struct Canned {
    pub host: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    pub fn new(dir: &Path, answers: Answers) -> Self {
        let path = dir.join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen) = (stream.unwrap(), seen.clone());
                std::thread::spawn(move || serve(stream, &seen, answers));
            }
        });
        Canned {
            host: format!("unix://{}", path.display()),
            requests,
        }
    }

    /// `METHOD /path` of each request, without the version and the query.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: UnixStream, seen: &Mutex<Vec<String>>, answers: Answers) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let mut words = head[0].split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let length = head.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let path = target.split('?').next().unwrap();
        let path = path
            .strip_prefix("/v1.")
            .map_or(path, |p| &p[p.find('/').unwrap()..]);
        seen.lock().unwrap().push(format!("{method} {path}"));
        let Some(answer) = answers(path, &body, &mut stream) else {
            return;
        };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

pub fn json(status: u16, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A frame of a container's output.
pub fn frame(stream: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![stream, 0, 0, 0];
    bytes.extend((text.len() as u32).to_be_bytes());
    bytes.extend(text.as_bytes());
    bytes
}
