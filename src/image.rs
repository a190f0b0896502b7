//! Images: when they are pulled or built, and how.

pub mod auth;
pub mod build;
pub mod context;
pub mod dockerfile;
pub mod ignore;
pub mod policy;
pub mod pull;
pub mod push;
pub mod refusal;
