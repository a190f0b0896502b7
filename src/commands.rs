//! The commands, one file each: its arguments (`XArgs`, whose doc comments are the help) and
//! `run(ctx, args)`, which calls the verbs and holds no logic a caller of the library would miss.

pub mod build;
pub mod changing;
pub mod config;
pub mod cp;
pub mod create;
pub mod desired;
pub mod down;
pub mod exec;
pub mod existing;
pub mod explain;
pub mod foreground;
pub mod foreign;
pub mod kill;
pub mod locked;
pub mod logs;
pub mod ls;
pub mod plan;
pub mod ps;
pub mod publish;
pub mod pull;
pub mod push;
pub mod restart;
pub mod rm;
pub mod scale;
pub mod start;
pub mod stop;
pub mod trust;
pub mod up;
pub mod version;
pub mod watch;
