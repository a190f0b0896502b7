//! The request for a volume.

use super::fields::{Fields, words};
use crate::engine::ResourceRequest;
use crate::volume::Volume;
use std::collections::BTreeMap;

/// `labels` are all its labels.
pub fn volume_request(volume: &Volume, labels: &BTreeMap<String, String>) -> ResourceRequest {
    let Volume {
        name,
        driver,
        driver_opts,
        // Not made, and so not asked for.
        external: _,
        // Among all its labels.
        labels: _,
        key: _,
        spec: _,
        span: _,
    } = volume;
    let mut f = Fields::default();
    f.exactly("Name", name.as_str());
    f.text("Driver", driver.as_ref());
    f.map("DriverOpts", driver_opts);
    f.exactly("Labels", words(labels));
    ResourceRequest {
        name: name.clone(),
        body: f.finish(),
    }
}
