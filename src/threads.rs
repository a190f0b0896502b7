//! Threads for work that may wait for as long as it likes: reading input, walking a folder, asking
//! for a host's address. Where a user may have no more of them (`ulimit -u`), that is an error in
//! words; `std::thread::spawn` and the runtime's own threads panic.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::oneshot;

/// Starts one. The program's end does not wait for it.
///
/// # Errors
/// Where the system lets us have no more.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = std::thread::Builder::new().name(name.into());
    let started = thread.spawn(work).map(drop);
    started.map_err(|error| none_for(name, &error))
}

/// Does work on another one, while this one waits.
///
/// # Errors
/// As [`spawn`].
pub fn aside<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(name.into());
        let started = thread.spawn_scoped(scope, work);
        let thread = started.map_err(|error| none_for(name, &error))?;
        thread.join().map_err(|_| lost(name))
    })
}

fn none_for(name: &str, error: &io::Error) -> io::Error {
    let message = format!(
        "no thread could be started for {name} ({error}): the number of processes is limited (`ulimit -u`)"
    );
    io::Error::new(error.kind(), message)
}

fn lost(name: &str) -> io::Error {
    io::Error::other(format!("the thread for {name} ended without an answer"))
}

/// Does work on one, and waits for what comes of it.
///
/// # Errors
/// The work's, and as [`spawn`].
async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = oneshot::channel();
    spawn(name, move || {
        // Nobody may wait for it any more.
        let _ = sender.send(work());
    })?;
    receiver.await.map_err(|_| lost(name))?
}

/// The addresses of a host; a name's are asked for on a thread.
///
/// # Errors
/// Where the host is not known.
pub async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let host = host.to_owned();
    let ask = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
    run("the address of a host", ask).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hosts_are_numbers_or_names() {
        for host in ["127.0.0.1", "::1", "localhost"] {
            let found = addresses(host, 80).await.expect(host);
            assert!(found.iter().all(|a| a.ip().is_loopback() && a.port() == 80));
            assert!(!found.is_empty(), "{host}");
        }
        let error = addresses("no.such.host.invalid", 80).await;
        error.expect_err("there is none");
        let error = run("work", || Err::<(), _>(io::ErrorKind::NotFound.into())).await;
        assert_eq!(
            error.expect_err("the work's").kind(),
            io::ErrorKind::NotFound
        );
    }
}
