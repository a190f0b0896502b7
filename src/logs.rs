//! Logs: the lines of a project's containers, as they come, under Compose's prefixes.
//!
//! A container's log outlives its restarts, and an engine's log stream ends with the container.
//! So a follower attaches again when the container starts again, and asks for what is newer than
//! the last line it has seen. That needs every line's time, which the engine puts before the
//! line and [`lines`] takes off again. No line is lost between two lives, and none comes twice.
//!
//! A line stays one line however long it is, and no other line comes into the middle of it: the
//! other logs wait ([`pool`]). Where the engine fails, what it has sent until then is shown first.

use crate::engine::{
    ContainerFilter, ContainerSummary, Engine, EngineError, LogOptions, OutputChunk,
};
use crate::event::Reporter;
use crate::labels;
use lines::{Splitter, Stamps};
use pool::{Part, Pool};
use printer::Printer;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::sync::Arc;

pub mod attach;
mod follow;
mod lines;
mod listening;
mod pool;
pub mod printer;

/// Which lines are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogRequest {
    pub project: String,
    /// Empty means all.
    pub services: Vec<String>,
    /// Only this replica of the one service.
    pub replica: Option<u32>,
    pub follow: bool,
    /// Seconds since the epoch with a fraction.
    pub since: Option<String>,
    pub until: Option<String>,
    /// Number of last lines of each container; `None` is all.
    pub tail: Option<u64>,
    /// Show each line's time.
    pub timestamps: bool,
}

/// Why logs could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The reader of our output is gone, or the disk is full.
    #[error(transparent)]
    Output(#[from] io::Error),
    #[error("service \"{service}\" is not running container #{replica}")]
    NoSuchReplica { service: String, replica: u32 },
}

/// So many logs are read at a time where nothing is followed.
const AT_ONCE: usize = 32;

/// Shows the lines, until there are no more; follows as long as a container is left to watch.
///
/// # Errors
/// If the engine fails, or the output cannot be written.
pub async fn show<W: Write>(
    engine: Arc<dyn Engine>,
    request: LogRequest,
    printer: &mut Printer<W>,
    reporter: &Reporter,
) -> Result<(), LogsError> {
    if request.follow {
        return follow::follow(engine, request, printer, reporter).await;
    }
    let containers = request.list(engine.as_ref()).await?;
    let stamps = if request.timestamps {
        Stamps::Keep
    } else {
        Stamps::None
    };
    let mut pool = Pool::new(engine);
    let mut waiting: VecDeque<ContainerSummary> = containers.into();
    let mut reading: HashMap<usize, Log> = HashMap::new();
    let mut next = 0;
    // What goes wrong with one log keeps nobody from reading the others.
    let mut failure = None;
    loop {
        while reading.len() < AT_ONCE
            && let Some(container) = waiting.pop_front()
        {
            pool.read(next, container.id.clone(), request.options());
            reading.insert(next, Log::new(&container, stamps));
            next += 1;
        }
        if reading.is_empty() {
            printer.flush()?;
            return failure.map_or(Ok(()), Err);
        }
        let (number, part) = match pool.try_next() {
            Some(part) => part,
            None => {
                printer.flush()?;
                pool.next().await
            }
        };
        let Some(log) = reading.get_mut(&number) else {
            continue;
        };
        match part {
            Part::Chunk(chunk) => {
                log.print(&chunk, printer)?;
                pool.passed(number, log.splitter.is_in_line(), chunk.bytes.len());
            }
            Part::End(result) => {
                log.finish(printer)?;
                pool.passed(number, false, 0);
                if let Err(error) = log.excuse(result, reporter) {
                    failure.get_or_insert(error);
                }
                reading.remove(&number);
            }
        }
    }
}

impl LogRequest {
    fn labels(&self) -> Vec<String> {
        let mut labels = vec![
            format!("{}={}", labels::PROJECT, self.project),
            format!("{}=False", labels::ONEOFF),
        ];
        if let Some(replica) = self.replica {
            labels.push(format!("{}={replica}", labels::CONTAINER_NUMBER));
        }
        labels
    }

