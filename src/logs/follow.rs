//! Following: which containers are watched, when to attach again, and when it is over.

use super::lines::Stamps;
use super::listening::{Heard, Listening, at};
use super::pool::{Part, Pool};
use super::printer::Printer;
use super::{Log, LogRequest, LogsError, short_name};
use crate::engine::{ContainerState, ContainerSummary, Engine, EngineEvent, LogOptions};
use crate::event::Reporter;
use crate::labels;
use crate::value::time;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A container between two lives has no process; an engine's restart takes less than this. Only
/// after it a project counts as ended.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// What an engine that fails has sent comes in so long.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// An end that is announced early shows in an inspect after this long.
const EARLY_END: Duration = Duration::from_millis(300);

/// A container that is followed.
pub(super) struct Followed {
    id: String,
    pub(super) service: String,
    log: Log,
    /// A reader is at work.
    pub(super) is_attached: bool,
    /// It prints nothing: it only finds out how new the last line is.
    pub(super) is_probe: bool,
    /// It has found out how many lines have the last one's time.
    is_counted: bool,
    /// Starts since the reader was attached: it may have to be attached again.
    starts: u32,
    /// Everything up to here has been seen, in nanoseconds since the epoch.
    seen: Option<i64>,
    /// The end of the life that was read, if it has been told.
    died: Option<i64>,
    /// What to say when its last line is printed.
    exits: VecDeque<Exited>,
}

/// The end of a container, with whether its engine starts it again.
#[derive(Debug, Clone, Copy)]
struct Exited {
    code: i64,
    restarting: bool,
}

pub(super) struct Follower<'a, W: Write> {
    request: LogRequest,
    pub(super) printer: &'a mut Printer<W>,
    reporter: &'a Reporter,
    engine: Arc<dyn Engine>,
    pub(super) pool: Pool,
    pub(super) followed: Vec<Followed>,
    pub(super) by_id: HashMap<String, usize>,
    /// Containers whose end is awaited.
    pub(super) awaited: HashSet<String>,
}

pub async fn follow<W: Write>(
    engine: Arc<dyn Engine>,
    request: LogRequest,
    printer: &mut Printer<W>,
    reporter: &Reporter,
) -> Result<(), LogsError> {
    let mut listening = Listening::new(engine.as_ref(), request.labels());
    // The events first: what starts after the list must not be missed.
    let mut early = Vec::new();
    let containers = {
        let mut list = std::pin::pin!(request.list(engine.as_ref()));
        loop {
            tokio::select! {
                biased;
                heard = listening.next() => if let Heard::Event(event) = heard? {
                    early.push(event);
                },
                containers = &mut list => break containers?,
            }
        }
    };
    if containers.is_empty() {
        return Ok(());
    }
    let mut follower = Follower::new(engine.clone(), request, printer, reporter);
    for container in &containers {
        follower.awaited.insert(container.id.clone());
        follower.begin(container);
    }
    for event in early {
        follower.handle(event).await?;
    }
    listening.has_listed();
    let result = follower.follow(&mut listening).await;
    follower.conclude(result).await
}

impl<'a, W: Write> Follower<'a, W> {
    pub(super) fn new(
        engine: Arc<dyn Engine>,
        request: LogRequest,
        printer: &'a mut Printer<W>,
        reporter: &'a Reporter,
    ) -> Self {
        Follower {
            pool: Pool::new(engine.clone()),
            engine,
            request,
            printer,
            reporter,
            followed: Vec::new(),
            by_id: HashMap::new(),
            awaited: HashSet::new(),
        }
    }

    pub(super) fn wants(&self, labels: &BTreeMap<String, String>) -> bool {
        self.request.wants(labels)
    }

    async fn follow(&mut self, listening: &mut Listening<'_>) -> Result<(), LogsError> {
        let mut ends_at: Option<Instant> = None;
        loop {
            if !self.is_over() {
                ends_at = None;
            } else if ends_at.is_none() {
                ends_at = Some(Instant::now() + LINGER);
            }
            self.break_overdue()?;
            if let Some((number, part)) = self.pool.try_next() {
                self.take(number, part)?;
                continue;
            }
            self.printer.flush()?;
            let patience = self.pool.patience();
            tokio::select! {
                (number, part) = self.pool.next() => self.take(number, part)?,
                heard = listening.next() => match heard? {
                    Heard::Event(event) => self.handle(event).await?,
                    Heard::SecondLook => self.look_again().await?,
                },
                () = at(patience) => {}
                () = at(ends_at) => return Ok(()),
            }
        }
    }

