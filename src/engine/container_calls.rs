//! Further calls on single containers and images: what they do and use, and copies of them.

use super::{EngineEvent, Parts, Reply};

/// The processes in a container, as the engine's `ps` tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    pub titles: Vec<String>,
    /// One for each process, with a cell for each title.
    pub rows: Vec<Vec<String>>,
}

/// What a container uses at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    pub id: String,
    pub name: String,
    /// Of one processor, in percent, since the moment before.
    pub cpu: f64,
    /// Bytes; those of caches that can be given up are left out.
    pub memory: u64,
    pub memory_limit: u64,
    /// Bytes since the start.
    pub received: u64,
    pub sent: u64,
    pub read: u64,
    pub written: u64,
    pub processes: u64,
}

/// An image to make of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitRequest {
    pub container: String,
    /// The new image's name and tag; empty for one without a name.
    pub repository: String,
    pub tag: String,
    pub comment: String,
    pub author: String,
    /// Lines of a Dockerfile that are applied.
    pub changes: Vec<String>,
    /// The container stands still meanwhile.
    pub pause: bool,
}

/// An image with what a list of images shows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRecord {
    pub id: String,
    /// `os/architecture[/variant]`; empty where the image does not say.
    pub platform: String,
    pub size: i64,
    /// RFC 3339; empty where it is not known. So is the next.
    pub created: String,
    pub tagged: String,
    /// Numbers of the ports that it exposes.
    pub exposed: Vec<String>,
}

/// From when to when events are asked for: RFC 3339, seconds since the epoch with a fraction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// `None` is from now on.
    pub since: Option<String>,
    /// `None` is for ever.
    pub until: Option<String>,
}

/// Part of [`Engine`](super::Engine). One method is one request.
pub trait ContainerCalls: Send + Sync {
    fn pause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;
    fn unpause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;
    /// Answers once the container does not run, with its exit code.
    fn wait_container<'a>(&'a self, id: &'a str) -> Reply<'a, i64>;
    fn processes<'a>(&'a self, id: &'a str) -> Reply<'a, Processes>;
    /// What a container uses: once, or with `follow` about every second. Of one that does not run
    /// all is nothing.
    fn usage(&self, id: String, follow: bool) -> Parts<'_, Usage>;
    /// The container's file system as a tar.
    fn export_container<'a>(&'a self, id: &'a str) -> Parts<'a, Vec<u8>>;
    /// Gives the new image's id.
    fn commit_container(&self, request: CommitRequest) -> Reply<'_, String>;
    /// Container events that carry all the labels (`key` or `key=value`).
    fn events_within(&self, labels: Vec<String>, period: Period) -> Parts<'_, EngineEvent>;
    /// `platform` is the engine's own JSON for one, where an image of several is meant.
    fn image_record<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Reply<'a, ImageRecord>;
}