    fn wants(&self, labels: &std::collections::BTreeMap<String, String>) -> bool {
        let service = labels.get(labels::SERVICE);
        self.services.is_empty() || service.is_some_and(|s| self.services.contains(s))
    }

    /// The containers there are, by name.
    async fn list(&self, engine: &dyn Engine) -> Result<Vec<ContainerSummary>, LogsError> {
        let mut labels = self.labels();
        labels.push(labels::CONFIG_HASH.into());
        let filter = ContainerFilter { labels, all: true };
        let mut containers = engine.list_containers(filter).await?;
        containers.retain(|c| self.wants(&c.labels));
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        if let (Some(replica), [service], true) = (
            self.replica,
            self.services.as_slice(),
            containers.is_empty(),
        ) {
            let service = service.clone();
            return Err(LogsError::NoSuchReplica { service, replica });
        }
        Ok(containers)
    }

    fn options(&self) -> LogOptions {
        LogOptions {
            follow: self.follow,
            since: self.since.clone(),
            until: self.until.clone(),
            tail: self.tail,
            timestamps: self.follow || self.timestamps,
            tty: false,
        }
    }
}

/// One container's log on its way to the printer.
struct Log {
    container: String,
    /// `web-1`, or the container's own name.
    name: String,
    splitter: Splitter,
    /// Its logging driver gives nothing back, which has been told.
    is_unreadable: bool,
}

impl Log {
    fn new(container: &ContainerSummary, stamps: Stamps) -> Self {
        Log {
            container: container.name.clone(),
            name: short_name(&container.name, &container.labels),
            splitter: Splitter::new(stamps),
            is_unreadable: false,
        }
    }

    fn print<W: Write>(&mut self, chunk: &OutputChunk, to: &mut Printer<W>) -> io::Result<()> {
        let name = &self.name;
        self.splitter
            .push(chunk.stream, &chunk.bytes, &mut |stream, piece| {
                to.line_of(stream, name, piece)
            })
    }

    /// Ends a line whose beginning was printed.
    fn break_line<W: Write>(&mut self, to: &mut Printer<W>) -> io::Result<()> {
        let name = &self.name;
        self.splitter
            .break_line(&mut |stream, piece| to.line_of(stream, name, piece))
    }

    /// Prints the beginnings of lines that will have no end.
    fn finish<W: Write>(&mut self, to: &mut Printer<W>) -> io::Result<()> {
        let name = &self.name;
        self.splitter
            .finish(&mut |stream, piece| to.line_of(stream, name, piece))
    }

    /// Some logging drivers cannot be read; that stops nobody. Nor does a container that has
    /// been removed.
    fn excuse(
        &mut self,
        result: Result<(), EngineError>,
        reporter: &Reporter,
    ) -> Result<(), LogsError> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(EngineError::Refused {
                status: 501,
                message,
            }) => {
                self.is_unreadable = true;
                let name = &self.container;
                reporter.warning(format!("Can't retrieve logs for \"{name}\": {message}"));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// `web-1` of `shop-web-1`; a name of the user's own stays whole.
pub fn short_name(name: &str, labels: &std::collections::BTreeMap<String, String>) -> String {
    let label = |key: &str| labels.get(key).map_or("", String::as_str);
    let (service, number) = (label(labels::SERVICE), label(labels::CONTAINER_NUMBER));
    // A successor is born under a temporary name: `<id12>_shop-web-1`.
    let is_temporary = labels.contains_key(labels::REPLACE);
    let name = match name.split_once('_') {
        Some((id, name)) if is_temporary && id.len() == 12 => name,
        _ => name,
    };
    let rest = name.strip_prefix(label(labels::PROJECT));
    for separator in ['-', '_'] {
        let short = format!("{service}{separator}{number}");
        if rest.and_then(|r| r.strip_prefix(separator)) == Some(&short) {
            return short;
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests;
