//! The request for a volume.

use super::fields::{Fields, words};
use crate::engine::ResourceRequest;
use crate::volume::Volume;
use std::collections::BTreeMap;

/// `labels` are all its labels.
pub fn volume_request(volume: &Volume, labels: &BTreeMap<String, String>) -> ResourceRequest {
    let mut f = Fields::default();
    f.exactly("Name", volume.name.as_str());
    f.text("Driver", volume.driver.as_ref());
    f.map("DriverOpts", &volume.driver_opts);
    f.exactly("Labels", words(labels));
    ResourceRequest {
        name: volume.name.clone(),
        body: f.finish(),
    }
}
