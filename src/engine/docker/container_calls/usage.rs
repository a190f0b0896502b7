//! What a container uses, out of the engine's counters.

use crate::engine::Usage;
use crate::engine::docker::lists::nullable;
use crate::engine::docker::rows::bare_name;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A message of `GET /containers/ID/stats`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sample {
    #[serde(deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    cpu_stats: Cpu,
    #[serde(deserialize_with = "nullable")]
    precpu_stats: Cpu,
    #[serde(deserialize_with = "nullable")]
    memory_stats: Memory,
    #[serde(deserialize_with = "nullable")]
    networks: BTreeMap<String, Network>,
    #[serde(deserialize_with = "nullable")]
    blkio_stats: Blocks,
    #[serde(deserialize_with = "nullable")]
    pids_stats: Pids,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cpu {
    #[serde(deserialize_with = "nullable")]
    cpu_usage: CpuUsage,
    #[serde(deserialize_with = "nullable")]
    system_cpu_usage: u64,
    #[serde(deserialize_with = "nullable")]
    online_cpus: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    #[serde(deserialize_with = "nullable")]
    total_usage: u64,
    #[serde(deserialize_with = "nullable")]
    percpu_usage: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    #[serde(deserialize_with = "nullable")]
    usage: u64,
    #[serde(deserialize_with = "nullable")]
    limit: u64,
    #[serde(deserialize_with = "nullable")]
    stats: Caches,
}

/// What is in use but would be given up: the first is of control groups 1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Caches {
    total_inactive_file: Option<u64>,
    inactive_file: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    #[serde(deserialize_with = "nullable")]
    rx_bytes: u64,
    #[serde(deserialize_with = "nullable")]
    tx_bytes: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Blocks {
    #[serde(deserialize_with = "nullable")]
    io_service_bytes_recursive: Vec<Block>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    #[serde(deserialize_with = "nullable")]
    op: String,
    #[serde(deserialize_with = "nullable")]
    value: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pids {
    #[serde(deserialize_with = "nullable")]
    current: u64,
}

impl Sample {
    pub fn usage(self) -> Usage {
        let blocks = |letter: char| -> u64 {
            let all = self.blkio_stats.io_service_bytes_recursive.iter();
            all.filter(|block| block.op.to_lowercase().starts_with(letter))
                .map(|block| block.value)
                .sum()
        };
        Usage {
            cpu: self.cpu(),
            memory: self.memory(),
            memory_limit: self.memory_stats.limit,
            received: self.networks.values().map(|n| n.rx_bytes).sum(),
            sent: self.networks.values().map(|n| n.tx_bytes).sum(),
            read: blocks('r'),
            written: blocks('w'),
            processes: self.pids_stats.current,
            name: bare_name(&self.name),
            id: self.id,
        }
    }

    /// Its share of all the machine's time, times the processors.
    fn cpu(&self) -> f64 {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let own = now.cpu_usage.total_usage as f64 - before.cpu_usage.total_usage as f64;
        let all = now.system_cpu_usage as f64 - before.system_cpu_usage as f64;
        let processors = match now.online_cpus {
            0 => now.cpu_usage.percpu_usage.len() as f64,
            count => count as f64,
        };
        match own > 0.0 && all > 0.0 {
            true => own / all * processors * 100.0,
            false => 0.0,
        }
    }

    fn memory(&self) -> u64 {
        let memory = &self.memory_stats;
        let fits = |cache: &u64| *cache < memory.usage;
        let caches = &memory.stats;
        let cache = caches.total_inactive_file.filter(fits);
        let cache = cache.or(caches.inactive_file.filter(fits));
        memory.usage - cache.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: serde_json::Value) -> Usage {
        serde_json::from_value::<Sample>(json).unwrap().usage()
    }

    #[test]
    fn counters_become_shares() {
        let found = usage(serde_json::json!({
            "id": "1", "name": "/shop-web-1", "pids_stats": {"current": 3},
            "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 3_000, "online_cpus": 4},
            "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 2_000},
            "memory_stats": {"usage": 1_000, "limit": 8_000, "stats": {"inactive_file": 200}},
            "networks": {"eth0": {"rx_bytes": 5, "tx_bytes": 6}, "eth1": {"rx_bytes": 1, "tx_bytes": 2}},
            "blkio_stats": {"io_service_bytes_recursive": [
                {"op": "Read", "value": 7}, {"op": "write", "value": 8}, {"op": "", "value": 9}]}
        }));
        assert_eq!(
            found,
            Usage {
                id: "1".into(),
                name: "shop-web-1".into(),
                cpu: 80.0,
                memory: 800,
                memory_limit: 8_000,
                received: 6,
                sent: 8,
                read: 7,
                written: 8,
                processes: 3,
            }
        );
    }

    #[test]
    fn what_does_not_run_uses_nothing() {
        let found = usage(serde_json::json!({
            "id": "1", "name": "/job", "pids_stats": {}, "memory_stats": {}, "networks": null,
            "cpu_stats": {"cpu_usage": {"total_usage": 0}}, "precpu_stats": null,
            "blkio_stats": {"io_service_bytes_recursive": null}
        }));
        assert_eq!((found.cpu, found.memory, found.processes), (0.0, 0, 0));
    }

    #[test]
    fn caches_of_both_control_groups() {
        for (stats, memory) in [
            (r#"{"total_inactive_file": 30, "inactive_file": 10}"#, 70),
            (r#"{"inactive_file": 10}"#, 90),
            (r#"{"total_inactive_file": 300}"#, 100),
            ("{}", 100),
        ] {
            let stats: serde_json::Value = serde_json::from_str(stats).unwrap();
            let found = usage(serde_json::json!({"memory_stats": {"usage": 100, "stats": stats}}));
            assert_eq!(found.memory, memory);
        }
    }
}
