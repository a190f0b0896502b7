//! Lines under prefixes: a name padded to the longest seen so far, each name in its own colour.

use super::lines::Piece;
use crate::engine::OutputStream;
use crate::event::{Kind, LogStream, Reporter};
use crate::output::outlet::Stream;
use crate::output::palette::PREFIX_CODES;
use crate::value::visible::visible_line;
use std::io::{self, Write};

/// Collects lines and writes them out in large pieces.
pub struct Printer<W> {
    out: W,
    /// Where lines of standard error go, if not to `out`.
    errors: Option<W>,
    /// What is in the buffer goes there.
    is_error: bool,
    /// Said before anything else.
    heading: Option<String>,
    buffer: Vec<u8>,
    /// The beginning of a line was printed, and not yet its end.
    is_in_line: bool,
    /// What became of containers, to be said when the line has ended.
    statuses: Vec<(String, String)>,
    names: Vec<Name>,
    /// Of the longest name, and a space.
    width: usize,
    has_prefix: bool,
    has_colour: bool,
    /// The other consumers of the lines.
    reporter: Reporter,
    /// Writing only sends lines on their way: callers wait for [room](Self::room).
    is_beside: bool,
}

struct Name {
    text: String,
    /// Harmless for a terminal.
    shown: String,
    colour: Option<&'static str>,
    prefix: Vec<u8>,
}

const STREAMS: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

/// Written out as soon as so much has come together.
const ENOUGH: usize = 64 << 10;

impl<W: Write> Printer<W> {
    pub fn new(out: W, has_prefix: bool, has_colour: bool) -> Self {
        Printer {
            out,
            errors: None,
            is_error: false,
            heading: None,
            buffer: Vec::new(),
            is_in_line: false,
            statuses: Vec::new(),
            names: Vec::new(),
            width: 0,
            has_prefix,
            has_colour,
            reporter: Reporter::silent(),
            is_beside: false,
        }
    }

    /// Lines and ends are told as events, too.
    #[must_use]
    pub fn reporting_to(mut self, reporter: &Reporter) -> Self {
        self.reporter = reporter.clone();
        self
    }

