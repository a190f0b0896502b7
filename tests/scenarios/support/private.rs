//! A second engine for one scenario, to be stopped and started at will.

use super::api::Engine;
use super::eventually::within;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A dockerd of our own, in a network namespace of its own: one that shares the machine's would
/// take the other engine's bridge away when it starts.
pub struct Private {
    pub engine: Engine,
    directory: tempfile::TempDir,
    child: Option<Child>,
}

impl Private {
    pub fn start() -> Private {
        let directory = tempfile::Builder::new()
            .prefix("rt-")
            .tempdir_in("/var/tmp")
            .expect("a directory");
        let engine = Engine::at(&directory.path().join("s"));
        let mut private = Private {
            engine,
            directory,
            child: None,
        };
        private.again();
        private
    }

    /// Starts it, also after [`Private::stop`].
    pub fn again(&mut self) {
        let root = self.directory.path();
        let path = std::env::var("PATH").unwrap_or_default();
        let prefix = std::env::var("REGATTA_ENGINE_PREFIX").unwrap_or("/opt/regatta-engine".into());
        let at = |name: &str| root.join(name).display().to_string();
        let log = std::fs::File::create(root.join("log")).expect("a log file");
        let child = Command::new("unshare")
            .env(
                "PATH",
                format!("{prefix}/usr/sbin:{prefix}/usr/bin:{path}:/usr/sbin:/sbin"),
            )
            .args(["--net", "dockerd", "--host", &self.engine.host()])
            .args([
                "--data-root",
                &at("data"),
                "--exec-root",
                &at("run"),
                "--pidfile",
                &at("pid"),
            ])
            .args(["--iptables=false", "--ip6tables=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd, which `dev/engine install` installs");
        self.child = Some(child);
        within(
            Duration::from_secs(60),
            "the private engine answers",
            || self.engine.answers().then_some(()),
        );
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }

    /// Gives it an image that another engine has.
    pub fn take_image(&self, from: &Engine, reference: &str) {
        let (status, tar) = from
            .request("GET", &format!("/images/{reference}/get"), b"")
            .expect("the engine answers");
        assert_eq!(
            status, 200,
            "{reference} is not on this machine: run dev/images"
        );
        let (status, answer) = self
            .engine
            .request("POST", "/images/load", &tar)
            .expect("the engine answers");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.stop();
    }
}
