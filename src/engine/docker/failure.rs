//! What went wrong, from bollard's words into ours.

use super::connection::Endless;
use super::tls;
use super::transport::Refusal;
use super::wire::Wire;
use crate::engine::EngineError;
use crate::engine::endpoint::Endpoint;
use bollard::errors::Error;
use std::io;

/// An answer with an error status.
pub fn refused(status: u16, mut message: String) -> EngineError {
    if message.is_empty() {
        message = format!("status {status}, without a message");
    }
    match status {
        404 => EngineError::NotFound { message },
        409 => EngineError::Conflict { message },
        // Podman, where two make a volume of one name at the same moment.
        500 if message.ends_with("volume already exists") => EngineError::Conflict { message },
        // Podman, of a logging driver that gives nothing back: Docker Engine says 501.
        500 if message.contains("cannot read logs") => EngineError::Refused {
            status: 501,
            message,
        },
        _ => EngineError::Refused { status, message },
    }
}

/// Any error of a call through bollard.
pub fn failure(wire: &Wire, error: Error) -> EngineError {
    match error {
        Error::DockerResponseServerError {
            status_code,
            message,
        } => refused(status_code, message),
        Error::DockerStreamError { error } => refused(500, error),
        Error::HyperLegacyError { err } if err.is_connect() => {
            unreachable(wire.endpoint(), io_cause(&err))
        }
        Error::HyperLegacyError { err } => broken(wire, &err),
        Error::HyperResponseError { err } => broken(wire, &err),
        Error::IOError { err } => broken(wire, &err),
        Error::JsonSerdeError { err } if err.is_eof() && err.column() == 0 => {
            EngineError::Protocol {
                message: format!(
                    "the engine at {} gave an empty answer instead of JSON",
                    wire.endpoint()
                ),
            }
        }
        other => EngineError::Protocol {
            message: format!(
                "the engine at {} gave an answer that was not understood: {other}",
                wire.endpoint()
            ),
        },
    }
}

/// The connection ended before the answer did.
pub fn broken(wire: &Wire, error: &(dyn std::error::Error + 'static)) -> EngineError {
    if let Some(refusal) = tls::refused_later(error, wire.endpoint()) {
        return unreachable(wire.endpoint(), Some(&refusal));
    }
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match deepest.is::<Endless>() {
        true => EngineError::Endless {
            message: deepest.to_string(),
        },
        false => EngineError::Broken {
            message: format!("{}: {deepest}", wire.endpoint()),
        },
    }
}

/// Nobody answers at the endpoint: why, and what to do.
pub fn unreachable(endpoint: &Endpoint, cause: Option<&io::Error>) -> EngineError {
    if let Some(cause) = cause.filter(|cause| is_out_of_files(cause)) {
        return EngineError::Unreachable {
            message: format!(
                "cannot connect to {endpoint}: {cause}; raise the limit (`ulimit -n`), or ask for fewer calls at a time (--parallel)"
            ),
        };
    }
    let refusal = cause.and_then(|cause| cause.get_ref()?.downcast_ref::<Refusal>());
    if let Some(refusal) = refusal {
        return EngineError::Unreachable {
            message: format!("cannot connect to {endpoint}: {refusal}"),
        };
    }
    let advice = match (endpoint, cause.map(io::Error::kind)) {
        (Endpoint::Unix(path), Some(io::ErrorKind::NotFound)) => format!(
            "there is no {}; start the engine (`systemctl start docker`), or say where it is with -H or DOCKER_HOST",
            path.display()
        ),
        (Endpoint::Unix(_), Some(io::ErrorKind::ConnectionRefused)) => {
            "the socket is there, but nothing listens on it; start the engine (`systemctl start docker`)".into()
        }
        (Endpoint::Unix(path), Some(io::ErrorKind::PermissionDenied)) => format!(
            "this user may not open {}; join its group (`usermod -aG docker $USER`, then log in again), or use a rootless engine",
            path.display()
        ),
        (_, Some(_)) => format!("{}; is the engine running, and the address right?", cause.map(ToString::to_string).unwrap_or_default()),
        (_, None) => "is the engine running?".into(),
    };
    EngineError::Unreachable {
        message: format!("no engine answers at {endpoint}: {advice}"),
    }
}

/// Whether this process, or its whole machine, may open no more files (EMFILE, ENFILE).
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// The operating system's error below a client's.
fn io_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        current = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        assert!(refused(404, String::new()).is_not_found());
        assert!(refused(409, String::new()).is_conflict());
        let podman = "adding volume to state: name v is in use: volume already exists";
        assert!(refused(500, podman.to_owned()).is_conflict());
        let podman = "this container is using the 'none' log driver, cannot read logs: …";
        assert!(matches!(
            refused(500, podman.to_owned()),
            EngineError::Refused { status: 501, .. }
        ));
        assert!(matches!(
            refused(500, String::new()),
            EngineError::Refused { status: 500, .. }
        ));
    }

    #[test]
    fn a_refusal_is_never_empty() {
        let error = refused(302, String::new()).to_string();
        assert!(error.ends_with("status 302, without a message"), "{error}");
    }

    #[test]
    fn too_many_open_files_are_told() {
        let socket = Endpoint::Unix("/run/x.sock".into());
        for code in [23, 24] {
            let cause = io::Error::from_raw_os_error(code);
            let error = unreachable(&socket, Some(&cause)).to_string();
            assert!(error.contains("ulimit -n"), "{error}");
            assert!(
                error.starts_with("cannot connect to unix:///run/x.sock"),
                "{error}"
            );
        }
    }

    #[test]
    fn unreachable_says_what_to_do() {
        let socket = Endpoint::Unix("/run/x.sock".into());
        let table = [
            (
                io::ErrorKind::NotFound,
                "there is no /run/x.sock; start the engine",
            ),
            (io::ErrorKind::ConnectionRefused, "nothing listens"),
            (io::ErrorKind::PermissionDenied, "usermod -aG docker"),
        ];
        for (kind, words) in table {
            let error = unreachable(&socket, Some(&kind.into())).to_string();
            assert!(
                error.starts_with("no engine answers at unix:///run/x.sock: "),
                "{error}"
            );
            assert!(error.contains(words), "{error}");
        }
    }
}
