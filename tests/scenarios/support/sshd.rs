//! A server of ssh on this machine, with keys of its own, and a user's `ssh` that knows it as `box`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `docker [--host unix://PATH] system dial-stdio`, by what every Debian has.
const DOCKER: &str = r#"
socket=SOCKET
if [ "$1" = --host ]; then socket=${2#unix://}; shift 2; fi
[ "$*" = "system dial-stdio" ] || exit 64
exec perl -MIO::Socket::UNIX -e '
    my $engine = IO::Socket::UNIX->new(Peer => shift) or die "Cannot connect to the Docker daemon\n";
    sub pass { my ($from, $to) = @_; my $b; while (sysread($from, $b, 65536)) { my $o = 0;
        while ($o < length $b) { my $n = syswrite($to, $b, length($b) - $o, $o) or return; $o += $n } } }
    my $child = fork();
    if (!$child) { pass(\*STDIN, $engine); shutdown($engine, 1); exit 0 }
    pass($engine, \*STDOUT); kill "KILL", $child' "$socket""#;

pub struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
}

fn run(program: &str, words: &[&str]) {
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e} (dev/setup installs it)"));
    assert!(output.status.success(), "{program} {words:?}: {output:?}");
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Sshd {
    /// Starts it with these further lines of its configuration. On the other side `docker` is a
    /// program in `bin`, which does what `docker system dial-stdio` does.
    pub fn start(lines: &str) -> Sshd {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name).display().to_string();
        for key in ["host", "user", "other"] {
            run(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)],
            );
        }
        std::fs::copy(at("user.pub"), at("authorized")).expect("a copy");
        let user = Command::new("id").arg("-un").output().expect("id");
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        // It wants this folder where root runs it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let (port, path) = (free_port(), std::env::var("PATH").expect("PATH"));
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n\
             SetEnv PATH={}:{path}\n{lines}\n",
            at("host"),
            at("authorized"),
            at("bin"),
        );
        std::fs::write(at("sshd_config"), text).expect("a file");
        let config = format!(
            "Host box\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {}\n\
             \x20IdentitiesOnly yes\n UserKnownHostsFile {}\n GlobalKnownHostsFile none\n",
            at("user"),
            at("known"),
        );
        std::fs::write(at("ssh_config"), config).expect("a file");
        let key = std::fs::read_to_string(at("host.pub")).expect("a key");
        std::fs::write(at("known"), format!("[127.0.0.1]:{port} {key}")).expect("a file");
        std::fs::create_dir(at("bin")).expect("a directory");
        let log = std::fs::File::create(at("log")).expect("a file");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd (dev/setup installs it)");
        let sshd = Sshd { child, directory };
        // The user's `ssh` reads its configuration from here: OpenSSH looks nowhere else than at home.
        sshd.program(
            "bin/ssh",
            &format!(
                "exec /usr/bin/ssh -F {} \"$@\"",
                sshd.at("ssh_config").display()
            ),
        );
        let socket = super::Engine::here().socket.display().to_string();
        sshd.program("bin/docker", &DOCKER.replace("SOCKET", &socket));
        super::eventually("sshd listens", || {
            sshd.log().contains("listening").then_some(())
        });
        sshd
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A shell program among those of the other side (`bin`) and of this one.
    pub fn program(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// `PATH` with the user's `ssh` in front.
    pub fn path(&self) -> String {
        let path = std::env::var("PATH").expect("PATH");
        format!("{}:{path}", self.at("bin").display())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// How many connections were let in so far.
    pub fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// How many connections were refused a session so far.
    pub fn refused_sessions(&self) -> usize {
        self.log().matches("no more sessions").count()
    }

    pub fn append(&self, name: &str, text: &str) {
        let old = std::fs::read_to_string(self.at(name)).expect("a file");
        std::fs::write(self.at(name), old + text).expect("a file");
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.at(name)).expect("a file");
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
