//! What needs a real engine or a real registry, without the whole program on top of it.

mod builds;
#[path = "../support/chance.rs"]
mod chance;
mod docker_adapter;
mod fake_vs_real;
mod logs;
mod oci;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/registry.rs"]
mod registry;
#[path = "../support/required.rs"]
mod required;
#[path = "../support/servers.rs"]
mod servers;
