//! A socket in front of the engine whose connections can be cut, as when the engine is killed.

use super::api::Engine;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

pub struct Cut {
    pub engine: Engine,
    open: Arc<Mutex<Option<Vec<UnixStream>>>>,
    _directory: tempfile::TempDir,
}

impl Cut {
    pub fn before(engine: &Engine) -> Cut {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let open = Arc::new(Mutex::new(Some(Vec::new())));
        let (target, list) = (engine.socket.clone(), open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&target) else {
                    return;
                };
                match list.lock().expect("the list").as_mut() {
                    // The engine is gone: nobody is let in.
                    None => continue,
                    Some(list) => {
                        list.push(client.try_clone().expect("a clone"));
                        list.push(server.try_clone().expect("a clone"));
                    }
                }
                let there = (client.try_clone(), server.try_clone());
                let (Ok(from), Ok(to)) = there else { return };
                std::thread::spawn(move || pass(from, to));
                std::thread::spawn(move || pass(server, client));
            }
        });
        Cut {
            engine: Engine::at(&socket),
            open,
            _directory: directory,
        }
    }

    /// Cuts every connection, and lets no other in.
    pub fn cut(&self) {
        let open = self.open.lock().expect("the list").take();
        for stream in open.into_iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Passes bytes on, and their end.
fn pass(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
