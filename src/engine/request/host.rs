//! What the host gives to the container: security, namespaces, ports, restarts.

use super::fields::Fields;
use super::{Refusal, Task};
use crate::service::Logging;
use crate::service::port::Port;
use serde_json::{Value, json};
use std::path::Path;

impl Task<'_> {
    pub(super) fn host_config(&self) -> Result<Fields, Refusal> {
        let service = self.service;
        let mut f = Fields::default();
        f.map("Annotations", &service.annotations);
        f.texts("CapAdd", &capabilities(&service.cap_add));
        f.texts("CapDrop", &capabilities(&service.cap_drop));
        f.flag("Privileged", service.privileged);
        f.flag("ReadonlyRootfs", service.read_only);
        self.security(&mut f)?;
        f.texts("GroupAdd", &service.group_add);
        f.text("UsernsMode", service.userns_mode.as_ref());
        f.text("PidMode", self.mode("pid", service.pid.as_ref())?.as_ref());
        f.text("IpcMode", self.mode("ipc", service.ipc.as_ref())?.as_ref());
        f.text("UTSMode", self.mode("uts", service.uts.as_ref())?.as_ref());
        f.text(
            "CgroupnsMode",
            self.mode("cgroup", service.cgroup.as_ref())?.as_ref(),
        );
        if let Some(init) = service.init {
            f.exactly("Init", init);
        }
        f.text("Isolation", service.isolation.as_ref());
        f.text("Runtime", service.runtime.as_ref());
        let dns: Vec<&String> = service.dns.iter().filter(|d| !d.is_empty()).collect();
        f.texts("Dns", &dns);
        f.texts("DnsSearch", &service.dns_search);
        f.texts("DnsOptions", &service.dns_opt);
        let hosts: Vec<String> = service
            .extra_hosts
            .iter()
            .map(|entry| entry.replacen('=', ":", 1))
            .collect();
        f.texts("ExtraHosts", &hosts);
        if let Some(Logging { driver, options }) = &service.logging {
            let mut log = Fields::default();
            log.text("Type", driver.as_ref());
            log.map("Config", options);
            f.value("LogConfig", log.finish());
        }
        f.map("StorageOpt", &service.storage_opt);
        f.map("Sysctls", &service.sysctls);
        f.number("ShmSize", service.shm_size.map_or(0, |b| b.0));
        f.value("RestartPolicy", self.restart_policy());
        f.value("PortBindings", self.port_bindings());
        let mut tmpfs = Fields::default();
        for entry in &service.tmpfs {
            let (path, options) = entry.split_once(':').unwrap_or((entry, ""));
            tmpfs.exactly(path, options);
        }
        f.value("Tmpfs", tmpfs.finish());
        f.texts("VolumesFrom", &self.volumes_from()?);
        self.resources(&mut f);
        Ok(f)
    }

    /// `security_opt`; a seccomp profile is sent as its content.
    fn security(&self, f: &mut Fields) -> Result<(), Refusal> {
        let mut options = Vec::new();
        for (index, option) in self.service.security_opt.iter().enumerate() {
            let index = index.to_string();
            let path = ["security_opt", index.as_str()];
            if option == "systempaths=unconfined" {
                f.exactly("MaskedPaths", Vec::<Value>::new());
                f.exactly("ReadonlyPaths", Vec::<Value>::new());
                continue;
            }
            let parts = option.split_once('=').or_else(|| option.split_once(':'));
            match parts {
                Some(("seccomp", profile)) if profile != "unconfined" && profile != "builtin" => {
                    options.push(format!("seccomp={}", self.seccomp(profile, &path)?));
                }
                None if option != "no-new-privileges" => {
                    return Err(self.refuse(
                        "security-opt",
                        &path,
                        format!("{option:?} is no security option: expected NAME=VALUE"),
                    ));
                }
                _ => options.push(option.clone()),
            }
        }
        f.texts("SecurityOpt", &options);
        Ok(())
    }

    /// A profile's JSON without white space.
    fn seccomp(&self, file: &str, path: &[&str]) -> Result<String, Refusal> {
        let full = self.project.working_dir.join(Path::new(file));
        let fail = |why: String| {
            self.refuse(
                "seccomp",
                path,
                format!("seccomp profile {}: {why}", full.display()),
            )
        };
        let read = self
            .resolved
            .read
            .ok_or_else(|| fail("no files can be read here".into()))?;
        let bytes = read(&full).map_err(|e| fail(e.to_string()))?;
        let profile: &serde_json::value::RawValue =
            serde_json::from_slice(&bytes).map_err(|e| fail(format!("is no JSON: {e}")))?;
        Ok(compact(profile.get()))
    }

    /// `deploy.restart_policy` replaces `restart` as a whole.
    fn restart_policy(&self) -> Value {
        let deploy = self.service.deploy.as_ref();
        let (name, attempts) = match deploy.and_then(|d| d.restart_policy.as_ref()) {
            Some(policy) => (
                policy.condition.as_deref().unwrap_or_default(),
                policy.max_attempts.unwrap_or(0),
            ),
            None => {
                let restart = self.service.restart.as_deref().unwrap_or_default();
                let (name, count) = restart.split_once(':').unwrap_or((restart, ""));
                (name, count.parse().unwrap_or(0))
            }
        };
        let name = match name {
            "none" => "no",
            "any" => "always",
            other => other,
        };
        let mut f = Fields::default();
        f.text("Name", Some(&name.to_string()));
        f.number("MaximumRetryCount", attempts);
        f.finish()
    }

    fn port_bindings(&self) -> Value {
        let mut bindings = serde_json::Map::new();
        for port in &self.service.ports {
            let Port {
                // For readers, and for other engines.
                name: _,
                mode: _,
                app_protocol: _,
                // In the key.
                target: _,
                protocol: _,
                host_ip,
                published,
            } = port;
            let mut f = Fields::default();
            f.text("HostIp", host_ip.as_ref());
            f.text("HostPort", published.as_ref());
            let list = bindings.entry(port.key()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(f.finish());
            }
        }
        Value::Object(bindings)
    }

    /// Container ids with the mode that was asked for. (Compose drops the mode, which makes
    /// read-only volumes writable.)
    fn volumes_from(&self) -> Result<Vec<String>, Refusal> {
        let mut all = Vec::new();
        for entry in &self.service.volumes_from {
            if let Some(container) = entry.strip_prefix("container:") {
                all.push(container.to_string());
                continue;
            }
            let (service, mode) = match entry.split_once(':') {
                Some((service, mode)) => (service, format!(":{mode}")),
                None => (entry.as_str(), String::new()),
            };
            let container = self.first_container(service, &["volumes_from"])?;
            all.push(format!("{}{mode}", container.id));
        }
        Ok(all)
    }
}

/// Names as the engine keeps them: capitals, with `CAP_`.
fn capabilities(names: &[String]) -> Vec<String> {
    names
        .iter()
        .map(|name| {
            let upper = name.to_ascii_uppercase();
            match upper == "ALL" || upper.starts_with("CAP_") {
                true => upper,
                false => format!("CAP_{upper}"),
            }
        })
        .collect()
}

/// JSON text without the white space between its tokens.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            quoted = c == '"';
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn compacting() {
        let text = "{ \"a b\" : [ 1 ,\n 2 ], \"c\\\" \" :\t\"\\\\\" }";
        assert_eq!(super::compact(text), "{\"a b\":[1,2],\"c\\\" \":\"\\\\\"}");
    }
}