    /// Ends a line that others have waited for too long.
    pub(super) fn break_overdue(&mut self) -> Result<(), LogsError> {
        if let Some(number) = self.pool.overdue(self.printer.is_waited_for()) {
            self.followed[number].log.break_line(self.printer)?;
            self.pool.passed(number, false, 0);
        }
        Ok(())
    }

    /// Ends with a result. Where the engine has failed, what it has sent before is shown: it breaks
    /// all its streams at once, and that of the events may be the first to be seen.
    pub(super) async fn conclude(
        &mut self,
        result: Result<(), LogsError>,
    ) -> Result<(), LogsError> {
        if matches!(result, Err(LogsError::Output(_))) {
            return result;
        }
        let deadline = Instant::now() + LAST_WORDS;
        while result.is_err() && self.followed.iter().any(|f| f.is_attached) {
            tokio::select! {
                biased;
                (number, part) = self.pool.next(), if self.printer.has_room() => {
                    // The first error of the engine is the one to tell.
                    if let Err(LogsError::Output(error)) = self.take(number, part) {
                        return Err(error.into());
                    }
                }
                () = self.printer.room(), if !self.printer.has_room() => {}
                () = at(Some(deadline)) => break,
            }
        }
        for followed in self.followed.iter_mut().filter(|f| !f.is_probe) {
            followed.log.finish(self.printer)?;
        }
        self.printer.flush()?;
        result
    }

    /// Nothing is read and no end is awaited any more.
    fn is_over(&self) -> bool {
        let until_has_come = self.request.until.is_some();
        (self.awaited.is_empty() || until_has_come) && self.followed.iter().all(|f| !f.is_attached)
    }

    /// Starts to follow a container that was there before us.
    pub(super) fn begin(&mut self, container: &ContainerSummary) {
        let mut options = self.request.options();
        // Where none of a stopped container's lines is wanted, we still have to know which were
        // there when it starts again.
        let is_probe = self.request.tail == Some(0) && !container.state.is_up();
        if is_probe {
            options.tail = Some(1);
        }
        let at = self.add(container);
        self.followed[at].is_probe = is_probe;
        self.attach(at, options);
    }

    fn add(&mut self, container: &ContainerSummary) -> usize {
        let at = self.followed.len();
        let stamps = match self.request.timestamps {
            true => Stamps::Keep,
            false => Stamps::Strip,
        };
        self.by_id.insert(container.id.clone(), at);
        self.followed.push(Followed {
            id: container.id.clone(),
            service: container
                .labels
                .get(labels::SERVICE)
                .cloned()
                .unwrap_or_default(),
            log: Log::new(container, stamps),
            is_attached: false,
            is_probe: false,
            is_counted: false,
            starts: 0,
            seen: None,
            died: None,
            exits: VecDeque::new(),
        });
        at
    }

    fn attach(&mut self, at: usize, options: LogOptions) {
        let followed = &mut self.followed[at];
        followed.is_attached = true;
        followed.starts = 0;
        followed.died = None;
        self.pool.read(at, followed.id.clone(), options);
    }

    /// Reads on behind what has been seen.
    fn attach_again(&mut self, at: usize) {
        let followed = &mut self.followed[at];
        if followed.log.is_unreadable {
            return;
        }
        let seen = match followed.log.splitter.read_again() {
            Some(from) => Some(time::nanos(from)),
            None => followed.seen.map(|nanos| time::nanos(nanos + 1)),
        };
        let options = LogOptions {
            since: seen.or_else(|| self.request.since.clone()),
            tail: None,
            ..self.request.options()
        };
        self.attach(at, options);
    }

