//! Servers on this machine that answer what a test tells them to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server whose answers are given by a function of the request's head.
pub struct Canned {
    pub port: u16,
}

impl Canned {
    pub fn new(answer: impl Fn(u16, &str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answer.clone();
                std::thread::spawn(move || Canned::serve(stream, port, &*answer));
            }
        });
        Canned { port }
    }

    fn serve(mut stream: TcpStream, port: u16, answer: &dyn Fn(u16, &str) -> Option<Vec<u8>>) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        // The body of a form belongs to it.
        let text = String::from_utf8_lossy(&head).to_lowercase();
        let length = text
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        let mut body = vec![0; length.and_then(|l| l.trim().parse().ok()).unwrap_or(0)];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        head.extend(body);
        match answer(port, &String::from_utf8_lossy(&head)) {
            Some(bytes) => {
                let _ = stream.write_all(&bytes);
            }
            // Says nothing until the other side has had enough.
            None => {
                let _ = stream.read(&mut byte);
            }
        }
    }

    /// What a project file there is named by.
    pub fn url(&self) -> String {
        format!("oci://127.0.0.1:{}/app:1", self.port)
    }
}

/// A whole answer; `None` would be none at all.
pub fn answer(status: &str, headers: &str, body: &str) -> Option<Vec<u8>> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    Some(text.into_bytes())
}

/// A proxy that passes on what is said to the server named by `CONNECT`, for whoever knows the word.
pub fn proxy() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let passed = Arc::new(AtomicUsize::new(0));
    let count = passed.clone();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let target = head
                .strip_prefix("CONNECT ")
                .and_then(|h| h.split(' ').next());
            if !head.contains("Proxy-Authorization: Basic bWU6cHc=\r\n") {
                let _ = client.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n");
                continue;
            }
            let server = TcpStream::connect(target.expect("CONNECT")).expect("a server");
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            count.fetch_add(1, Ordering::SeqCst);
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (port, passed)
}
