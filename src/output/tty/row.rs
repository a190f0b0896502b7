//! One drawing's rows: what fits, aligned.

use super::Task;
use crate::event::Status;
use crate::output::palette::Palette;
use crate::value::bytes::human_size;
use crate::value::visible::visible_line;
use console::{measure_text_width, truncate_str};
use indexmap::IndexMap;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// How full a layer is.
const FILLED: [&str; 9] = ["⠀", "⡀", "⣀", "⣄", "⣤", "⣦", "⣶", "⣷", "⣿"];
const SHORTENED: &str = "...";

/// The parts of an image that is being pulled, added up.
#[derive(Default)]
struct Parts {
    bar: String,
    current: i64,
    total: i64,
    /// A part does not know its size yet, so the sum would mislead.
    is_vague: bool,
}

/// The rows for all tasks that are no part of another, cut to the terminal.
pub fn rows(
    tasks: &IndexMap<String, Task>,
    now: Duration,
    columns: usize,
    lines: usize,
    palette: Palette,
) -> Vec<String> {
    let mut parts: HashMap<&str, Parts> = HashMap::new();
    for task in tasks.values() {
        if let Some(parent) = &task.parent {
            parts.entry(parent).or_default().add(task);
        }
    }
    let tops: Vec<(&String, &Task)> = tasks.iter().filter(|(_, t)| t.parent.is_none()).collect();
    // The header takes a line, the cursor's own another.
    let room = lines.saturating_sub(2).max(1);
    let shown = if tops.len() > room {
        room - 1
    } else {
        tops.len()
    };
    let heads: Vec<Head> = tops[..shown]
        .iter()
        .map(|(id, task)| Head::new(id, task, parts.get(id.as_str()), now))
        .collect();
    let time_width = heads.iter().map(|h| h.time.len()).max().unwrap_or(0);
    let status_width = heads
        .iter()
        .map(|h| measure_text_width(&h.task.text))
        .max()
        .unwrap_or(0);
    // Space, mark, space, name, space, status, space, time.
    let name_room = columns
        .saturating_sub(3 + 1 + status_width + 1 + time_width)
        .max(10);
    let name_width = heads
        .iter()
        .map(|h| h.width())
        .max()
        .unwrap_or(0)
        .min(name_room);
    let mut rows: Vec<String> = heads
        .iter()
        .map(|head| head.row(now, columns, name_width, time_width, palette))
        .collect();
    if shown < tops.len() {
        rows.push(format!(" ... {} more", tops.len() - shown));
    }
    rows
}

impl Parts {
    fn add(&mut self, task: &Task) {
        let filled = match task.status {
            Status::Done => 8,
            _ if task.total > 0 => (8 * task.current / task.total).clamp(0, 8),
            _ => 0,
        };
        self.bar.push_str(FILLED[filled as usize]);
        self.current += task.current;
        self.total += task.total;
        self.is_vague |= task.status == Status::Working && task.total == 0;
    }
}

/// A row's left side, measured before anything is laid out.
struct Head<'a> {
    id: Cow<'a, str>,
    task: &'a Task,
    bar: &'a str,
    sizes: String,
    time: String,
}

impl<'a> Head<'a> {
    fn new(id: &'a str, task: &'a Task, parts: Option<&'a Parts>, now: Duration) -> Self {
        let parts = parts.filter(|_| task.status == Status::Working);
        let sizes = match parts {
            Some(p) if p.total > 0 && !p.is_vague => {
                format!(" {:>7} / {:<7}", human_size(p.current), human_size(p.total))
            }
            _ => String::new(),
        };
        let elapsed = task.until.unwrap_or(now).saturating_sub(task.since);
        Head {
            id: visible_line(id),
            task,
            bar: parts.map_or("", |p| &p.bar),
            sizes,
            time: format!("{:.1}s", elapsed.as_secs_f64()),
        }
    }

    fn width(&self) -> usize {
        let bar = match self.bar.chars().count() {
            0 => 0,
            // ` […]`
            n => n + 3,
        };
        measure_text_width(&self.id) + bar + self.sizes.len()
    }

    fn row(
        &self,
        now: Duration,
        columns: usize,
        name_width: usize,
        time_width: usize,
        palette: Palette,
    ) -> String {
        let (mark, status) = match self.task.status {
            Status::Done => (palette.success("✔"), palette.success(&self.task.text)),
            Status::Warning => (palette.warning("!"), palette.warning(&self.task.text)),
            Status::Error => (palette.error("✘"), palette.error(&self.task.text)),
            Status::Working => {
                let turn = now.saturating_sub(self.task.since).as_millis() / 100;
                let mark = palette.busy(SPINNER[(turn % 10) as usize]);
                (mark, self.task.text.clone())
            }
        };
        let mut name = self.id.to_string();
        if !self.bar.is_empty() && self.width() <= name_width {
            name = format!("{name} [{}]{}", palette.success(self.bar), self.sizes);
        }
        let name = truncate_str(&name, name_width, SHORTENED);
        let mut left = format!(" {mark} {}", pad(&name, name_width));
        left.push(' ');
        left.push_str(&status);
        let room = columns.saturating_sub(measure_text_width(&left) + 1 + time_width);
        if !self.task.details.is_empty() && room > SHORTENED.len() + 1 {
            let details = self.task.details.replace(['\n', '\r', '\t'], " ");
            left.push(' ');
            left.push_str(&truncate_str(&details, room - 1, SHORTENED));
        }
        let gap = columns.saturating_sub(measure_text_width(&left) + self.time.len());
        format!("{left}{:gap$}{}", "", palette.time(&self.time))
    }
}

/// Fills up with spaces; colours have no width.
fn pad(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(measure_text_width(text));
    format!("{text}{:gap$}", "")
}