    /// It writes through [outlets](crate::output::outlet).
    #[must_use]
    pub fn beside_work(mut self) -> Self {
        self.is_beside = true;
        self
    }

    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        !self.is_beside || STREAMS.iter().all(|s| s.outlet().has_room())
    }

    /// Waits until there is.
    pub async fn room(&self) {
        if self.is_beside {
            for stream in STREAMS {
                stream.outlet().room().await;
            }
        }
    }

    /// Waits until something cannot be written: for ever where writing tells at once.
    pub async fn failed(&self) -> io::Error {
        let [out, err] = STREAMS;
        match (self.is_beside, self.errors.is_some()) {
            (false, _) => std::future::pending().await,
            (true, false) => out.outlet().failed(out).await,
            (true, true) => tokio::select! {
                error = out.outlet().failed(out) => error,
                error = err.outlet().failed(err) => error,
            },
        }
    }

    /// Lines of standard error go there.
    #[must_use]
    pub fn with_errors(mut self, errors: W) -> Self {
        self.errors = Some(errors);
        self
    }

    /// A line to stand above everything; it is kept back until there is something to say.
    #[must_use]
    pub fn with_heading(mut self, heading: String) -> Self {
        self.heading = Some(heading);
        self
    }

    /// Says the heading, if it has not been said.
    pub fn head(&mut self) -> io::Result<()> {
        match self.heading.take() {
            Some(heading) => {
                self.turn_to(OutputStream::Stdout)?;
                self.buffer.extend_from_slice(heading.as_bytes());
                self.buffer.push(b'\n');
                self.flush()
            }
            None => Ok(()),
        }
    }

    /// What follows goes to this stream.
    fn turn_to(&mut self, stream: OutputStream) -> io::Result<()> {
        let is_error = self.errors.is_some() && stream == OutputStream::Stderr;
        if is_error != self.is_error {
            self.flush()?;
            self.is_error = is_error;
        }
        Ok(())
    }

    /// A line that a container wrote to this stream, or a piece of it.
    pub fn line_of(
        &mut self,
        stream: OutputStream,
        name: &str,
        piece: Piece<'_>,
    ) -> io::Result<()> {
        self.head()?;
        self.turn_to(stream)?;
        if self.reporter.wants_everything() {
            self.reporter.send(Kind::LogLine {
                container: name.to_owned(),
                stream: match stream {
                    OutputStream::Stdout => LogStream::Stdout,
                    OutputStream::Stderr => LogStream::Stderr,
                },
                text: String::from_utf8_lossy(piece.text).into_owned(),
                continues: piece.goes_on,
                ends: piece.is_end,
            });
        }
        self.line(name, piece)
    }

    /// A line of a container's output, or a piece of it: its prefix stands once.
    pub fn line(&mut self, name: &str, piece: Piece<'_>) -> io::Result<()> {
        if !piece.goes_on {
            let at = self.find(name);
            self.buffer.extend_from_slice(&self.names[at].prefix);
        }
        self.buffer.extend_from_slice(piece.text);
        self.is_in_line = !piece.is_end;
        if piece.is_end {
            self.buffer.push(b'\n');
            for (name, what) in std::mem::take(&mut self.statuses) {
                self.status(&name, &what)?;
            }
        }
        match self.buffer.len() >= ENOUGH {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Whether something is to be said as soon as the line has ended.
    pub fn is_waited_for(&self) -> bool {
        !self.statuses.is_empty()
    }

    /// Says that a container ended, and whether its engine starts it again.
    pub fn exited(&mut self, name: &str, code: i64, restarting: bool) -> io::Result<()> {
        self.reporter.send(Kind::ContainerExited {
            container: name.to_owned(),
            code,
            restarting,
        });
        let again = if restarting { " (restarting)" } else { "" };
        self.status(name, &format!("exited with code {code}{again}"))
    }

    /// Says that a container was replaced.
    pub fn recreated(&mut self, name: &str) -> io::Result<()> {
        self.reporter.send(Kind::ContainerRecreated {
            container: name.to_owned(),
        });
        self.status(name, "has been recreated")
    }

    /// Says what became of a container, over whatever stands in the line; but not into a container's
    /// line that is being printed.
    pub fn status(&mut self, name: &str, what: &str) -> io::Result<()> {
        if self.is_in_line {
            self.statuses.push((name.to_owned(), what.to_owned()));
            return Ok(());
        }
        self.head()?;
        self.turn_to(OutputStream::Stdout)?;
        let at = self.find(name);
        let name = &self.names[at].shown;
        let line = format!("\r\x1b[K{name} {}\n", visible_line(what));
        let line = painted(self.names[at].colour, &line);
        self.buffer.extend_from_slice(line.as_bytes());
        self.flush()
    }

    /// Writes out what has come together.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            let out = match &mut self.errors {
                Some(errors) if self.is_error => errors,
                _ => &mut self.out,
            };
            let result = out.write_all(&self.buffer).and_then(|()| out.flush());
            self.buffer.clear();
            result?;
        }
        Ok(())
    }

    fn find(&mut self, name: &str) -> usize {
        match self.names.iter().position(|n| n.text == name) {
            Some(at) => at,
            None => self.add(name),
        }
    }

    /// Names get their colours in the order in which they first have something to say.
    fn add(&mut self, name: &str) -> usize {
        let at = self.names.len();
        let colour = PREFIX_CODES[at % PREFIX_CODES.len()];
        self.names.push(Name {
            text: name.to_owned(),
            shown: visible_line(name).into_owned(),
            colour: self.has_colour.then_some(colour),
            prefix: Vec::new(),
        });
        if self.has_prefix {
            self.width = self.width.max(self.names[at].shown.chars().count() + 1);
            for name in &mut self.names {
                let prefix = format!("{:width$} | ", name.shown, width = self.width);
                name.prefix = painted(name.colour, &prefix).into_bytes();
            }
        }
        at
    }
}