    /// Takes what a reader hands over.
    pub(super) fn take(&mut self, number: usize, part: Part) -> Result<(), LogsError> {
        let followed = &mut self.followed[number];
        let result = match part {
            Part::Chunk(chunk) if followed.is_probe => {
                // Read for its times only.
                let splitter = &mut followed.log.splitter;
                return Ok(splitter.push(chunk.stream, &chunk.bytes, &mut |_, _| Ok(()))?);
            }
            Part::Chunk(chunk) => {
                followed.log.print(&chunk, self.printer)?;
                let is_in_line = followed.log.splitter.is_in_line();
                self.pool.passed(number, is_in_line, chunk.bytes.len());
                return Ok(());
            }
            Part::End(result) => result,
        };
        if followed.is_probe {
            let splitter = &mut followed.log.splitter;
            splitter.finish(&mut |_, _| Ok(()))?;
            if result.is_ok()
                && !std::mem::replace(&mut followed.is_counted, true)
                && let Some(from) = splitter.count_again()
            {
                // Of several lines with one time, the last one was read.
                let options = LogOptions {
                    since: Some(time::nanos(from)),
                    tail: None,
                    ..self.request.options()
                };
                self.pool.read(number, followed.id.clone(), options);
                return Ok(());
            }
        }
        followed.log.finish(self.printer)?;
        self.pool.passed(number, false, 0);
        followed.is_attached = false;
        followed.is_probe = false;
        followed.log.excuse(result, self.reporter)?;
        // A life that printed nothing has ended at a known time, and the next begins after it.
        followed.seen = followed
            .log
            .splitter
            .newest()
            .or(followed.died)
            .max(followed.seen);
        let is_again = followed.starts > 0;
        while let Some(exit) = followed.exits.pop_front() {
            let Exited { code, restarting } = exit;
            self.printer.exited(&followed.log.name, code, restarting)?;
            if is_again {
                // The others belong to lives that are still to be read.
                break;
            }
        }
        if is_again {
            self.attach_again(number);
        }
        Ok(())
    }

    async fn handle(&mut self, event: EngineEvent) -> Result<(), LogsError> {
        if !self.request.wants(&event.attributes) {
            return Ok(());
        }
        let known = self.by_id.get(&event.id).copied();
        match event.action.as_str() {
            "create" => {
                self.awaited.insert(event.id);
                if let Some(replaced) = event.attributes.get(labels::REPLACE) {
                    self.printer.recreated(replaced)?;
                }
            }
            "start" => {
                self.awaited.insert(event.id.clone());
                self.started(known, &event);
            }
            "die" => {
                let is_back = self.comes_back(&event.id).await;
                if !is_back {
                    self.awaited.remove(&event.id);
                }
                self.died(known, &event, is_back)?;
            }
            "destroy" => {
                self.awaited.remove(&event.id);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn started(&mut self, known: Option<usize>, event: &EngineEvent) {
        match known {
            Some(at) if self.followed[at].is_attached => self.followed[at].starts += 1,
            Some(at) => self.attach_again(at),
            None => {
                let at = self.add(&ContainerSummary {
                    id: event.id.clone(),
                    name: event.attributes.get("name").cloned().unwrap_or_default(),
                    labels: event.attributes.clone(),
                    ..ContainerSummary::default()
                });
                // All of a new container is new.
                self.attach_again(at);
            }
        }
    }

    pub(super) fn died(
        &mut self,
        known: Option<usize>,
        event: &EngineEvent,
        restarting: bool,
    ) -> Result<(), LogsError> {
        let code = event.attributes.get("exitCode");
        let code = code.and_then(|code| code.parse().ok()).unwrap_or(0);
        let Some(at) = known else {
            let name = event.attributes.get("name").map_or("", String::as_str);
            let name = short_name(name, &event.attributes);
            return Ok(self.printer.exited(&name, code, restarting)?);
        };
        let followed = &mut self.followed[at];
        if followed.is_attached {
            followed.died.get_or_insert(event.time_nano);
            followed.exits.push_back(Exited { code, restarting });
        } else {
            followed.seen = followed.seen.max(Some(event.time_nano));
            self.printer.exited(&followed.log.name, code, restarting)?;
        }
        Ok(())
    }

    /// Whether the engine starts a container again that has just ended, or has done so already.
    pub(super) async fn comes_back(&self, id: &str) -> bool {
        if self.engine.announces_early() {
            tokio::time::sleep(EARLY_END).await;
        }
        let details = self.engine.inspect_container(id).await;
        details.is_ok_and(|d| {
            matches!(
                d.state,
                ContainerState::Restarting | ContainerState::Running
            )
        })
    }

    /// Finds what started without an event.
    pub(super) async fn look_again(&mut self) -> Result<(), LogsError> {
        for container in self.request.list(self.engine.as_ref()).await? {
            match self.by_id.get(&container.id).copied() {
                Some(at) if !self.followed[at].is_attached && container.state.is_up() => {
                    self.awaited.insert(container.id);
                    self.attach_again(at);
                }
                Some(_) => {}
                None => {
                    if container.state.is_up() || container.state == ContainerState::Created {
                        self.awaited.insert(container.id.clone());
                    }
                    if container.state != ContainerState::Created {
                        let at = self.add(&container);
                        self.attach_again(at);
                    }
                }
            }
        }
        Ok(())
    }
}
