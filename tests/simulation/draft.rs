//! Projects made by chance, small enough that everything happens to them often.

use super::chance::Chance;
use std::fmt::Write;

/// What the processes of a service do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Server,
    /// Ends well after a while.
    Once,
    /// Cannot be started.
    Broken,
    /// Ends badly in its first moments.
    Dies,
    /// Never becomes healthy.
    Sick,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Server => "server",
            Kind::Once => "once",
            Kind::Broken => "broken",
            Kind::Dies => "dies",
            Kind::Sick => "sick",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Started,
    Healthy,
    Completed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub to: String,
    pub condition: Condition,
    pub restart: bool,
    pub required: bool,
}

/// A service of a project, so that a next version can differ from it in little.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub name: String,
    pub scale: usize,
    pub level: usize,
    pub kind: Kind,
    pub checked: bool,
    pub edges: Vec<Edge>,
    pub networks: Vec<usize>,
    pub volume: bool,
    pub anonymous: bool,
    pub shares_with: Option<String>,
    pub far_image: bool,
    /// Whether it takes its time to stop, or has to be killed.
    pub stubborn: usize,
    /// It has a `container_name`.
    pub named: bool,
    /// The host port that it publishes.
    pub port: Option<u16>,
    pub policy: Policy,
    pub hooks: bool,
    /// It gets a config whose content is copied into its containers.
    pub config: bool,
    /// In a profile that is not active.
    pub off: bool,
}

/// When the engine starts it again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    No,
    OnFailure,
    Always,
    UnlessStopped,
}

impl Policy {
    fn word(self) -> &'static str {
        match self {
            Policy::No => "\"no\"",
            Policy::OnFailure => "on-failure:2",
            Policy::Always => "always",
            Policy::UnlessStopped => "unless-stopped",
        }
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq)]
pub struct Drafts {
    pub services: Vec<Draft>,
    /// Versions of the networks' definitions.
    pub networks: [usize; 2],
}

fn percent(chance: &mut Chance, percent: usize) -> bool {
    chance.below(100) < percent
}

pub fn draft(chance: &mut Chance) -> Drafts {
    let mut services: Vec<Draft> = Vec::new();
    for i in 0..1 + chance.below(4) {
        let mut edges = Vec::new();
        for earlier in &services {
            if percent(chance, 45) {
                let condition = match (earlier.kind, chance.below(2)) {
                    (Kind::Once, _) => Condition::Completed,
                    (_, 0) if earlier.checked => Condition::Healthy,
                    _ => Condition::Started,
                };
                edges.push(Edge {
                    to: earlier.name.clone(),
                    condition,
                    restart: percent(chance, 50),
                    required: !percent(chance, 10),
                });
            }
        }
        let shares_with = services
            .iter()
            .find(|d| d.kind == Kind::Server && d.scale > 0 && percent(chance, 10))
            .map(|d| d.name.clone());
        services.push(Draft {
            name: format!("s{i}"),
            scale: [1, 1, 2, 3, 0][chance.below(5)],
            level: chance.below(2),
            kind: match percent(chance, 12) {
                true => Kind::Once,
                false => Kind::Server,
            },
            checked: percent(chance, 60),
            edges,
            networks: (0..2).filter(|_| percent(chance, 35)).collect(),
            volume: percent(chance, 30),
            anonymous: percent(chance, 40),
            shares_with,
            far_image: percent(chance, 10),
            stubborn: chance.below(3),
            named: false,
            port: None,
            policy: Policy::No,
            hooks: false,
            config: false,
            off: false,
        });
    }
    Drafts {
        services,
        networks: [0; 2],
    }
}

/// The next version: a thing or two are different.
pub fn vary(chance: &mut Chance, before: &Drafts) -> Drafts {
    let mut next = before.clone();
    let bad = percent(chance, 12);
    for draft in &mut next.services {
        if percent(chance, 30) {
            draft.scale = chance.below(4);
        }
        if percent(chance, 50) {
            draft.level += 1;
        }
        if percent(chance, 10) {
            draft.networks = (0..2).filter(|_| percent(chance, 40)).collect();
        }
        if percent(chance, 8) {
            draft.volume = !draft.volume;
        }
        if percent(chance, 8) {
            draft.anonymous = !draft.anonymous;
        }
        if bad && draft.kind == Kind::Server && percent(chance, 40) {
            draft.kind = [Kind::Broken, Kind::Dies, Kind::Sick][chance.below(3)];
        }
    }
    if percent(chance, 12) {
        next.networks[chance.below(2)] += 1;
    }
    if percent(chance, 12) && next.services.len() > 1 {
        let at = chance.below(next.services.len());
        let gone = next.services.remove(at).name;
        next.forget(&gone);
    }
    next.mend();
    next
}

