//! The container's own configuration: process, identity, health.

use super::fields::{Fields, words};
use super::{Refusal, Task, object};
use crate::service::health::Healthcheck;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where `use_api_socket` puts the client's configuration.
pub(super) const API_SOCKET_CONFIG: &str = "/run/secrets/docker";

impl Task<'_> {
    pub(super) fn container_config(
        &self,
        labels: &BTreeMap<String, String>,
    ) -> Result<Fields, Refusal> {
        let service = self.service;
        let mut f = Fields::default();
        f.exactly("Image", self.project.image_name(service));
        f.text("Hostname", service.hostname.as_ref());
        f.text("Domainname", service.domainname.as_ref());
        f.text("User", service.user.as_ref());
        f.text("WorkingDir", service.working_dir.as_ref());
        // An empty list clears the image's, so it is not the same as nothing.
        if let Some(command) = &service.command {
            f.exactly("Cmd", command.clone());
        }
        if let Some(entrypoint) = &service.entrypoint {
            f.exactly("Entrypoint", entrypoint.clone());
        }
        f.texts("Env", &self.environment());
        f.exactly("Labels", words(labels));
        f.exactly("AttachStdout", true);
        f.exactly("AttachStderr", true);
        f.flag("OpenStdin", service.stdin_open);
        f.flag("Tty", service.tty);
        f.text("StopSignal", service.stop_signal.as_ref());
        if let Some(period) = service.stop_grace_period {
            f.exactly("StopTimeout", period.as_nanos() / 1_000_000_000);
        }
        f.flag(
            "NetworkDisabled",
            service.network_mode.as_deref() == Some("disabled"),
        );
        f.value("ExposedPorts", self.exposed_ports()?);
        if let Some(check) = &service.healthcheck {
            f.value("Healthcheck", self.healthcheck(check)?);
        }
        Ok(f)
    }

    /// `K=V` each; a bare `K` takes the variable out of the image's environment.
    fn environment(&self) -> Vec<String> {
        let mut all: BTreeMap<&str, Option<&str>> = self
            .resolved
            .proxy_environment
            .iter()
            .map(|(key, value)| (key.as_str(), Some(value.as_str())))
            .collect();
        for (key, value) in &self.service.environment {
            all.insert(key, value.as_deref());
        }
        if self.service.use_api_socket {
            all.entry("DOCKER_CONFIG")
                .or_insert(Some(API_SOCKET_CONFIG));
        }
        all.into_iter()
            .map(|(key, value)| match value {
                Some(value) => format!("{key}={value}"),
                None => key.to_string(),
            })
            .collect()
    }

    /// `ports` and `expose`.
    fn exposed_ports(&self) -> Result<Value, Refusal> {
        let mut keys: BTreeSet<String> = self.service.ports.iter().map(|p| p.key()).collect();
        for (index, expose) in self.service.expose.iter().enumerate() {
            let (range, protocol) = expose.split_once('/').unwrap_or((expose, "tcp"));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let parse = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
            let (Some(first), Some(last)) = (parse(first), parse(last)) else {
                return Err(self.refuse(
                    "invalid-port",
                    &["expose", &index.to_string()],
                    format!("{expose:?} is no port: expected N or N-M with /tcp, /udp or /sctp, from 1 to 65535"),
                ));
            };
            let protocol = protocol.to_ascii_lowercase();
            keys.extend((first..=last).map(|port| format!("{port}/{protocol}")));
        }
        let mut f = Fields::default();
        for key in keys {
            f.exactly(&key, object(Fields::default()));
        }
        Ok(f.finish())
    }

    /// Durations are nanoseconds; what is zero comes from the image.
    fn healthcheck(&self, check: &Healthcheck) -> Result<Value, Refusal> {
        let Healthcheck {
            test,
            timeout,
            interval,
            retries,
            start_period,
            start_interval,
            // Is in the test.
            disable: _,
        } = check;
        if start_interval.is_some() && start_period.is_none() {
            return Err(self.refuse(
                "healthcheck",
                &["healthcheck", "start_interval"],
                "healthcheck.start_interval requires healthcheck.start_period to be set: it has no effect without one",
            ));
        }
        let mut f = Fields::default();
        match check.is_disabled() {
            true => f.texts("Test", &["NONE"]),
            false => f.texts("Test", test),
        }
        for (key, value) in [
            ("Interval", interval),
            ("Timeout", timeout),
            ("StartPeriod", start_period),
            ("StartInterval", start_interval),
        ] {
            f.number(key, value.map_or(0, |d| d.as_nanos()));
        }
        let retries = retries.unwrap_or(0);
        f.number("Retries", i64::try_from(retries).unwrap_or(i64::MAX));
        Ok(f.finish())
    }
}
