//! Small value types with Compose's own grammars.

pub mod address;
pub mod ago;
pub mod bytes;
pub mod container_name;
pub mod duration;
pub mod float;
pub mod glob;
pub mod image;
pub mod number;
pub mod path;
pub mod similar;
pub mod userinfo;
pub mod words;
