//! Calls that are written down, and calls that go wrong.

use super::Fake;
use crate::engine::EngineError;
use std::time::Duration;

/// A call: the trait's method, and what it was about (a name, an id, a reference).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: &'static str,
    pub target: String,
}

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub enum Way {
    /// The engine refuses; nothing is done.
    Error(EngineError),
    /// It is done, but the answer gets lost.
    LostAnswer,
    /// It is not done and never answered: for killing the caller at this point.
    HangBefore,
    /// It is done and never answered.
    HangAfter,
}

/// Makes one call go wrong.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The kind of call; `None` is any.
    pub method: Option<&'static str>,
    /// Part of what it is about; empty is anything.
    pub target: String,
    /// How many fitting calls go well before.
    pub after: usize,
    pub way: Way,
}

impl Fault {
    /// The nth call of a kind (from 0).
    pub fn nth(method: &'static str, n: usize, way: Way) -> Self {
        Fault {
            method: Some(method),
            target: String::new(),
            after: n,
            way,
        }
    }

    /// The nth call of all (from 0).
    pub fn at(n: usize, way: Way) -> Self {
        Fault {
            method: None,
            target: String::new(),
            after: n,
            way,
        }
    }

    fn fits(&self, call: &Call) -> bool {
        self.method.is_none_or(|m| m == call.method) && call.target.contains(&self.target)
    }
}

impl Fake {
    /// The way in: gives what has to go wrong on the way out.
    pub(super) async fn enter(&self, call: Call) -> Result<Option<Way>, EngineError> {
        let (latency, way) = {
            let mut world = self.lock();
            let latency = world.latency.clone().map(|l| l(&call));
            let mut due = None;
            world.faults.retain_mut(|fault| {
                if due.is_some() || !fault.fits(&call) {
                    return true;
                }
                if fault.after > 0 {
                    fault.after -= 1;
                    return true;
                }
                due = Some(fault.way.clone());
                false
            });
            world.calls.push(call);
            (latency.unwrap_or(Duration::ZERO), due)
        };
        if latency.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(latency).await;
        }
        match way {
            Some(Way::Error(error)) => Err(error),
            Some(Way::HangBefore) => std::future::pending().await,
            way => Ok(way),
        }
    }

    pub(super) async fn leave(&self, way: Option<Way>) -> Result<(), EngineError> {
        match way {
            Some(Way::LostAnswer) => Err(EngineError::Broken {
                message: "fake: the answer got lost".into(),
            }),
            Some(Way::HangAfter) => std::future::pending().await,
            _ => Ok(()),
        }
    }
}
