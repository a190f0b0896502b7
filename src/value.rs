//! Small value types with Compose's own grammars.

pub mod address;
pub mod ago;
pub mod bytes;
pub mod container_name;
pub mod detach_keys;
pub mod duration;
pub mod glob;
pub mod image;
pub mod number;
pub mod path;
pub mod platform;
pub mod program;
pub mod quote;
pub mod secret;
pub mod similar;
pub mod subnet;
pub mod switch;
pub mod time;
pub mod userinfo;
pub mod visible;
pub mod words;
