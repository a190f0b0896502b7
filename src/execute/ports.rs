//! Who holds a port that a container could not get.

use super::Walk;
use super::failure::Trouble;
use crate::engine::{ContainerFilter, EngineError};
use crate::labels;
use crate::service::Service;
use std::fs;

/// Words of the engine for a host port that is taken.
const TAKEN: [&str; 3] = [
    "port is already allocated",
    "address already in use",
    "ports are not available",
];

impl Walk<'_> {
    /// Turns the engine's refusal of a start into the user's terms.
    pub(super) async fn explain_start(&self, service: &str, error: EngineError) -> Trouble {
        let text = error.message().to_owned();
        let trouble = Trouble::from(error);
        // The container remembers its network by an id.
        let trouble = match names_a_lost_network(&text) {
            true => trouble.help(
                "a network of the container was removed since it last ran; `up` puts the service \
                 on the network of that name",
            ),
            false => trouble,
        };
        let Ok(service) = self.service(service) else {
            return trouble;
        };
        if text.contains("Address already in use") {
            return self.explain_taken_address(service, trouble).await;
        }
        if !TAKEN.iter().any(|words| text.contains(words)) {
            let attribute = match text.contains("exec: ") {
                true if service.command.is_some() => ".command",
                true if service.entrypoint.is_some() => ".entrypoint",
                _ => "",
            };
            return trouble.at(format!("services.{}{attribute}", service.name));
        }
        let Some((index, port)) = refused_port(service, &text) else {
            return trouble.at(format!("services.{}.ports", service.name));
        };
        let holder = match self.holding_container(port).await {
            Some(name) => Some(name),
            None => holding_process(port),
        };
        let by = holder
            .map(|h| format!(": {h} holds it"))
            .unwrap_or_default();
        Trouble::new(format!("host port {port} is taken{by}"))
            .at(format!("services.{}.ports[{index}]", service.name))
            .help(format!(
                "stop what holds port {port}, or publish another host port"
            ))
    }

    async fn holding_container(&self, port: u16) -> Option<String> {
        let filter = ContainerFilter::default();
        let all = self.means.engine.list_containers(filter).await.ok()?;
        let holder = all
            .into_iter()
            .find(|c| c.ports.iter().any(|p| p.public == Some(port)))?;
        Some(match holder.labels.get(labels::PROJECT) {
            Some(project) => format!("container {} of project {project}", holder.name),
            None => format!("container {}", holder.name),
        })
    }
}

/// Whether the engine misses a network by its id.
fn names_a_lost_network(text: &str) -> bool {
    text.split("network ").skip(1).any(|rest| {
        let id = rest.split_once(" not found").map(|(id, _)| id);
        id.is_some_and(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// The service's port that the engine's words are about: `index` in `ports`, and the host port.
fn refused_port(service: &Service, text: &str) -> Option<(usize, u16)> {
    let numbers: Vec<u16> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect();
    let candidates = || {
        service
            .ports
            .iter()
            .enumerate()
            .filter_map(|(i, p)| Some((i, p.host_port()?)))
    };
    candidates()
        .find(|(_, port)| {
            text.contains(&format!(":{port} ")) || text.contains(&format!(":{port}:"))
        })
        .or_else(|| candidates().find(|(_, port)| numbers.contains(port)))
}

/// The process of this machine that listens on a TCP port, as the kernel's tables tell it
/// (Linux; elsewhere nobody is found).
fn holding_process(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let pid = socket_owner(&format!("socket:[{inode}]"))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim()))
}

/// The process that has the socket open, as far as we may look.
fn socket_owner(socket: &str) -> Option<u32> {
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let open = fs::read_dir(process.path().join("fd")).ok()?;
        open.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == socket))
            .then_some(pid)
    })
}

/// The socket that listens on the port, in the kernel's table of TCP sockets.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        let matches = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
        matches.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::port::Port;

    #[test]
    fn the_kernels_table_names_the_socket() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
        assert_eq!(listening_inode(table, 8080), Some(4711));
        assert_eq!(listening_inode(table, 8081), None);
    }

    #[test]
    fn a_lost_network_is_told_by_its_id() {
        let lost = format!("network {} not found", "0f".repeat(32));
        assert!(names_a_lost_network(&format!("failed to set up: {lost}")));
        assert!(!names_a_lost_network("network driver weave not found"));
        assert!(!names_a_lost_network("exec: sh: not found"));
    }

    #[test]
    fn the_engines_words_lead_to_the_line() {
        let port = |published: &str| Port {
            target: 80,
            published: Some(published.into()),
            ..Port::default()
        };
        let service = Service {
            ports: vec![port("80"), port("8080")],
            ..Service::default()
        };
        for text in [
            "driver failed programming external connectivity on endpoint a: \
             Bind for 0.0.0.0:8080 failed: port is already allocated",
            "failed to bind host port for 127.0.0.1:8080:172.18.0.2:80/tcp: address already in use",
        ] {
            assert_eq!(refused_port(&service, text), Some((1, 8080)), "{text}");
        }
    }
}
