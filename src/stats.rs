//! What a project's containers use, once and as it goes on.

use crate::engine::{ContainerFilter, Engine, EngineError, EngineEvent, Usage};
use futures::future::ready;
use futures::stream::{self, BoxStream, SelectAll, StreamExt};
use std::time::Duration;
use tokio::time::Instant;

/// Of whom nothing is heard for so long, nothing is known.
const SILENCE: Duration = Duration::from_secs(2);
/// How often what is known is shown.
const INTERVAL: Duration = Duration::from_millis(500);

/// Which containers are measured.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `key` or `key=value` each.
    pub labels: Vec<String>,
    /// Also those that do not run.
    pub all: bool,
}

/// A container with what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Its id, as the list has it.
    pub container: String,
    /// The last that was measured; nothing, where it never was.
    pub usage: Usage,
    /// Whether that is so now.
    pub is_known: bool,
}

/// Measures every container once.
///
/// # Errors
/// Where the engine fails. A container that goes away meanwhile is left out.
pub async fn once(
    engine: &dyn Engine,
    selection: &Selection,
    limit: usize,
) -> Result<Vec<Reading>, EngineError> {
    let listed = engine.list_containers(filter(selection)).await?;
    let measured = stream::iter(listed.into_iter().map(|c| c.id)).map(|id| async move {
        let usage = engine.usage(id.clone(), false).next().await;
        match usage {
            Some(Ok(usage)) => Ok(Some(Reading {
                container: id,
                usage,
                is_known: true,
            })),
            Some(Err(error)) if !error.is_not_found() => Err(error),
            _ => Ok(None),
        }
    });
    let readings: Vec<Result<Option<Reading>, EngineError>> =
        measured.buffered(limit.max(1)).collect().await;
    readings.into_iter().filter_map(Result::transpose).collect()
}

fn filter(selection: &Selection) -> ContainerFilter {
    ContainerFilter {
        labels: selection.labels.clone(),
        all: selection.all,
    }
}

/// What a container's stream says: how much it uses, or `None` at its end.
type Said = (String, Option<Usage>);

/// Shows what is measured, twice a second, until the engine ends its events or `show` fails.
///
/// # Errors
/// What the engine or `show` says.
pub async fn follow<E: From<EngineError>>(
    engine: &dyn Engine,
    selection: &Selection,
    mut show: impl FnMut(&[Reading]) -> Result<(), E>,
) -> Result<(), E> {
    let mut board = Board {
        all: selection.all,
        ..Board::default()
    };
    let mut events = engine.events(selection.labels.clone(), None);
    let mut streams: SelectAll<BoxStream<'_, Said>> = SelectAll::new();
    // What begins while the list is made is in the list, or told.
    let mut early = Vec::new();
    let listed = {
        let mut list = engine.list_containers(filter(selection));
        loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(event) => early.push(event?),
                    None => return Ok(()),
                },
                listed = &mut list => break listed?,
            }
        }
    };
    let mut begun: Vec<String> = listed
        .into_iter()
        .filter(|container| board.add(&container.id))
        .map(|container| container.id)
        .collect();
    begun.extend(early.iter().filter_map(|event| board.event(event)));
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        streams.extend(begun.drain(..).map(|id| measured(engine, id)));
        tokio::select! {
            event = events.next() => match event {
                Some(event) => begun.extend(board.event(&event?)),
                None => return Ok(()),
            },
            Some((id, usage)) = streams.next(), if !streams.is_empty() => board.said(&id, usage),
            _ = tick.tick() => {
                if let Some(readings) = board.readings() {
                    show(&readings)?;
                }
            }
        }
    }
}

/// The measurements of one container, to their end.
fn measured(engine: &dyn Engine, id: String) -> BoxStream<'_, Said> {
    let end = (id.clone(), None);
    engine
        .usage(id.clone(), true)
        .take_while(|part| ready(part.is_ok()))
        .filter_map(|part| ready(part.ok()))
        .map(move |usage| (id.clone(), Some(usage)))
        .chain(stream::once(ready(end)))
        .boxed()
}

/// All that are shown, the oldest of the list first.
#[derive(Debug, Default)]
struct Board {
    all: bool,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    reading: Reading,
    /// When it was last heard of.
    heard: Instant,
    is_waited_for: bool,
}

impl Board {
    /// Shows a container that is not shown yet.
    fn add(&mut self, id: &str) -> bool {
        if self.rows.iter().any(|row| row.reading.container == id) {
            return false;
        }
        self.rows.push(Row {
            reading: Reading {
                container: id.to_owned(),
                is_known: true,
                ..Reading::default()
            },
            heard: Instant::now(),
            is_waited_for: true,
        });
        true
    }

    /// Follows an event; gives the container that is to be measured from now on.
    fn event(&mut self, event: &EngineEvent) -> Option<String> {
        let begins = event.action == "start" || self.all && event.action == "create";
        let ends = event.action == "destroy" || !self.all && event.action == "die";
        if ends {
            self.rows.retain(|row| row.reading.container != event.id);
        }
        (begins && self.add(&event.id)).then(|| event.id.clone())
    }

    fn said(&mut self, id: &str, usage: Option<Usage>) {
        let row = self.rows.iter_mut().find(|r| r.reading.container == id);
        let Some(row) = row else { return };
        row.is_waited_for = false;
        row.heard = Instant::now();
        row.reading.is_known = usage.is_some();
        if let Some(usage) = usage {
            row.reading.usage = usage;
        }
    }

    /// What is to be shown now; nothing as long as a container is waited for for the first time.
    fn readings(&mut self) -> Option<Vec<Reading>> {
        for row in &mut self.rows {
            if row.heard.elapsed() >= SILENCE {
                row.is_waited_for = false;
                row.reading.is_known = false;
            }
        }
        let is_ready = !self.rows.iter().any(|row| row.is_waited_for);
        is_ready.then(|| self.rows.iter().map(|row| row.reading.clone()).collect())
    }
}

#[cfg(test)]
mod tests;
