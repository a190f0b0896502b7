//! Progress on a terminal: a block of rows, one per thing, redrawn in place.

use super::draw::Draw;
use super::logrus;
use super::palette::Palette;
use super::words::{COMMAND, Line};
use crate::event::Status;
use crate::value::visible::visible;
use indexmap::IndexMap;
use std::time::Duration;

mod row;

/// The block and what it shows.
pub struct Tty {
    operation: String,
    palette: Palette,
    size: fn() -> (usize, usize),
    tasks: IndexMap<String, Task>,
    /// Rows on the screen that the next drawing goes over.
    drawn: usize,
    /// Something changed since the last drawing.
    is_stale: bool,
    working: usize,
    /// When what is stopping will be killed.
    deadline: Option<Duration>,
}

/// One thing that something is done to.
#[derive(Debug)]
struct Task {
    parent: Option<String>,
    status: Status,
    text: String,
    details: String,
    current: i64,
    total: i64,
    since: Duration,
    /// When it came to its end.
    until: Option<Duration>,
}

impl Tty {
    /// `size` tells the terminal's columns and lines.
    pub fn new(palette: Palette, size: fn() -> (usize, usize)) -> Self {
        Tty {
            operation: String::new(),
            palette,
            size,
            tasks: IndexMap::new(),
            drawn: 0,
            is_stale: false,
            working: 0,
            deadline: None,
        }
    }

    fn update(&mut self, line: &Line, now: Duration) {
        let is_working = line.status == Status::Working;
        let Some(task) = self.tasks.get_mut(&line.id) else {
            self.working += usize::from(is_working);
            let task = Task {
                parent: line.parent.clone(),
                status: line.status,
                text: visible(&line.text).into_owned(),
                details: visible(&line.details).into_owned(),
                current: line.current.unwrap_or(0),
                total: line.total.unwrap_or(0),
                since: now,
                until: (!is_working).then_some(now),
            };
            self.tasks.insert(line.id.clone(), task);
            return;
        };
        // Images share layers: a layer's row listens to the image that named it first.
        if line.parent.is_some() && line.parent != task.parent {
            return;
        }
        let was_working = task.status == Status::Working;
        self.working = self.working + usize::from(is_working) - usize::from(was_working);
        task.status = line.status;
        task.text = visible(&line.text).into_owned();
        task.details = visible(&line.details).into_owned();
        task.current = task.current.max(line.current.unwrap_or(0));
        task.total = task.total.max(line.total.unwrap_or(0));
        task.until = (!is_working).then_some(now);
    }

    fn erase(&mut self, out: &mut Vec<u8>) {
        if self.drawn > 0 {
            out.extend_from_slice(format!("\x1b[{}A\r\x1b[J", self.drawn).as_bytes());
            self.drawn = 0;
        }
    }

    fn draw(&mut self, out: &mut Vec<u8>, now: Duration) {
        self.is_stale = false;
        if self.tasks.is_empty() {
            return;
        }
        let (columns, lines) = (self.size)();
        let rows = row::rows(&self.tasks, now, columns, lines, self.palette);
        let done = self.tasks.len() - self.working;
        let mut text = String::from("\x1b[?25l");
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A\r", self.drawn));
        }
        let mut header = format!("[+] {} {done}/{}", self.operation, self.tasks.len());
        if let Some(deadline) = self.deadline.filter(|_| self.working > 0) {
            let left = deadline.saturating_sub(now).as_millis().div_ceil(1000);
            header.push_str(&format!(
                " - stopping ({left} s left)... press Ctrl-C again to kill"
            ));
        }
        self.drawn = rows.len() + 1;
        for row in std::iter::once(header).chain(rows) {
            text.push_str(&row);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J\x1b[?25h");
        out.extend_from_slice(text.as_bytes());
    }
}

impl Draw for Tty {
    fn command(&mut self, name: &str) {
        self.operation = name.to_owned();
    }

    fn line(&mut self, out: &mut Vec<u8>, line: &Line, now: Duration) {
        if line.id == COMMAND {
            // A word from the program itself, not about a thing.
            self.erase(out);
            let line = self.palette.error(&visible(&line.details));
            out.extend_from_slice(format!("{line}\n").as_bytes());
        } else {
            self.update(line, now);
        }
        self.is_stale = true;
    }

    fn warning(&mut self, out: &mut Vec<u8>, message: &str, now: Duration, _: i64) {
        self.erase(out);
        out.extend_from_slice(logrus::terminal(message, now, self.palette).as_bytes());
        self.is_stale = true;
    }

    fn interlude(&mut self, out: &mut Vec<u8>) {
        self.erase(out);
        self.is_stale = true;
    }

    fn conclude(&mut self, out: &mut Vec<u8>, now: Duration) {
        if self.is_stale || self.working > 0 {
            self.draw(out, now);
        }
        self.drawn = 0;
        // What is finished and told is not told again below what follows.
        if self.working == 0 {
            self.tasks.clear();
        }
    }

    fn countdown(&mut self, left: Duration, now: Duration) {
        self.deadline = Some(now + left);
        self.is_stale = true;
    }

    fn wants_tick(&self) -> bool {
        self.is_stale || self.working > 0
    }

