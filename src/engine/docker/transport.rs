//! What all ways to an engine (a socket, a port, TLS, `ssh`) have in common.

use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Why no connection came about, where the system's own words would not tell: a certificate, a
/// login, a missing program.
#[derive(Debug, thiserror::Error)]
#[error("{why}; {advice}")]
pub struct Refusal {
    pub why: String,
    /// What to do about it.
    pub advice: String,
}

impl Refusal {
    /// As the error of a connection.
    pub fn error(why: impl Into<String>, advice: impl Into<String>) -> io::Error {
        io::Error::other(Refusal {
            why: why.into(),
            advice: advice.into(),
        })
    }
}
