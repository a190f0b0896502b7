//! The program as a user meets it: arguments in, standard output, standard error and exit code
//! out, in an environment of its own and against an engine of a few canned answers.

mod canned;
mod commands;
mod includes;
mod run;
mod usage;
mod working_directory;
