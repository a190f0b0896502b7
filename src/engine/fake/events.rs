//! Events and logs: what is told as it happens.

use super::world::{World, has_labels};
use super::{Fake, LogLine};
use crate::engine::{EngineError, EngineEvent, LogOptions, OutputChunk};
use futures::stream::{self, BoxStream, StreamExt};
use std::collections::VecDeque;
use std::time::Duration;

/// The engine cuts longer lines into messages of this size.
const MESSAGE: usize = 16 << 10;

/// Nanoseconds of `1700000000.5`.
fn nanoseconds(time: &str) -> i64 {
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let padded = format!("{fraction:0<9}");
    let seconds: i64 = seconds.parse().unwrap_or(0);
    seconds.saturating_mul(1_000_000_000) + padded[..9].parse::<i64>().unwrap_or(0)
}

impl World {
    /// Tells an event of a container.
    pub fn emit(&mut self, id: &str, action: &str, more: &[(&str, &str)]) {
        let time_nano = self.now();
        let Some(container) = self.containers.get(id) else {
            return;
        };
        let mut attributes = container.labels.clone();
        attributes.insert("image".into(), container.image().to_string());
        attributes.insert("name".into(), container.name.clone());
        for (key, value) in more {
            attributes.insert((*key).into(), (*value).into());
        }
        self.events.push(EngineEvent {
            action: action.into(),
            id: id.into(),
            attributes,
            time_nano,
        });
    }
}

impl Fake {
    pub(super) fn event_stream(
        &self,
        labels: Vec<String>,
        since: Option<String>,
        until: Option<String>,
    ) -> BoxStream<'static, Result<EngineEvent, EngineError>> {
        let fake = self.clone();
        let changes = self.shared.changes.subscribe();
        let next = match since {
            Some(time) => {
                let from = nanoseconds(&time);
                let world = self.lock();
                world.events.partition_point(|e| e.time_nano < from)
            }
            None => self.lock().events.len(),
        };
        let until = until.as_deref().map_or(i64::MAX, nanoseconds);
        stream::unfold(
            (fake, changes, next, labels),
            move |(fake, mut changes, mut next, labels)| async move {
                loop {
                    changes.mark_unchanged();
                    let (found, left) = {
                        let world = fake.lock();
                        let rest = world.events[next..].iter();
                        let position = rest
                            .clone()
                            .take_while(|e| e.time_nano <= until)
                            .position(|e| has_labels(&e.attributes, &labels));
                        let found = position.map(|at| (at, world.events[next + at].clone()));
                        (found, until.saturating_sub(world.now()))
                    };
                    if let Some((at, event)) = found {
                        next += at + 1;
                        return Some((Ok(event), (fake, changes, next, labels)));
                    }
                    let left = Duration::from_nanos(u64::try_from(left).unwrap_or(0));
                    tokio::select! {
                        changed = changes.changed() => changed.ok()?,
                        () = tokio::time::sleep(left) => return None,
                    }
                }
            },
        )
        .boxed()
    }

    pub(super) fn log_stream(
        &self,
        id: String,
        options: LogOptions,
    ) -> BoxStream<'static, Result<OutputChunk, EngineError>> {
        struct Reader {
            fake: Fake,
            changes: tokio::sync::watch::Receiver<u64>,
            id: String,
            /// Index of the next line.
            next: usize,
            ready: VecDeque<LogLine>,
            options: LogOptions,
        }
        let lines = match self.lock().get(&id) {
            Ok(container) => container.log.clone(),
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let since = options.since.as_deref().map_or(i64::MIN, nanoseconds);
        let until = options.until.as_deref().map_or(i64::MAX, nanoseconds);
        let next = lines.len();
        let mut ready: VecDeque<LogLine> = lines
            .into_iter()
            .filter(|line| line.time >= since && line.time <= until)
            .collect();
        if let Some(tail) = options.tail {
            let surplus = ready
                .len()
                .saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
            ready.drain(..surplus);
        }
        let reader = Reader {
            fake: self.clone(),
            changes: self.shared.changes.subscribe(),
            id,
            next,
            ready,
            options,
        };
        stream::unfold(reader, |mut reader| async move {
            loop {
                if let Some(line) = reader.ready.pop_front() {
                    let time = match reader.fake.lock().rounds_times {
                        true => line.time - line.time % 1_000_000_000,
                        false => line.time,
                    };
                    let stamp = match reader.options.timestamps {
                        true => format!("{} ", super::view::rfc3339(time)),
                        false => String::new(),
                    };
                    let mut bytes = Vec::new();
                    // A long line comes in messages with a time each.
                    for message in format!("{}\n", line.text).as_bytes().chunks(MESSAGE) {
                        bytes.extend_from_slice(stamp.as_bytes());
                        bytes.extend_from_slice(message);
                    }
                    let chunk = OutputChunk {
                        stream: line.stream,
                        bytes,
                    };
                    return Some((Ok(chunk), reader));
                }
                if !reader.options.follow {
                    return None;
                }
                reader.changes.mark_unchanged();
                let up = {
                    let mut world = reader.fake.lock();
                    let container = world.get(&reader.id).ok()?;
                    reader
                        .ready
                        .extend(container.log[reader.next..].iter().cloned());
                    reader.next = container.log.len();
                    container.is_up()
                };
                if reader.ready.is_empty() {
                    if !up {
                        return None;
                    }
                    reader.changes.changed().await.ok()?;
                }
            }
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times() {
        assert_eq!(super::nanoseconds("1.5"), 1_500_000_000);
        assert_eq!(super::nanoseconds("2"), 2_000_000_000);
        assert_eq!(super::nanoseconds("1.000000001"), 1_000_000_001);
    }
}
