//! The calls under way: what is asked for, in words, and since when.

use super::Patience;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What it means to leave a call without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: it only asks, or ends with its connection.
    Read,
    /// The same, and much is sent before it answers.
    Build,
    /// The project's lock is given back. If it is not, the next command waits a little longer.
    GiveBack,
    /// The engine may still do it.
    Change,
    /// The same, and the answer comes when so many seconds have passed (negative: for ever; `None`:
    /// as the container says).
    Stop(Option<i64>),
}

impl Kind {
    /// Whether the engine may do it after we have gone.
    fn may_still_be_done(self) -> bool {
        matches!(self, Kind::Change | Kind::Stop(_))
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub kind: Kind,
    /// `start container shop-web-1`.
    pub words: String,
}

impl Ask {
    pub fn new(kind: Kind, verb: &str, object: &str) -> Self {
        let words = match object.is_empty() {
            true => verb.to_owned(),
            false => format!("{verb} {object}"),
        };
        Ask { kind, words }
    }

    /// What to say where it is left.
    pub fn left(&self) -> String {
        left(&[self])
    }
}

/// The engine has not answered these.
fn left(asks: &[&Ask]) -> String {
    let end = match asks.iter().any(|ask| ask.kind.may_still_be_done()) {
        true => "; it may still do so",
        false => "",
    };
    format!("the engine has not answered: {}{end}", some(asks))
}

/// The first of them, and how many there are beside.
fn some(asks: &[&Ask]) -> String {
    const SHOWN: usize = 3;
    let words: Vec<&str> = asks.iter().take(SHOWN).map(|a| a.words.as_str()).collect();
    match asks.len().saturating_sub(SHOWN) {
        0 => words.join(", "),
        more => format!("{} and {more} more", words.join(", ")),
    }
}

/// All that are under way, and what is known of their objects.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: BTreeMap<u64, Entry>,
    next: u64,
    names: HashMap<Box<str>, Box<str>>,
    /// How many were left without an answer since the last one.
    missed: u32,
    /// What may still be done of those that nobody waited for any more.
    dropped: Vec<Ask>,
}

#[derive(Debug)]
struct Entry {
    ask: Ask,
    begun: Instant,
    is_told: bool,
}

/// One that is under way as long as this lives.
pub(super) struct Call<'a> {
    calls: &'a Calls,
    number: u64,
    /// There was an answer, or it was told that there was none.
    is_over: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        const MOST: usize = 100;
        let mut state = self.calls.state();
        let Some(entry) = state.under_way.remove(&self.number) else {
            return;
        };
        let is_unknown = !self.is_over && entry.ask.kind.may_still_be_done();
        if is_unknown && state.dropped.len() < MOST {
            state.dropped.push(entry.ask);
        }
    }
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self, ask: Ask) -> Call<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let entry = Entry {
            ask,
            begun: Instant::now(),
            is_told: false,
        };
        state.under_way.insert(number, entry);
        Call {
            calls: self,
            number,
            is_over: false,
        }
    }

    pub fn misses(&self) -> u32 {
        self.state().missed
    }

    /// Remembers how a container or a network is called, to speak of it.
    pub fn name(&self, id: &str, name: &str) {
        self.state().names.insert(short(id).into(), name.into());
    }

    /// Its name, or the beginning of its id where that is not known.
    pub fn name_of(&self, id: &str) -> String {
        let state = self.state();
        let known = state.names.get(short(id)).map(|name| &**name);
        known.unwrap_or(short(id)).to_owned()
    }

    /// What all those that wait about as long as this one wait for, unless that has been told.
    pub fn tell(&self, number: u64, patience: &Patience) -> Option<(Duration, String)> {
        let mut state = self.state();
        let since = state.under_way.get(&number).filter(|e| !e.is_told)?.begun;
        let mut asks = Vec::new();
        for entry in state.under_way.values_mut().filter(|e| !e.is_told) {
            if entry.begun.elapsed() + patience.together >= patience.silence(entry.ask.kind) {
                entry.is_told = true;
                asks.push(&entry.ask);
            }
        }
        Some((since.elapsed(), some(&asks)))
    }

    /// What is not known where the program ends now: calls that may change something, those that
    /// nobody waited for any more among them, and others that have been waited for for long.
    pub fn unanswered(&self, patience: &Patience) -> String {
        let state = self.state();
        let of = |entry: &&Entry| {
            let kind = entry.ask.kind;
            kind.may_still_be_done() || entry.begun.elapsed() >= patience.silence(kind)
        };
        let under_way = state.under_way.values().filter(of).map(|e| &e.ask);
        let asks: Vec<&Ask> = state.dropped.iter().chain(under_way).collect();
        match asks.is_empty() {
            true => String::new(),
            false => left(&asks),
        }
    }
}

impl Call<'_> {
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn answered(mut self) {
        self.is_over = true;
        self.calls.state().missed = 0;
    }

    pub fn missed(mut self) {
        self.is_over = true;
        self.calls.state().missed += 1;
    }
}

/// An id as it is shown; a name stays whole.
fn short(id: &str) -> &str {
    match id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => &id[..12],
        false => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named() {
        let read = Ask::new(Kind::Read, "list containers", "");
        assert_eq!(read.left(), "the engine has not answered: list containers");
        let start = Ask::new(Kind::Change, "start container", "shop-web-1");
        assert_eq!(
            start.left(),
            "the engine has not answered: start container shop-web-1; it may still do so"
        );
        let many: Vec<Ask> = (1..=5)
            .map(|n| Ask::new(Kind::Stop(None), "stop container", &n.to_string()))
            .collect();
        let many: Vec<&Ask> = many.iter().collect();
        assert_eq!(
            some(&many),
            "stop container 1, stop container 2, stop container 3 and 2 more"
        );
    }
}
