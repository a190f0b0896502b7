//! The request for a network.

use super::fields::{Fields, words};
use crate::engine::ResourceRequest;
use crate::network::{Ipam, IpamPool, Network};
use serde_json::Value;
use std::collections::BTreeMap;

/// `labels` are all its labels.
pub fn network_request(network: &Network, labels: &BTreeMap<String, String>) -> ResourceRequest {
    // Without `..`, here and in the other requests: a new field does not compile until it is sent or left out.
    let Network {
        name,
        driver,
        driver_opts,
        ipam,
        internal,
        attachable,
        enable_ipv4,
        enable_ipv6,
        // Not made, and so not asked for.
        external: _,
        // Among all its labels.
        labels: _,
        key: _,
        spec: _,
        span: _,
    } = network;
    let mut f = Fields::default();
    f.exactly("Name", name.as_str());
    f.text("Driver", driver.as_ref());
    f.map("Options", driver_opts);
    f.flag("Internal", *internal);
    f.flag("Attachable", *attachable);
    if let Some(on) = *enable_ipv4 {
        f.exactly("EnableIPv4", on);
    }
    if let Some(on) = *enable_ipv6 {
        f.exactly("EnableIPv6", on);
    }
    f.value("IPAM", self::ipam(ipam));
    f.exactly("Labels", words(labels));
    ResourceRequest {
        name: name.clone(),
        body: f.finish(),
    }
}

fn ipam(ipam: &Ipam) -> Value {
    let Ipam {
        driver,
        options,
        config,
    } = ipam;
    let mut f = Fields::default();
    f.text("Driver", driver.as_ref());
    f.map("Options", options);
    let pools = config.iter().map(|pool| {
        let IpamPool {
            subnet,
            ip_range,
            gateway,
            aux_addresses,
        } = pool;
        let mut p = Fields::default();
        p.text("Subnet", subnet.as_ref());
        p.text("IPRange", ip_range.as_ref());
        p.text("Gateway", gateway.as_ref());
        p.map("AuxiliaryAddresses", aux_addresses);
        p.finish()
    });
    f.list("Config", pools.collect());
    f.finish()
}