impl Drafts {
    /// Removes all references to a service.
    pub fn forget(&mut self, gone: &str) {
        for draft in &mut self.services {
            draft.edges.retain(|edge| edge.to != gone);
            draft.shares_with.take_if(|owner| owner == gone);
        }
    }

    /// Nobody can share with a service that has no container, two cannot have one port or name, and
    /// nobody needs what is in no active profile.
    pub fn mend(&mut self) {
        let off = self.services.iter().filter(|d| d.off);
        let off: Vec<String> = off.map(|d| d.name.clone()).collect();
        for name in &off {
            self.forget(name);
        }
        let mut ports = Vec::new();
        for draft in &mut self.services {
            if draft.shares_with.is_some() || draft.port.is_some_and(|p| ports.contains(&p)) {
                draft.port = None;
            }
            ports.extend(draft.port);
            if draft.named || draft.port.is_some() {
                draft.scale = draft.scale.min(1);
            }
            if draft.kind == Kind::Once && draft.policy != Policy::No {
                draft.policy = Policy::OnFailure;
            }
        }
        let owners: Vec<String> = self
            .services
            .iter()
            .filter_map(|d| d.shares_with.clone())
            .collect();
        for draft in &mut self.services {
            if owners.contains(&draft.name) {
                draft.scale = draft.scale.max(1);
            }
        }
    }

    /// Whether a service depends on another, over however many.
    pub fn needs(&self, draft: &Draft, name: &str) -> bool {
        let edges = draft.edges.iter().map(|edge| &edge.to);
        let mut needed = edges.chain(&draft.shares_with);
        needed.any(|to| {
            let next = self.services.iter().find(|d| d.name == *to);
            to == name || next.is_some_and(|next| self.needs(next, name))
        })
    }

    pub fn yaml(&self) -> String {
        let mut text = String::from("name: sim\n");
        text.push_str(match self.services.is_empty() {
            true => "services: {}\n",
            false => "services:\n",
        });
        for d in &self.services {
            let image = if d.far_image { "far" } else { "busybox" };
            let _ = write!(
                text,
                "  {}:\n    image: {image}\n    scale: {}\n    environment: {{LEVEL: l{}, KIND: {}, \
                 STUBBORN: s{}}}\n",
                d.name,
                d.scale,
                d.level,
                d.kind.word(),
                d.stubborn
            );
            if d.config {
                text.insert_str(text.len() - 2, ", CONFIG: c");
                text.push_str("    configs: [c]\n");
            }
            if d.off {
                text.push_str("    profiles: [other]\n");
            }
            if d.named {
                let _ = writeln!(text, "    container_name: own-{}", d.name);
            }
            if let Some(port) = d.port {
                let _ = writeln!(text, "    ports: [\"{port}:80\"]");
            }
            if d.policy != Policy::No {
                let _ = writeln!(text, "    restart: {}", d.policy.word());
            }
            if d.hooks {
                text.push_str(
                    "    post_start: [{command: [after]}]\n    pre_stop: [{command: [before]}]\n",
                );
            }
            if d.checked || d.kind == Kind::Sick {
                text.push_str("    healthcheck: {test: [CMD, \"true\"], interval: 1s}\n");
            }
            if !d.edges.is_empty() {
                text.push_str("    depends_on:\n");
            }
            for edge in &d.edges {
                let condition = match edge.condition {
                    Condition::Started => "service_started",
                    Condition::Healthy => "service_healthy",
                    Condition::Completed => "service_completed_successfully",
                };
                let _ = writeln!(
                    text,
                    "      {}: {{condition: {condition}, restart: {}, required: {}}}",
                    edge.to, edge.restart, edge.required
                );
            }
            if let Some(owner) = &d.shares_with {
                let _ = writeln!(text, "    network_mode: service:{owner}");
            } else if !d.networks.is_empty() {
                let names: Vec<String> = d.networks.iter().map(|n| format!("n{n}")).collect();
                let _ = writeln!(text, "    networks: [{}]", names.join(", "));
            }
            let mut volumes = Vec::new();
            volumes.extend(d.volume.then_some("data:/data"));
            volumes.extend(d.anonymous.then_some("/scratch"));
            if !volumes.is_empty() {
                let _ = writeln!(text, "    volumes: [\"{}\"]", volumes.join("\", \""));
            }
        }
        let [first, second] = self.networks;
        let _ = write!(
            text,
            "networks: {{n0: {{labels: {{v: v{first}}}}}, n1: {{labels: {{v: v{second}}}}}}}\n\
             volumes: {{data: {{}}}}\n"
        );
        if self.services.iter().any(|d| d.config) {
            // It changes with the first service, and so for others that stay as they are.
            let level = self.services.first().map_or(0, |d| d.level);
            let _ = writeln!(text, "configs: {{c: {{content: text {level}}}}}");
        }
        text
    }
}
