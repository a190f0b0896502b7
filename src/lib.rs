//! regatta runs a multi-container application from one Compose file.

pub mod cli;
pub mod commands;
pub mod context;
pub mod diagnostic;
pub mod engine;
pub mod error;
pub mod event;
pub mod form;
pub mod hash;
pub mod image;
pub mod labels;
pub mod load;
pub mod network;
pub mod output;
pub mod project;
pub mod scale;
pub mod secret;
pub mod service;
pub mod terminal;
pub mod tree;
pub mod value;
pub mod volume;
