//! What the scenarios stand on: an engine to ask, a project that cleans up after itself, a way to wait.

pub mod api;
pub mod cut;
pub mod eventually;
pub mod private;
pub mod proxy;
pub mod pty;
pub mod relay;
pub mod run;
pub mod sshd;
pub mod stack;

pub use api::{Container, Engine};
pub use eventually::eventually;
pub use run::Output;
pub use stack::Stack;
