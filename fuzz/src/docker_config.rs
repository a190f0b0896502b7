//! Docker's `config.json` as bytes.

use regatta::docker_config::ClientConfig;

/// A secret that no fault may tell, wherever an input puts it.
const SECRET: &str = "hunter2";

pub fn run(input: &[u8]) {
    let (config, faults) = ClientConfig::parse(input);
    config.proxy_environment("unix:///run/docker.sock");
    let text = String::from_utf8_lossy(input);
    let lines: Vec<&str> = text.split('\n').collect();
    for fault in &faults {
        let line = lines.get(fault.line.wrapping_sub(1));
        let line = line.unwrap_or_else(|| panic!("{fault:?} is outside"));
        let columns = 1..=line.chars().count() + 1;
        assert!(columns.contains(&fault.column), "{fault:?}");
        // A fault names keys, never values.
        let mut keys = config
            .auths
            .keys()
            .chain(config.cred_helpers.keys())
            .chain(config.proxies.keys())
            .chain(config.formats.keys());
        let is_key = keys.any(|key| key.contains(SECRET));
        assert!(is_key || !fault.why.contains(SECRET), "{fault:?}");
    }
    // What was read before the end of a file stays read when the file goes on.
    let cut = &input[..input.len() / 2];
    let (before, _) = ClientConfig::parse(cut);
    if faults.is_empty() && std::str::from_utf8(cut).is_ok() {
        for name in before.auths.keys() {
            assert!(config.auths.contains_key(name), "{name:?} was forgotten");
        }
    }
}
