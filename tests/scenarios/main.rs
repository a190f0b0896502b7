//! The program on a real engine: state checks before output checks, every project gone afterwards.
//!
//! They need an engine (`dev/setup` starts one) and fail without. `REGATTA_SCENARIO_PROGRAM` names
//! another program with Docker Compose's command line to run them on.

mod adoption;
mod bridge;
mod cp;
mod digests;
mod doors;
mod endpoint;
mod examples;
mod failures;
mod files;
mod foreground;
mod foreign;
mod handovers;
mod images;
mod kills;
mod listings;
mod logs;
mod main_job;
mod models;
mod names;
mod one_offs;
mod pre_start;
mod providers;
mod push;
mod refusals;
#[path = "../support/registry.rs"]
mod registry;
mod requests;
#[path = "../support/required.rs"]
mod required;
mod restarts;
mod scale;
mod support;
mod terminals;
mod two_writers;
mod volumes;
mod watch;
