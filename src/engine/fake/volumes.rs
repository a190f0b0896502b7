//! Volumes.

use super::create::is_name;
use super::refuse;
use super::world::{Volume, World, labels};
use crate::engine::{EngineError, ResourceRequest, VolumeSummary};

impl World {
    pub fn volume_rows(&self) -> Vec<VolumeSummary> {
        self.volumes
            .iter()
            .map(|(name, volume)| row(name, volume))
            .collect()
    }

    /// A second creation gives the volume that is there, with its own labels.
    pub fn create_volume(
        &mut self,
        request: ResourceRequest,
    ) -> Result<VolumeSummary, EngineError> {
        let name = request.name;
        let driver = match request.body["Driver"].as_str().unwrap_or_default() {
            "" => "local",
            driver => driver,
        };
        if driver != "local" {
            return Err(refuse(
                404,
                format!(
                    "create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found"
                ),
            ));
        }
        if !is_name(&name) {
            return Err(refuse(
                400,
                format!(
                    "create {name}: \"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
                ),
            ));
        }
        let volume = self.volumes.entry(name.clone()).or_insert_with(|| Volume {
            driver: driver.into(),
            labels: labels(&request.body),
            anonymous: false,
            has_data: false,
        });
        Ok(row(&name, volume))
    }

    pub fn remove_volume(&mut self, name: &str, force: bool) -> Result<(), EngineError> {
        if !self.volumes.contains_key(name) {
            return match force {
                true => Ok(()),
                false => Err(refuse(404, format!("get {name}: no such volume"))),
            };
        }
        let users: Vec<&str> = self
            .containers
            .values()
            .filter(|c| c.mounts.iter().any(|m| m.name == name))
            .map(|c| c.id.as_str())
            .collect();
        if !users.is_empty() {
            return Err(refuse(
                409,
                format!("remove {name}: volume is in use - [{}]", users.join(", ")),
            ));
        }
        self.volumes.remove(name);
        Ok(())
    }
}

fn row(name: &str, volume: &Volume) -> VolumeSummary {
    VolumeSummary {
        name: name.to_owned(),
        driver: volume.driver.clone(),
        mountpoint: format!("/var/lib/docker/volumes/{name}/_data"),
        scope: "local".into(),
        labels: volume.labels.clone(),
    }
}
