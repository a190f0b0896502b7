//! Watching files beside a foreground `up`, which the user turns on and off.

use crate::commands::watch::Watching;
use crate::interrupt::{Cause, Interrupts};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, pending};

/// The switch. Watching that is turned off finishes what it is doing: a service that is being rebuilt
/// is not left half-way.
pub struct Switch<'a> {
    /// Hears that containers will be exchanged, and that this is over.
    moves: &'a dyn Fn(bool),
    on: Option<On<'a>>,
}

struct On<'a> {
    work: LocalBoxFuture<'a, ()>,
    off: Interrupts,
}

impl<'a> Switch<'a> {
    /// One that is on, where something is watched already.
    pub fn new(moves: &'a dyn Fn(bool), watching: Option<Watching<'a>>) -> Self {
        let mut switch = Switch { moves, on: None };
        if let Some(watching) = watching {
            switch.turn_on(watching);
        }
        switch
    }

    pub fn is_on(&self) -> bool {
        self.on.is_some()
    }

    pub fn turn_on(&mut self, watching: Watching<'a>) {
        let off = Interrupts::default();
        let work = watching.run(self.moves, off.clone()).boxed_local();
        self.on = Some(On { work, off });
    }

    /// Asks to stop; it is off when [`Switch::run`] comes back.
    pub fn turn_off(&self) {
        if let Some(on) = &self.on {
            on.off.signal(Cause::Interrupt);
        }
    }

    /// Watches until that is over: for ever, where it is off.
    pub async fn run(&mut self) {
        let Some(on) = &mut self.on else {
            return pending().await;
        };
        (&mut on.work).await;
        self.on = None;
    }

    /// Turns it off, and waits until it is.
    pub async fn end(&mut self) {
        if self.is_on() {
            self.turn_off();
            self.run().await;
        }
    }
}
