//! Bytes between a thread that reads or writes files and the tasks that speak to an engine: a few
//! pieces wait on the way, however much there is in all.

use crate::threads;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use std::io::{self, Read, Write};
use tokio::sync::{mpsc, oneshot};

/// Bytes on their way; more than this many pieces wait for nobody.
const PIECES: usize = 16;
const PIECE: usize = 64 << 10;

/// What a thread writes, as a stream. The thread starts with the first poll, and goes on as fast as
/// the stream is read.
pub fn written(
    name: &'static str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> BoxStream<'static, io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(PIECES);
    stream::once(async move {
        let fallen = sender.clone();
        let work = move || {
            let mut pipe = Pipe {
                sender,
                piece: Vec::with_capacity(PIECE),
            };
            let result = write(&mut pipe).and_then(|()| pipe.send());
            if let Err(error) = result {
                // Where this fails too, the reader is gone.
                let _ = pipe.sender.blocking_send(Err(error));
            }
        };
        if let Err(error) = threads::spawn(name, work) {
            let _ = fallen.try_send(Err(error));
        }
        drop(fallen);
        stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        })
    })
    .flatten()
    .boxed()
}

struct Pipe {
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        if piece.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..part]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives a stream to a thread that reads it, and waits for what comes of it. An error of the stream
/// comes before the thread's, which is only its consequence.
///
/// # Errors
/// The stream's, else the thread's.
pub async fn read<T: Send + 'static, E: From<io::Error> + Send + 'static>(
    name: &'static str,
    mut stream: impl Stream<Item = Result<Bytes, E>> + Unpin,
    work: impl FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let (sender, receiver) = mpsc::channel(PIECES);
    let (answer, mut answered) = oneshot::channel();
    threads::spawn(name, move || {
        let mut source = Source {
            receiver,
            piece: Bytes::new(),
        };
        // Nobody may wait for it any more.
        let _ = answer.send(work(&mut source));
    })?;
    let lost = |_| io::Error::other(format!("the thread for {name} ended without an answer"));
    while let Some(piece) = stream.next().await {
        let sent = match piece {
            Ok(piece) => sender.send(Ok(piece)).await,
            Err(error) => {
                // It must not take what has come for the whole.
                let _ = sender.send(Err(io::ErrorKind::UnexpectedEof.into())).await;
                let _ = answered.await;
                return Err(error);
            }
        };
        if sent.is_err() {
            // It has had enough.
            return answered.await.map_err(lost)?;
        }
    }
    drop(sender);
    (&mut answered).await.map_err(lost)?
}

struct Source {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let part = self.piece.split_to(buffer.len().min(self.piece.len()));
        buffer[..part.len()].copy_from_slice(&part);
        Ok(part.len())
    }
}

/// Reads as many bytes as were promised, however a file changes meanwhile.
pub struct Exactly<R> {
    pub source: R,
    pub left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.source.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it became shorter while it was read",
            ));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_in_pieces() {
        let bytes: Vec<u8> = (0..500_000_u32).map(|n| n as u8).collect();
        let sent = bytes.clone();
        let pieces = written("a test", move |out| out.write_all(&sent));
        let pieces = pieces.map(|piece| piece.map(Bytes::from));
        let pieces = pieces.inspect(|p| assert!(p.as_ref().unwrap().len() <= PIECE));
        let got = read("a test", pieces, |from| {
            let mut all = Vec::new();
            from.read_to_end(&mut all)?;
            Ok::<_, io::Error>(all)
        });
        assert_eq!(got.await.unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_broken_stream_is_no_end() {
        let pieces = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("cut"))]);
        let read_all = |from: &mut dyn Read| {
            let mut all = Vec::new();
            let ended = from.read_to_end(&mut all);
            assert!(ended.is_err(), "{all:?}");
            Ok::<_, io::Error>(())
        };
        let error = read("a test", pieces, read_all).await.unwrap_err();
        assert_eq!(error.to_string(), "cut");
    }

    #[tokio::test]
    async fn a_reader_may_stop_early() {
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 4096])));
        let done = read("a test", endless, |from| {
            let mut some = [1; 10];
            from.read_exact(&mut some)?;
            Ok::<_, io::Error>(some)
        });
        assert_eq!(done.await.unwrap(), [0; 10]);
        let mut unread = written("a test", |out| {
            loop {
                out.write_all(&[0; 4096])?;
            }
        });
        assert!(unread.next().await.unwrap().is_ok());
    }
}