    fn tick(&mut self, out: &mut Vec<u8>, now: Duration) {
        self.draw(out, now);
    }

    fn finish(&mut self, out: &mut Vec<u8>, now: Duration) {
        // What still works has been left behind; it is shown as it stands.
        if self.is_stale || (self.working > 0 && self.drawn > 0) {
            self.draw(out, now);
        }
    }
}

#[cfg(test)]
/// What a terminal shows after the bytes: enough of its rules for what we send.
pub(super) fn screen(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut rows: Vec<String> = vec![String::new()];
    let (mut at, mut chars) = (0, text.chars().peekable());
    let mut line = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\n' => {
                rows[at] = std::mem::take(&mut line);
                at += 1;
                if at == rows.len() {
                    rows.push(String::new());
                }
            }
            '\r' => line.clear(),
            '\x1b' => {
                let mut code = String::new();
                for c in chars.by_ref() {
                    code.push(c);
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
                if let Some(up) = code.strip_prefix('[').and_then(|c| c.strip_suffix('A')) {
                    at -= up.parse::<usize>().unwrap();
                } else if code == "[J" {
                    rows.truncate(at + 1);
                    rows[at].clear();
                }
            }
            c => line.push(c),
        }
    }
    rows.into_iter().filter(|r| !r.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tty() -> Tty {
        let mut tty = Tty::new(Palette::new(true), || (60, 8));
        tty.command("up");
        tty
    }

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn rows_are_aligned_and_redrawn_in_place() {
        let (mut tty, mut out) = (tty(), Vec::new());
        tty.line(
            &mut out,
            &Line::new("Network p_default", Status::Done, "Created"),
            ms(0),
        );
        tty.line(
            &mut out,
            &Line::new("Container p-a-1", Status::Working, "Creating"),
            ms(0),
        );
        tty.tick(&mut out, ms(100));
        assert_eq!(
            screen(&out),
            [
                "[+] up 1/2",
                " ✔ Network p_default Created                            0.0s",
                " ⠙ Container p-a-1   Creating                           0.1s",
            ]
        );
        assert!(tty.wants_tick());
        tty.warning(&mut out, "careful", ms(1200), 0);
        tty.line(
            &mut out,
            &Line::new("Container p-a-1", Status::Done, "Started"),
            ms(1300),
        );
        tty.finish(&mut out, ms(1400));
        assert_eq!(
            screen(&out),
            [
                "WARN[0001] careful                                      ",
                "[+] up 2/2",
                " ✔ Network p_default Created                            0.0s",
                " ✔ Container p-a-1   Started                            1.3s",
            ]
        );
        assert!(!tty.wants_tick());
    }

    #[test]
    fn text_about_the_whole_stands_below() {
        let (mut tty, mut out) = (tty(), Vec::new());
        let failed = Line::new("Container p-a-1", Status::Error, "Error");
        tty.line(&mut out, &failed, ms(0));
        tty.conclude(&mut out, ms(50));
        out.extend_from_slice(b"error: so it is\n");
        tty.finish(&mut out, ms(100));
        assert_eq!(
            screen(&out),
            [
                "[+] up 1/1",
                " ✘ Container p-a-1 Error                                0.0s",
                "error: so it is",
            ]
        );
    }

    #[test]
    fn a_small_terminal_gets_less() {
        let (mut tty, mut out) = (tty(), Vec::new());
        for n in 1..=20 {
            let event = Line {
                details: "a very long explanation that does not fit into the row at all".into(),
                ..Line::new(format!("Container p-a-{n}"), Status::Error, "Error")
            };
            tty.line(&mut out, &event, ms(0));
        }
        tty.finish(&mut out, ms(0));
        let shown = screen(&out);
        assert_eq!(shown.len(), 7);
        assert_eq!(shown[6], " ... 15 more");
        assert!(
            shown.iter().all(|r| console::measure_text_width(r) <= 60),
            "{shown:?}"
        );
        assert!(
            shown[1].contains("a very long") && shown[1].contains("..."),
            "{shown:?}"
        );
    }

    #[test]
    fn layers_become_a_bar() {
        let (mut tty, mut out) = (tty(), Vec::new());
        tty.line(
            &mut out,
            &Line::new("Image nginx", Status::Working, "Pulling"),
            ms(0),
        );
        for (id, current) in [("l1", 10_000_000), ("l2", 5_000_000)] {
            let layer = Line {
                parent: Some("Image nginx".into()),
                current: Some(current),
                total: Some(10_000_000),
                ..Line::new(id, Status::Working, "Downloading")
            };
            tty.line(&mut out, &layer, ms(0));
        }
        tty.tick(&mut out, ms(0));
        assert_eq!(
            screen(&out)[1],
            " ⠋ Image nginx [⣿⣤]    15MB / 20MB    Pulling           0.0s"
        );
    }

    #[test]
    fn thousands_of_events_cost_one_drawing() {
        let (mut tty, mut out) = (tty(), Vec::new());
        for n in 0..50_000 {
            let id = format!("Container {}", n % 5000);
            tty.line(
                &mut out,
                &Line::new(&id, Status::Working, "Creating"),
                ms(n),
            );
        }
        assert!(out.is_empty());
        tty.tick(&mut out, ms(50_000));
        assert!(out.len() < 2000);
    }
}
