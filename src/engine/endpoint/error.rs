//! Why no engine's address is found.

use std::path::PathBuf;

/// Why no address could be found; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// None of the default sockets is there.
    #[error(
        "no container engine found: tried {}; start Docker or Podman (`systemctl start docker`), or say where it is with -H or DOCKER_HOST",
        list(.tried)
    )]
    NoEngine { tried: Vec<PathBuf> },
    /// `-H` and `--context` exclude each other.
    #[error("-H and --context both say where the engine is: give one of them")]
    Contradiction,
    /// A context was named that is not there.
    #[error("context \"{name}\" not found in {}; `docker context ls` lists the contexts", .dir.display())]
    NoContext { name: String, dir: PathBuf },
    /// A file of the client's configuration is not what it should be.
    #[error("{}: {message}", .path.display())]
    BrokenFile { path: PathBuf, message: String },
    /// An address of a kind that is not spoken here.
    #[error("{given_by}: {address}: {advice}")]
    Unsupported {
        /// Where the address was given, e.g. `DOCKER_HOST`.
        given_by: String,
        address: String,
        advice: String,
    },
    /// A certificate or key that TLS needs is not there.
    #[error("TLS to the engine: {message}")]
    NoCertificate { message: String },
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}
