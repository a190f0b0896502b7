//! One line per change, byte for byte as Docker Compose 5.5 writes it.

use super::{Draw, logrus};
use crate::event::Event;
use crate::value::visible::visible;
use std::time::Duration;

pub struct Plain {
    events: bool,
}

impl Plain {
    /// Without `events` only warnings are shown.
    pub fn new(events: bool) -> Self {
        Plain { events }
    }
}

impl Draw for Plain {
    fn event(&mut self, out: &mut Vec<u8>, event: &Event, _: Duration) {
        if self.events {
            let line = format!(" {} {} {}\n", event.id, event.text, event.details);
            out.extend_from_slice(visible(&line).as_bytes());
        }
    }

    fn warning(&mut self, out: &mut Vec<u8>, message: &str, _: Duration) {
        out.extend_from_slice(logrus::text(message, &jiff::Zoned::now()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Progress;

    #[test]
    fn a_line_without_details_ends_in_a_space() {
        let mut out = Vec::new();
        let mut plain = Plain::new(true);
        plain.event(
            &mut out,
            &Event::new("Container p-a-1", Progress::Done, "Created"),
            Duration::ZERO,
        );
        let failed = Event {
            details: "dependency h failed to start".into(),
            ..Event::new("Container p-h-1", Progress::Error, "Error")
        };
        plain.event(&mut out, &failed, Duration::ZERO);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " Container p-a-1 Created \n Container p-h-1 Error dependency h failed to start\n"
        );
    }

    #[test]
    fn control_characters_of_others_are_shown() {
        let mut out = Vec::new();
        let failed = Event {
            details: "no \u{1b}[2J such\u{202e} thing".into(),
            ..Event::new("Container \u{7}x", Progress::Error, "Error")
        };
        Plain::new(true).event(&mut out, &failed, Duration::ZERO);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            " Container ␇x Error no ␛[2J such\u{fffd} thing\n"
        );
    }

    #[test]
    fn quiet_keeps_its_mouth_shut() {
        let mut out = Vec::new();
        Plain::new(false).event(
            &mut out,
            &Event::new("x", Progress::Done, "Created"),
            Duration::ZERO,
        );
        assert!(out.is_empty());
    }
}
