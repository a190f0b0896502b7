//! One line per change, byte for byte as Docker Compose 5.5 writes it.

use super::draw::Draw;
use super::logrus;
use super::words::Line;
use crate::value::visible::visible;
use std::time::Duration;

pub struct Plain {
    has_lines: bool,
}

impl Plain {
    /// Without lines only warnings are shown.
    pub fn new(has_lines: bool) -> Self {
        Plain { has_lines }
    }
}

impl Draw for Plain {
    fn line(&mut self, out: &mut Vec<u8>, line: &Line, _: Duration) {
        if self.has_lines {
            let line = format!(" {} {} {}\n", line.id, line.text, line.details);
            out.extend_from_slice(visible(&line).as_bytes());
        }
    }

    fn warning(&mut self, out: &mut Vec<u8>, message: &str, _: Duration, time: i64) {
        out.extend_from_slice(logrus::text(message, &logrus::zoned(time)).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;

    #[test]
    fn a_line_without_details_ends_in_a_space() {
        let mut out = Vec::new();
        let mut plain = Plain::new(true);
        plain.line(
            &mut out,
            &Line::new("Container p-a-1", Status::Done, "Created"),
            Duration::ZERO,
        );
        let failed = Line {
            details: "dependency h failed to start".into(),
            ..Line::new("Container p-h-1", Status::Error, "Error")
        };
        plain.line(&mut out, &failed, Duration::ZERO);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " Container p-a-1 Created \n Container p-h-1 Error dependency h failed to start\n"
        );
    }

    #[test]
    fn control_characters_of_others_are_shown() {
        let mut out = Vec::new();
        let failed = Line {
            details: "no \u{1b}[2J such\u{202e} thing".into(),
            ..Line::new("Container \u{7}x", Status::Error, "Error")
        };
        Plain::new(true).line(&mut out, &failed, Duration::ZERO);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " Container ␇x Error no ␛[2J such\u{fffd} thing\n"
        );
    }

    #[test]
    fn quiet_keeps_its_mouth_shut() {
        let mut out = Vec::new();
        Plain::new(false).line(
            &mut out,
            &Line::new("x", Status::Done, "Created"),
            Duration::ZERO,
        );
        assert!(out.is_empty());
    }
}
