//! Images: when they are pulled or built, and how.

pub mod policy;