fn painted(colour: Option<&str>, text: &str) -> String {
    match colour {
        Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(has_prefix: bool, has_colour: bool) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, has_prefix, has_colour);
        for (name, line) in [("web-1", "hi"), ("worker-12", "there"), ("web-1", "again")] {
            printer.line(name, Piece::line(line.as_bytes())).unwrap();
        }
        printer.status("web-1", "exited with code 0").unwrap();
        drop(printer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn early_lines_may_be_shorter() {
        assert_eq!(
            printed(true, false),
            "web-1  | hi\nworker-12  | there\nweb-1      | again\n\r\x1b[Kweb-1 exited with code 0\n"
        );
        assert_eq!(
            printed(false, false),
            "hi\nthere\nagain\n\r\x1b[Kweb-1 exited with code 0\n"
        );
    }

    #[test]
    fn a_name_does_nothing_to_a_terminal_and_a_line_is_what_it_was() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, true, false);
        let line = Piece::line(b"\x1b[1mbold");
        printer.line("a\x1b[2J\u{202e}", line).unwrap();
        printer.status("a\x1b[2J\u{202e}", "ended").unwrap();
        drop(printer);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a␛[2J\u{fffd}  | \x1b[1mbold\n\r\x1b[Ka␛[2J\u{fffd} ended\n"
        );
    }

    #[test]
    fn the_colour_wraps_the_whole_prefix() {
        assert_eq!(
            printed(true, true),
            "\x1b[36mweb-1  | \x1b[0mhi\n\x1b[33mworker-12  | \x1b[0mthere\n\x1b[36mweb-1      | \x1b[0magain\n\
             \x1b[36m\r\x1b[Kweb-1 exited with code 0\n\x1b[0m"
        );
    }

    #[test]
    fn nothing_comes_into_a_line_that_is_passed_on_in_pieces() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, true, false);
        let begin = Piece {
            is_end: false,
            ..Piece::line(b"one ")
        };
        printer.line("web-1", begin).unwrap();
        printer.status("db-1", "exited with code 3").unwrap();
        assert!(printer.is_waited_for());
        let middle = Piece {
            goes_on: true,
            ..begin
        };
        printer.line("web-1", middle).unwrap();
        let end = Piece {
            is_end: true,
            ..middle
        };
        printer.line("web-1", end).unwrap();
        assert!(!printer.is_waited_for());
        drop(printer);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "web-1  | one one one \n\r\x1b[Kdb-1 exited with code 3\n"
        );
    }

    #[test]
    fn much_is_written_at_once_and_little_when_asked() {
        struct Count(usize);
        impl Write for Count {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut printer = Printer::new(Count(0), true, false);
        for _ in 0..10_000 {
            printer.line("web-1", Piece::line(&[b'x'; 100])).unwrap();
        }
        printer.flush().unwrap();
        assert!(printer.out.0 <= 18, "{}", printer.out.0);
    }

    #[test]
    fn lines_and_ends_are_told_as_events() {
        use crate::event::Interest;
        let reporter = Reporter::new("up");
        let mut events = reporter.subscribe(Interest::Everything);
        let mut screen = reporter.subscribe(Interest::Progress);
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, true, false).reporting_to(&reporter);
        let line = Piece::line(b"hi");
        printer
            .line_of(OutputStream::Stderr, "web-1", line)
            .unwrap();
        printer.exited("web-1", 3, true).unwrap();
        printer.recreated("web-1").unwrap();
        drop(printer);
        let told: Vec<Kind> = events.drain().iter().map(|e| e.kind.clone()).collect();
        let container = || "web-1".to_owned();
        assert_eq!(
            told[1..],
            [
                Kind::LogLine {
                    container: container(),
                    stream: LogStream::Stderr,
                    text: "hi".into(),
                    continues: false,
                    ends: true,
                },
                Kind::ContainerExited {
                    container: container(),
                    code: 3,
                    restarting: true,
                },
                Kind::ContainerRecreated {
                    container: container(),
                },
            ]
        );
        // The screen of progress hears nothing of what the printer shows itself.
        assert_eq!(screen.drain().len(), 1);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "web-1  | hi\n\r\x1b[Kweb-1 exited with code 3 (restarting)\n\r\x1b[Kweb-1 has been recreated\n"
        );
    }
}
