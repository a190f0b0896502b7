//! A line that stays below what is written to the terminal: the keys that a foreground `up` listens to.

use super::outlet::Stream;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Footer {
    text: Option<String>,
    /// What stands above it is a line without its end: the footer comes after that.
    is_midline: bool,
}

static FOOTER: Mutex<Footer> = Mutex::new(Footer {
    text: None,
    is_midline: false,
});

const ERASE: &[u8] = b"\r\x1b[K";

fn footer() -> MutexGuard<'static, Footer> {
    FOOTER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows it, in place of the one before; `None` takes it away.
pub fn show(text: Option<String>) {
    let mut footer = footer();
    let mut out = match footer.text.is_some() && !footer.is_midline {
        true => ERASE.to_vec(),
        false => Vec::new(),
    };
    footer.text = text;
    if !footer.is_midline {
        out.extend(footer.text.iter().flat_map(|text| text.bytes()));
    }
    // A terminal that is gone shows nothing.
    let _ = Stream::Stdout.outlet().push(Stream::Stdout, out);
}

/// The bytes that show these above the footer.
pub(super) fn above(to: Stream, bytes: Vec<u8>) -> Vec<u8> {
    let mut footer = footer();
    let is_shown = match to {
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    };
    if footer.text.is_none() || bytes.is_empty() || !is_shown {
        return bytes;
    }
    footer.around(bytes)
}

impl Footer {
    fn around(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut out = match self.is_midline {
            true => Vec::new(),
            false => ERASE.to_vec(),
        };
        self.is_midline = bytes.last() != Some(&b'\n');
        out.extend(bytes);
        if !self.is_midline {
            out.extend(self.text.iter().flat_map(|text| text.bytes()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_below_whole_lines() {
        let mut footer = Footer {
            text: Some("keys".to_owned()),
            is_midline: false,
        };
        let mut screen = String::new();
        for bytes in ["one\n", "tw", "o\n"] {
            let bytes = footer.around(bytes.as_bytes().to_vec());
            screen.push_str(&String::from_utf8(bytes).unwrap());
        }
        assert_eq!(screen, "\r\x1b[Kone\nkeys\r\x1b[Ktwo\nkeys");
    }
}
