//! The request for a network.

use super::fields::{Fields, words};
use crate::engine::ResourceRequest;
use crate::network::Network;
use serde_json::Value;
use std::collections::BTreeMap;

/// `labels` are all its labels.
pub fn network_request(network: &Network, labels: &BTreeMap<String, String>) -> ResourceRequest {
    let mut f = Fields::default();
    f.exactly("Name", network.name.as_str());
    f.text("Driver", network.driver.as_ref());
    f.map("Options", &network.driver_opts);
    f.flag("Internal", network.internal);
    f.flag("Attachable", network.attachable);
    if let Some(on) = network.enable_ipv4 {
        f.exactly("EnableIPv4", on);
    }
    if let Some(on) = network.enable_ipv6 {
        f.exactly("EnableIPv6", on);
    }
    f.value("IPAM", ipam(network));
    f.exactly("Labels", words(labels));
    ResourceRequest {
        name: network.name.clone(),
        body: f.finish(),
    }
}

fn ipam(network: &Network) -> Value {
    let mut f = Fields::default();
    f.text("Driver", network.ipam.driver.as_ref());
    f.map("Options", &network.ipam.options);
    let pools = network.ipam.config.iter().map(|pool| {
        let mut p = Fields::default();
        p.text("Subnet", pool.subnet.as_ref());
        p.text("IPRange", pool.ip_range.as_ref());
        p.text("Gateway", pool.gateway.as_ref());
        p.map("AuxiliaryAddresses", &pool.aux_addresses);
        p.finish()
    });
    f.list("Config", pools.collect());
    f.finish()
}
