//! Which anonymous volumes may hold data, and in which containers they are found again.
//!
//! A container that never ran has made none, but as a successor it may have taken over volumes that
//! do. From whom, its temporary name tells.

use super::{Observed, ObservedContainer, PREFIX};
use crate::engine::{ContainerState, MountPoint};
use crate::labels;

/// What the temporary names of a container's successors begin with: the first twelve digits of its
/// id, as with Docker Compose, or the next ones where that name is taken.
fn prefixes(id: &str) -> impl Iterator<Item = &str> {
    let starts = (0..=id.len().saturating_sub(PREFIX)).step_by(PREFIX);
    starts.filter_map(move |at| id.get(at..(at + PREFIX).min(id.len())))
}

impl Observed {
    /// The name to create a successor of `old` under, whose own name is to be `name`. A recreation
    /// that was cut short may have left a container with the usual one, which is still there when
    /// the next is created: `siblings` are those of the service that are there then. Where it takes
    /// over the volumes of others, too (not with `renewed` ones), the name leads to none.
    pub fn temporary_name(
        &self,
        old: &ObservedContainer,
        siblings: &[&ObservedContainer],
        name: &str,
        renewed: bool,
    ) -> String {
        let is_free = |candidate: &String| siblings.iter().all(|c| c.name != *candidate);
        let telling = prefixes(&old.id).map(str::to_owned);
        let tells = renewed || self.data_beside(old).next().is_none();
        let telling = telling.filter(|_| tells);
        // Told by those with its number only, it is the same for the next run, which so meets what
        // one that was killed has asked for and the engine has not made yet.
        let alike = siblings.iter().filter(|c| c.number == old.number).count();
        let others = (alike..).map(|number| format!("{number:012x}"));
        let mut candidates = telling.chain(others).map(|p| format!("{p}_{name}"));
        candidates.find(is_free).unwrap_or_default()
    }

    /// Whether a container's anonymous volumes can go with it. One that never ran has no data, and
    /// nobody would find its volumes again; unless it was to take over those of another, which are
    /// known only as long as that one is there.
    pub fn has_only_empty_volumes(&self, container: &ObservedContainer) -> bool {
        if container.state != ContainerState::Created {
            return false;
        }
        if !container.summary.labels.contains_key(labels::REPLACE) {
            return true;
        }
        let prefix = container.name.strip_suffix(container.final_name());
        let prefix = prefix.unwrap_or_default().trim_end_matches('_');
        let mut others = self.replicas().filter(|c| c.id != container.id);
        !prefix.is_empty()
            && others.any(|c| prefixes(&c.id).any(|p| p == prefix) && !share_data(c, container))
    }

    /// Whether a container never ran, and all the anonymous volumes that it was to take over are
    /// still there in another that did: it is not needed for them.
    pub fn has_only_borrowed_volumes(&self, container: &ObservedContainer) -> bool {
        let has = |volume: &str| {
            let mut others = self.replicas_of(&container.service).iter();
            others.any(|c| {
                c.state != ContainerState::Created && c.volumes.iter().any(|name| name == volume)
            })
        };
        let mut volumes = container.anonymous_volumes();
        container.state == ContainerState::Created && volumes.all(|m| has(&m.name))
    }

    /// The others with a container's number whose anonymous volumes may hold data, those that ran
    /// first: what recreations that were interrupted have left.
    pub fn data_beside(
        &self,
        container: &ObservedContainer,
    ) -> impl Iterator<Item = &ObservedContainer> {
        let siblings = || self.replicas_of(&container.service).iter();
        let ran = siblings().filter(|c| c.state != ContainerState::Created);
        let all = ran.chain(siblings().filter(|c| c.state == ContainerState::Created));
        all.filter(|c| c.id != container.id && c.number.is_some() && c.number == container.number)
            .filter(|c| c.anonymous_volumes().next().is_some())
            .filter(|c| !self.has_only_empty_volumes(c))
    }
}

impl ObservedContainer {
    /// Whether it has anonymous volumes where the other mounts nothing.
    pub fn has_data_beyond(&self, other: &ObservedContainer) -> bool {
        self.anonymous_volumes().any(|own| {
            let mut theirs = other.summary.mounts.iter();
            !theirs.any(|m| m.destination == own.destination)
        })
    }

    /// What mounts a volume that nobody named.
    pub fn anonymous_volumes(&self) -> impl Iterator<Item = &MountPoint> {
        let mounts = self.summary.mounts.iter();
        mounts.filter(|m| m.kind == "volume" && is_anonymous(&m.name))
    }
}

fn share_data(one: &ObservedContainer, other: &ObservedContainer) -> bool {
    let mut anonymous = one.anonymous_volumes();
    anonymous.any(|m| other.volumes.contains(&m.name))
}

/// The engine names a volume that nobody named by 64 hexadecimal digits.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ContainerSummary;

    fn replica(name: &str, number: u32, volume: &str) -> ObservedContainer {
        let mount = MountPoint {
            kind: "volume".into(),
            name: volume.repeat(64),
            destination: "/scratch".into(),
            ..MountPoint::default()
        };
        ObservedContainer {
            id: name.to_owned(),
            name: name.to_owned(),
            service: "web".into(),
            number: Some(number),
            state: ContainerState::Exited,
            summary: ContainerSummary {
                mounts: vec![mount],
                ..ContainerSummary::default()
            },
            ..ObservedContainer::default()
        }
    }

    fn named(observed: &Observed, old: &ObservedContainer, renewed: bool) -> String {
        let siblings: Vec<_> = observed.replicas_of("web").iter().collect();
        observed.temporary_name(old, &siblings, "shop-web-1", renewed)
    }

    /// A run that was killed has asked for successors of others, too, which were made meanwhile.
    #[test]
    fn the_temporary_name_is_the_same_whatever_was_made_of_other_numbers() {
        let old = replica("shop-web-1", 1, "a");
        let unproven = replica("0123456789ab_shop-web-1", 1, "b");
        let mut observed = Observed::default();
        let both = vec![old.clone(), unproven.clone()];
        observed.services.insert("web".into(), both);
        let before = named(&observed, &old, false);
        assert_eq!(before, "000000000002_shop-web-1");
        let other = replica("0123456789ab_shop-web-2", 2, "c");
        let more = vec![old.clone(), unproven, other];
        observed.services.insert("web".into(), more);
        assert_eq!(named(&observed, &old, false), before);
    }

    /// Its volumes are its own, so that they can go with it.
    #[test]
    fn a_successor_that_takes_over_nothing_tells_whom_it_replaces_also_where_others_have_data() {
        let old = replica("0123456789ab", 1, "a");
        let unproven = replica("ba9876543210_shop-web-1", 1, "b");
        let mut observed = Observed::default();
        let mut all = vec![old.clone(), unproven];
        observed.services.insert("web".into(), all.clone());
        let name = named(&observed, &old, true);
        assert_eq!(name, "0123456789ab_shop-web-1");
        let mut new = replica(&name, 1, "c");
        new.state = ContainerState::Created;
        let replaced = (labels::REPLACE.to_owned(), "web-1".to_owned());
        new.summary.labels = [replaced].into();
        new.summary
            .labels
            .insert(labels::SERVICE.to_owned(), "web".to_owned());
        all.push(new.clone());
        observed.services.insert("web".into(), all);
        assert!(observed.has_only_empty_volumes(&new));
    }
}
