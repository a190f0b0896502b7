//! Standard input in pieces, for a process in a container.

use crate::threads;
use std::io::{self, Read};
use tokio::sync::{mpsc, oneshot};

/// The most that is read at once, in bytes.
const PIECE: usize = 16 << 10;

/// Standard input that nobody reads yet.
#[derive(Debug)]
pub struct Input {
    begin: oneshot::Sender<()>,
    pieces: mpsc::Receiver<Vec<u8>>,
}

impl Input {
    /// Prepares a thread of its own, which may still wait for input when the program ends; the runtime
    /// would wait for one of its own threads.
    ///
    /// # Errors
    /// Where the system lets us have no more threads.
    pub fn prepare() -> io::Result<Self> {
        let (begin, begun) = oneshot::channel();
        let (sender, pieces) = mpsc::channel(4);
        threads::spawn("standard input", move || {
            // Nobody wants it any more.
            if begun.blocking_recv().is_err() {
                return;
            }
            let mut buffer = vec![0; PIECE];
            loop {
                match io::stdin().read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => return,
                    Ok(n) => {
                        if sender.blocking_send(buffer[..n].to_vec()).is_err() {
                            return;
                        }
                    }
                }
            }
        })?;
        Ok(Input { begin, pieces })
    }

    /// Begins to read.
    pub fn begin(self) -> mpsc::Receiver<Vec<u8>> {
        // The thread waits for this and nothing else.
        let _ = self.begin.send(());
        self.pieces
    }
}
