//! What follows from files alone: how projects are read, what is found in them, which requests they
//! lead to; and the sources of this repository ([`house`]). Needs neither an engine nor any other program.

mod answers;
#[path = "../support/chance.rs"]
mod chance;
mod conformance;
mod corpus;
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod fuzz_seeds;
mod hostile;
mod house;
mod merges;
mod mistakes;
mod mutations;
mod requests;
#[path = "../support/required.rs"]
mod required;
