//! The short forms of ports, volumes and devices by themselves: no panic, bounded growth.

use regatta::load::short;
use regatta::tree::Span;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    if let Ok(ports) = short::port::parse(text, Span::default()) {
        assert!(
            !ports.is_empty() && ports.len() <= 65_536,
            "{}",
            ports.len()
        );
        for port in &ports {
            let target = port.get("target").and_then(|t| t.as_int());
            assert!(
                target.is_some_and(|t| (0..=65_535).contains(&t)),
                "{port:?}"
            );
        }
    }
    if let Ok(volume) = short::volume::parse(text, Span::default()) {
        assert!(volume.get("target").is_some(), "{volume:?}");
        assert!(volume.get("type").is_some(), "{volume:?}");
    }
    if let Ok(device) = short::device::parse(text, Span::default()) {
        assert!(device.get("source").is_some(), "{device:?}");
    }
}
