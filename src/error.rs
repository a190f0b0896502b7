//! The one error of the command line: what to say, what to advise, and with which code to exit.
//! Every module's own error turns into it here and nowhere else, and is kept as its source.

use crate::attach::AttachError;
use crate::copy::CopyError;
use crate::engine::EngineError;
use crate::engine::endpoint::EndpointError;
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::image::build::BuildError;
use crate::interrupt::Cause;
use crate::logs::LogsError;
use crate::output::BadStyle;
use crate::output::template::TemplateError;
use crate::project::NoSuchService;
use crate::run::RunError;
use crate::stdio::StdioError;

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
    /// The error that it was made from.
    source: Option<Source>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl std::error::Error for CliError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The message says it all.
    Failed,
    /// The message says it all, and the program exits with this.
    Coded(Exit),
    /// There is nothing (more) to say.
    Silent(Exit),
    /// A signal ended the command; an empty line is shown, as Docker Compose does it.
    Interrupted(Cause),
    /// The reader of our output has gone, which is no error.
    BrokenPipe,
}

impl CliError {
    pub fn new(message: impl Into<String>) -> Self {
        CliError {
            message: message.into(),
            ..CliError::of_kind(Kind::Failed)
        }
    }

    /// Exits with this instead of [`Exit::Failure`].
    #[must_use]
    pub fn coded(mut self, exit: impl Into<Exit>) -> Self {
        if self.kind == Kind::Failed {
            self.kind = Kind::Coded(exit.into());
        }
        self
    }

    fn of_kind(kind: Kind) -> Self {
        CliError {
            kind,
            message: String::new(),
            hints: Vec::new(),
            source: None,
        }
    }

    /// An error that has been shown already: exits with [`Exit::Failure`] and without a word.
    pub fn shown() -> Self {
        CliError::silent(Exit::Failure)
    }

    /// Exits without a word.
    pub fn silent(exit: impl Into<Exit>) -> Self {
        CliError::of_kind(Kind::Silent(exit.into()))
    }

    /// A signal ended the command.
    pub fn interrupted(cause: Cause) -> Self {
        CliError::of_kind(Kind::Interrupted(cause))
    }

    /// Says what another error says, and keeps it as the source.
    pub fn from_source(source: impl Into<Source>) -> Self {
        let source = source.into();
        CliError {
            message: source.to_string(),
            source: Some(source),
            ..CliError::of_kind(Kind::Failed)
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
            Kind::Failed | Kind::Coded(_) | Kind::Interrupted(_) => {
                Some((&self.message, &self.hints))
            }
            Kind::Silent(_) | Kind::BrokenPipe => None,
        }
    }

    /// What the program exits with.
    pub fn exit(&self) -> Exit {
        match self.kind {
            Kind::Failed => Exit::Failure,
            Kind::Silent(exit) | Kind::Coded(exit) => exit,
            Kind::Interrupted(cause) => Exit::Signal(cause),
            Kind::BrokenPipe => Exit::Success,
        }
    }

    /// Traces the errors that it came from, for `--debug`.
    pub fn trace_sources(&self) {
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            tracing::debug!(?error, "the command failed because of");
            source = error.source();
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
            ..CliError::from_source(error)
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
            other => CliError::from_source(other),
        }
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        CliError::from_source(error)
    }
}

impl From<EndpointError> for CliError {
    fn from(error: EndpointError) -> Self {
        CliError::from_source(error)
    }
}

impl From<TemplateError> for CliError {
    fn from(error: TemplateError) -> Self {
        CliError::from_source(error)
    }
}

impl From<ExecError> for CliError {
    fn from(error: ExecError) -> Self {
        match error {
            ExecError::Engine(error) => error.into(),
            ExecError::Local(error) => error.into(),
            ExecError::Stdio(error) => error.into(),
            ExecError::NotRunning { .. } | ExecError::Detached => CliError::from_source(error),
        }
    }
}

impl From<AttachError> for CliError {
    fn from(error: AttachError) -> Self {
        match error {
            AttachError::Engine(error) => error.into(),
            AttachError::Local(error) => error.into(),
            AttachError::Stdio(error) => error.into(),
            AttachError::State { .. } | AttachError::Detached => CliError::from_source(error),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let code = error.exit_code();
        match error {
            RunError::Start(error) => CliError::from(error).coded(code),
            RunError::Engine(error) => error.into(),
            RunError::Stdio(error) => error.into(),
        }
    }
}

impl From<StdioError> for CliError {
    fn from(error: StdioError) -> Self {
        match error {
            StdioError::Engine(error) => error.into(),
            StdioError::Local(error) => error.into(),
            StdioError::Signal(signal) => CliError::silent(signal.exit_code()),
            StdioError::Silent(cause) => CliError::interrupted(cause).say(
                "the engine does not answer, so the signal was not passed on; the container goes on",
            ),
        }
    }
}

impl From<LogsError> for CliError {
    fn from(error: LogsError) -> Self {
        match error {
            LogsError::Engine(error) => error.into(),
            LogsError::Output(error) => error.into(),
            LogsError::NoSuchReplica { .. } => CliError::from_source(error),
        }
    }
}

impl From<NoSuchService> for CliError {
    fn from(error: NoSuchService) -> Self {
        let known = error.known.join(", ");
        match error.known.is_empty() {
            true => CliError::from_source(error),
            false => CliError::from_source(error).hint(format!("the services are {known}")),
        }
    }
}

impl From<BadStyle> for CliError {
    fn from(error: BadStyle) -> Self {
        match error.hint {
            Some(hint) => CliError::from_source(error).hint(hint),
            None => CliError::from_source(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn an_error_keeps_its_source_and_says_the_same() {
        let refused = EngineError::Conflict {
            message: "the name is in use".into(),
        };
        let error = CliError::from(refused);
        assert_eq!(
            error.to_string(),
            "Error response from daemon: the name is in use"
        );
        let source = error.source().expect("a source");
        assert!(
            source
                .downcast_ref::<EngineError>()
                .is_some_and(EngineError::is_conflict)
        );
        assert!(CliError::new("text alone").source().is_none());
    }

    #[test]
    fn each_kind_has_its_exit_code() {
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        for (error, code) in [
            (CliError::new("why"), 1),
            (CliError::shown(), 1),
            (CliError::silent(3), 3),
            (CliError::interrupted(Cause::Terminate), 143),
            (CliError::from(pipe), 0),
        ] {
            assert_eq!(error.exit().code(), code, "{error:?}");
        }
    }
}
