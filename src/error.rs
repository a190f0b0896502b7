//! The one error of the command line: what to say, what to advise, and with which code to leave.
//! Every module's own error turns into it here and nowhere else.

use crate::copy::CopyError;
use crate::engine::EngineError;
use crate::engine::endpoint::EndpointError;
use crate::exec::ExecError;
use crate::image::build::BuildError;
use crate::interrupt::Cause;
use crate::logs::LogsError;
use crate::output::template::TemplateError;
use crate::project::NoSuchService;
use std::process::ExitCode;

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a command ended without doing what it was asked for.
#[derive(Debug)]
pub struct CliError {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Told by the message; code 1.
    Failed,
    /// Everything there was to say has been said; leaves with this code.
    Silent(u8),
    /// By SIGINT, SIGTERM or SIGHUP; this code after an empty line, as Compose does it.
    Interrupted(u8),
    /// Whoever read our output has had enough: no error.
    BrokenPipe,
}

impl CliError {
    pub fn new(message: impl Into<String>) -> Self {
        CliError {
            kind: Kind::Failed,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// Leaves with a code and without a word (a command's own exit code, or an error that has
    /// been shown already).
    pub fn silent(code: u8) -> Self {
        CliError {
            kind: Kind::Silent(code),
            message: String::new(),
            hints: Vec::new(),
        }
    }

    /// By a signal: 128 and the signal's number.
    pub fn interrupted(cause: Cause) -> Self {
        CliError {
            kind: Kind::Interrupted(cause.exit_code()),
            message: String::new(),
            hints: Vec::new(),
        }
    }

    /// Says something beside what it is.
    #[must_use]
    pub fn say(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what the user can do about it: a sentence without a full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The lines to show: none where there is nothing to say.
    pub fn lines(&self) -> Option<(&str, &[String])> {
        match self.kind {
            Kind::Failed | Kind::Interrupted(_) => Some((&self.message, &self.hints)),
            Kind::Silent(_) | Kind::BrokenPipe => None,
        }
    }

    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Failed => ExitCode::FAILURE,
            Kind::Silent(code) | Kind::Interrupted(code) => ExitCode::from(code),
            Kind::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Kind::BrokenPipe,
            _ => Kind::Failed,
        };
        CliError {
            kind,
            message: error.to_string(),
            hints: Vec::new(),
        }
    }
}

impl From<CopyError> for CliError {
    fn from(error: CopyError) -> Self {
        let read_only = error.is_read_only();
        let error = match error {
            CopyError::Engine(error) => error.into(),
            CopyError::Output(error) => CliError::from(error),
            other => CliError::new(other.to_string()),
        };
        match read_only {
            true => error.hint(
                "only its volumes can be written (`read_only: true`): copy to a path on one of them",
            ),
            false => error,
        }
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Unanswered { message, cause } => CliError::interrupted(cause).say(message),
            other => CliError::new(other.to_string()),
        }
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        CliError::new(error.to_string())
    }
}

impl From<EndpointError> for CliError {
    fn from(error: EndpointError) -> Self {
        CliError::new(error.to_string())
    }
}

impl From<TemplateError> for CliError {
    fn from(error: TemplateError) -> Self {
        CliError::new(error.to_string())
    }
}

impl From<ExecError> for CliError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::Engine(error) => error.into(),
            ExecError::Output(error) => error.into(),
            ExecError::NotRunning { .. } => CliError::new(error.to_string()),
        }
    }
}

impl From<LogsError> for CliError {
    fn from(error: LogsError) -> Self {
        match error {
            LogsError::Engine(error) => error.into(),
            LogsError::Output(error) => error.into(),
            LogsError::NoSuchReplica { .. } => CliError::new(error.to_string()),
        }
    }
}

impl From<NoSuchService> for CliError {
    fn from(error: NoSuchService) -> Self {
        let known = error.known.join(", ");
        let message = error.to_string();
        match error.known.is_empty() {
            true => CliError::new(message),
            false => CliError::new(message).hint(format!("the services are {known}")),
        }
    }
}
