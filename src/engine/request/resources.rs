//! Processors, memory, devices.

use super::Task;
use super::fields::{Fields, words};
use crate::service::deploy::{DeviceRequest, Resource};
use crate::service::{BlkioConfig, Device, ThrottleDevice};
use serde_json::{Value, json};

impl Task<'_> {
    pub(super) fn resources(&self, f: &mut Fields) {
        let s = self.service;
        let bytes = |b: Option<crate::value::bytes::Bytes>| b.map_or(0, |b| b.0);
        let deploy = s.deploy.as_ref().map(|d| &d.resources);
        let limits = deploy.and_then(|r| r.limits.as_ref());
        let reservations = deploy.and_then(|r| r.reservations.as_ref());
        // `deploy` wins where both are there; loading has seen to it that they agree.
        let limit =
            |own: i64, of: fn(&Resource) -> i64| limits.map(of).filter(|n| *n != 0).unwrap_or(own);
        f.number("NanoCpus", limit(nano(s.cpus), |r| nano(r.cpus)));
        f.number(
            "Memory",
            limit(bytes(s.mem_limit), |r| r.memory.map_or(0, |b| b.0)),
        );
        f.number("PidsLimit", limit(s.pids_limit, |r| r.pids.max(0)));
        let reserved = reservations.map_or(0, |r| bytes(r.memory));
        f.number(
            "MemoryReservation",
            match reserved {
                0 => bytes(s.mem_reservation),
                n => n,
            },
        );
        f.number("MemorySwap", bytes(s.memswap_limit));
        f.number("MemorySwappiness", bytes(s.mem_swappiness));
        f.exactly("OomKillDisable", s.oom_kill_disable);
        f.number("OomScoreAdj", s.oom_score_adj);
        f.number("CpuCount", s.cpu_count);
        f.number("CpuPercent", (s.cpu_percent * 100.0) as i64);
        f.number("CpuShares", s.cpu_shares);
        f.number("CpuPeriod", s.cpu_period);
        f.number("CpuQuota", s.cpu_quota);
        f.number("CpuRealtimePeriod", s.cpu_rt_period);
        f.number("CpuRealtimeRuntime", s.cpu_rt_runtime);
        f.text("CpusetCpus", s.cpuset.as_ref());
        f.text("CgroupParent", s.cgroup_parent.as_ref());
        f.texts("DeviceCgroupRules", &s.device_cgroup_rules);
        self.blkio(f);
        f.list(
            "Ulimits",
            s.ulimits
                .iter()
                .map(|(name, l)| json!({ "Name": name, "Soft": l.soft, "Hard": l.hard }))
                .collect(),
        );
        self.devices(f, reservations.map_or(&[][..], |r| &r.devices));
    }

    fn blkio(&self, f: &mut Fields) {
        let Some(blkio) = &self.service.blkio_config else {
            return;
        };
        let BlkioConfig {
            weight,
            weight_device,
            device_read_bps,
            device_read_iops,
            device_write_bps,
            device_write_iops,
        } = blkio;
        f.number("BlkioWeight", i64::from(*weight));
        f.list(
            "BlkioWeightDevice",
            weight_device
                .iter()
                .map(|d| json!({ "Path": d.path, "Weight": d.weight }))
                .collect(),
        );
        let rates = |devices: &[ThrottleDevice]| -> Vec<Value> {
            devices
                .iter()
                .map(|d| json!({ "Path": d.path, "Rate": d.rate.0 }))
                .collect()
        };
        f.list("BlkioDeviceReadBps", rates(device_read_bps));
        f.list("BlkioDeviceReadIOps", rates(device_read_iops));
        f.list("BlkioDeviceWriteBps", rates(device_write_bps));
        f.list("BlkioDeviceWriteIOps", rates(device_write_iops));
    }

    /// `devices`, `gpus` and the reserved ones.
    fn devices(&self, f: &mut Fields, reserved: &[DeviceRequest]) {
        let mut requests: Vec<Value> = reserved
            .iter()
            .map(|device| device_request(device, None))
            .collect();
        let mut mappings = Vec::new();
        let mut named = Vec::new();
        for device in &self.service.devices {
            let Device {
                source,
                target,
                permissions,
            } = device;
            let target = target.as_deref().filter(|t| !t.is_empty());
            let target = target.unwrap_or(source);
            if target == source && is_cdi_name(source) {
                named.push(source.clone());
                continue;
            }
            let permissions = permissions.as_deref().filter(|p| !p.is_empty());
            mappings.push(json!({
                "PathOnHost": source,
                "PathInContainer": target,
                "CgroupPermissions": permissions.unwrap_or("rwm"),
            }));
        }
        f.list("Devices", mappings);
        if !named.is_empty() {
            requests.push(json!({ "Driver": "cdi", "DeviceIDs": named }));
        }
        for gpu in &self.service.gpus {
            requests.push(device_request(gpu, Some("gpu")));
        }
        f.list("DeviceRequests", requests);
    }
}

/// `more` is a capability besides those that are asked for.
fn device_request(device: &DeviceRequest, more: Option<&str>) -> Value {
    let DeviceRequest {
        capabilities,
        driver,
        count,
        device_ids,
        options,
    } = device;
    let capabilities: Vec<&str> = capabilities
        .iter()
        .map(String::as_str)
        .chain(more)
        .collect();
    let mut f = Fields::default();
    f.text("Driver", driver.as_ref());
    f.number("Count", *count);
    f.texts("DeviceIDs", device_ids);
    f.list("Capabilities", vec![json!(capabilities)]);
    f.value("Options", words(options));
    f.finish()
}

/// Processors in the engine's unit.
fn nano(cpus: f64) -> i64 {
    // `as` rounds towards zero; 0.29 * 1e9 is a hair below its integer.
    (cpus * 1e9).round() as i64
}

/// `vendor.com/class=name`: a device of the Container Device Interface.
fn is_cdi_name(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    let is_word = |word: &str, extra: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.ends_with(|c: char| c.is_ascii_alphanumeric())
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    let is_device = device.starts_with(|c: char| c.is_ascii_alphanumeric())
        && device
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c));
    is_word(vendor, "_-.") && is_word(class, "_-") && is_device
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cdi_names() {
        for (name, expected) in [
            ("vendor.com/gpu=all", true),
            ("nvidia.com/gpu=0:1", true),
            ("/dev/null", false),
            ("/dev/x=y", false),
            ("vendor.com/gpu", false),
            ("a/b/c=d", false),
            ("vendor.com/gpu=", false),
        ] {
            assert_eq!(is_cdi_name(name), expected, "{name}");
        }
    }

    #[test]
    fn processors() {
        for (cpus, expected) in [
            (0.5, 500_000_000),
            (0.29, 290_000_000),
            (2.0, 2_000_000_000),
        ] {
            assert_eq!(nano(cpus), expected);
        }
    }
}
