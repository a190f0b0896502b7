//! The commands, one file each: its arguments (`XArgs`, whose doc comments are the help) and
//! `run(ctx, args)`, which calls the verbs and holds no logic a caller of the library would miss.

pub mod config;
pub mod logs;
pub mod ls;
pub mod ps;
pub mod version;
