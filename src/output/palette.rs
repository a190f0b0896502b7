//! Colours by what they mean. Meaning is never carried by colour alone.

/// How to colour, or that we must not.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    enabled: bool,
}

impl Palette {
    pub fn new(enabled: bool) -> Self {
        Palette { enabled }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.enabled && !text.is_empty() {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    pub fn success(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn warning(self, text: &str) -> String {
        self.paint("33;1", text)
    }

    pub fn error(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    pub fn busy(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// A key, and what it does.
    pub fn key(self, key: &str, what: &str) -> String {
        format!("{} {}", self.paint("7;1", key), self.paint("2", what))
    }

    pub fn time(self, text: &str) -> String {
        self.paint("34", text)
    }
}

/// The colours of log prefixes, in the order they are handed out: Compose's ten.
pub const PREFIX_CODES: [&str; 10] = [
    "36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1",
];
