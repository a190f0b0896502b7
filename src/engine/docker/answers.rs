//! Answers of an engine from their bytes alone, as the calls read them: also for the fuzzer.

use super::images::{self, Message};
use super::messages::Splitter;
use super::trace::Trace;
use super::{lists, rows};
use crate::engine::{
    BuildMessage, ContainerSummary, EngineError, EngineEvent, ImageSummary, NetworkSummary,
    PullProgress, VolumeSummary,
};
use serde::de::DeserializeOwned;

/// The answer to `target`, a list of containers.
///
/// # Errors
/// [`EngineError::Protocol`] where it is none; so for all lists.
pub fn containers(target: &str, body: &[u8]) -> Result<Vec<ContainerSummary>, EngineError> {
    let rows: Vec<lists::ContainerRow> = lists::read(target, body)?;
    Ok(rows.into_iter().map(ContainerSummary::from).collect())
}

/// A list of networks.
///
/// # Errors
/// As [`containers`].
pub fn networks(target: &str, body: &[u8]) -> Result<Vec<NetworkSummary>, EngineError> {
    let rows: Vec<lists::NetworkRow> = lists::read(target, body)?;
    Ok(rows.into_iter().map(NetworkSummary::from).collect())
}

/// A list of images.
///
/// # Errors
/// As [`containers`].
pub fn images(target: &str, body: &[u8]) -> Result<Vec<ImageSummary>, EngineError> {
    let rows: Vec<lists::ImageRow> = lists::read(target, body)?;
    Ok(rows.into_iter().map(ImageSummary::from).collect())
}

/// A list of volumes.
///
/// # Errors
/// As [`containers`].
pub fn volumes(target: &str, body: &[u8]) -> Result<Vec<VolumeSummary>, EngineError> {
    let rows = lists::read_volumes(target, body)?;
    Ok(rows.into_iter().map(VolumeSummary::from).collect())
}

/// The events that come in these pieces.
///
/// # Errors
/// Where one is no event, or has no end; so for all messages.
pub fn events(pieces: &[&[u8]]) -> Result<Vec<EngineEvent>, EngineError> {
    let mut found = Vec::new();
    messages(pieces, |message| {
        found.push(rows::event(message));
        Ok(())
    })?;
    Ok(found)
}

/// The messages of a pull.
///
/// # Errors
/// As [`events`], and where one says that the pull has failed.
pub fn pull(pieces: &[&[u8]]) -> Result<Vec<PullProgress>, EngineError> {
    let mut found = Vec::new();
    messages(pieces, |message: Message| {
        found.push(images::pull_progress(message)?);
        Ok(())
    })?;
    Ok(found)
}

/// The messages of a build.
///
/// # Errors
/// As [`events`], and where one says that the build has failed.
pub fn build(pieces: &[&[u8]]) -> Result<Vec<BuildMessage>, EngineError> {
    let (mut found, mut trace) = (Vec::new(), Trace::default());
    messages(pieces, |message: Message| {
        found.extend(images::build_message(message, &mut trace)?);
        Ok(())
    })?;
    Ok(found)
}

/// The lines that BuildKit's messages make.
pub fn trace<'a>(messages: impl Iterator<Item = &'a [u8]>) -> String {
    let mut trace = Trace::default();
    messages.map(|message| trace.read(message)).collect()
}

fn messages<T: DeserializeOwned>(
    pieces: &[&[u8]],
    mut take: impl FnMut(T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut splitter = Splitter::default();
    for piece in pieces {
        splitter.push(piece);
        while let Some(message) = splitter.next()? {
            take(message)?;
        }
    }
    splitter.end();
    while let Some(message) = splitter.next()? {
        take(message)?;
    }
    Ok(())
}
