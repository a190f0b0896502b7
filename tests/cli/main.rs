//! The program as a user meets it: arguments in, standard output, standard error and exit code
//! out, in an environment of its own and against an engine of a few canned answers; with files from
//! elsewhere ([`fetched`], [`remote`]) and with hostile ones.

#[path = "../support/canaries.rs"]
mod canaries;
mod canned;
mod commands;
mod fetched;
#[path = "../support/git.rs"]
mod git;
mod hostile_process;
mod includes;
#[path = "../support/program.rs"]
mod program;
mod remote;
mod run;
#[path = "../support/scripted.rs"]
#[allow(dead_code, reason = "this program uses a part of it")]
mod scripted;
mod shells;
mod usage;
mod working_directory;
