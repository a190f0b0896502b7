//! What the ends of containers mean for a foreground `up`.

use super::{OnExit, View};
use crate::logs::attach::Exit;
use std::process::ExitCode;

/// What the ends of containers mean for us.
pub struct Verdict<'a> {
    view: &'a View,
    /// The end that ends everything has come.
    pub is_abort: bool,
    first: Option<u8>,
    chosen: Option<u8>,
}

impl<'a> Verdict<'a> {
    pub fn new(view: &'a View) -> Self {
        Self {
            view,
            is_abort: false,
            first: None,
            chosen: None,
        }
    }

    /// Whether this is the end that ends everything.
    pub fn note(&mut self, exit: &Exit) -> bool {
        if self.view.exit_code_from.as_ref() == Some(&exit.service) {
            self.chosen.get_or_insert(exit.code);
        }
        let ends_all = match self.view.on_exit {
            OnExit::GoOn => false,
            OnExit::Abort => true,
            OnExit::AbortOnFailure => exit.code != 0,
        };
        if !ends_all || self.is_abort {
            return false;
        }
        self.is_abort = true;
        self.first = Some(exit.code);
        true
    }

    /// The exit code of it all.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.chosen.or(self.first).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_that_counts_gives_the_code() {
        let exit = |service: &str, code| Exit {
            service: service.into(),
            code,
        };
        for (on_exit, from, ends, is_abort, code) in [
            (OnExit::GoOn, None, vec![exit("a", 3)], false, 0),
            (
                OnExit::Abort,
                None,
                vec![exit("a", 0), exit("b", 3)],
                true,
                0,
            ),
            (
                OnExit::AbortOnFailure,
                None,
                vec![exit("a", 0), exit("b", 3)],
                true,
                3,
            ),
            (
                OnExit::Abort,
                Some("b"),
                vec![exit("a", 1), exit("b", 137)],
                true,
                137,
            ),
            (
                OnExit::Abort,
                Some("b"),
                vec![exit("b", 0), exit("a", 5)],
                true,
                0,
            ),
        ] {
            let view = View {
                on_exit,
                exit_code_from: from.map(str::to_owned),
                ..View::default()
            };
            let mut verdict = Verdict::new(&view);
            let aborts = ends.iter().filter(|e| verdict.note(e)).count();
            assert_eq!(aborts, usize::from(is_abort), "{ends:?}");
            assert_eq!(verdict.code(), ExitCode::from(code), "{ends:?}");
        }
    }
}
