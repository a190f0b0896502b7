//! What commands change: projects on the engine in memory, with a clock that leaps, or on a scripted
//! engine behind a socket. Needs neither an engine nor any other program.

mod called_off;
mod events;
mod foreign;
mod images;
mod interrupts;
mod lock;
mod moved_names;
mod moved_ports;
mod namespaces;
mod networks;
#[path = "../support/on_fake.rs"]
mod on_fake;
mod one_offs;
mod plans;
mod pre_start;
mod preflight;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "this program uses a part of it")]
mod program;
mod resumed;
#[path = "../support/scripted.rs"]
#[allow(dead_code, reason = "this program uses a part of it")]
mod scripted;
mod started_again;
mod taken_down;
