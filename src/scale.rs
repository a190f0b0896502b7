//! Replica numbers, and what follows from a number: which replicas to keep, add, replace, remove.

use std::collections::BTreeSet;

/// The number of a replica, counted from 1; part of its container's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaNumber(pub u32);

/// How many replicas a service may have; a plan holds a few steps for each. Ten times as many may
/// all services together have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub u32);

impl Default for Limit {
    /// More than any machine runs.
    fn default() -> Self {
        Limit(10_000)
    }
}

impl Limit {
    /// The variable that says another.
    pub const VARIABLE: &str = "REGATTA_MAX_REPLICAS";

    /// How many all services together may have.
    pub fn total(self) -> u64 {
        u64::from(self.0) * 10
    }

    /// What is wrong about a number of replicas of one service.
    pub fn exceeded(self, replicas: u32) -> Option<String> {
        let Limit(most) = self;
        (replicas > most)
            .then(|| format!("{replicas} replicas are too many: a service may have {most}"))
    }

    /// How to have more.
    pub fn help(self) -> String {
        format!("{}=NUMBER in the environment allows more", Self::VARIABLE)
    }
}

/// A replica that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica<T> {
    pub number: ReplicaNumber,
    /// It is not what the project asks for any more.
    pub diverged: bool,
    /// It was created, but never ran.
    pub unstarted: bool,
    /// What the caller knows it by.
    pub of: T,
}

/// What becomes of a service's replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaling<T> {
    /// As they should be.
    pub keep: Vec<Replica<T>>,
    /// To be recreated under their number.
    pub replace: Vec<Replica<T>>,
    /// Too many.
    pub remove: Vec<Replica<T>>,
    /// New numbers, above all that ever ran: gaps are not filled again (Compose's rule), but for
    /// those that a scaling up leaves when it is cut short, with a higher one created already.
    pub add: Vec<ReplicaNumber>,
}

/// Decides over the replicas there are, so that `wanted` stay. The surplus goes diverged ones
/// first, then from the highest number down.
pub fn scale<T>(mut present: Vec<Replica<T>>, wanted: u32) -> Scaling<T> {
    present.sort_by_key(|r| (r.diverged, r.number));
    let taken: BTreeSet<u32> = present.iter().map(|r| r.number.0).collect();
    let ran = present.iter().filter(|r| !r.unstarted);
    let highest = ran.map(|r| r.number.0).max().unwrap_or(0);
    let remove = present.split_off(present.len().min(wanted as usize));
    let missing = wanted - present.len() as u32;
    let (replace, keep) = present.into_iter().partition(|r| r.diverged);
    Scaling {
        keep,
        replace,
        remove,
        add: (highest + 1..)
            .filter(|number| !taken.contains(number))
            .take(missing as usize)
            .map(ReplicaNumber)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &[Replica<()>]) -> Vec<u32> {
        list.iter().map(|r| r.number.0).collect()
    }

    /// `present`: numbers, a negative one is diverged.
    fn check(
        present: &[i32],
        wanted: u32,
        keep: &[u32],
        replace: &[u32],
        remove: &[u32],
        add: &[u32],
    ) {
        let present = present
            .iter()
            .map(|n| Replica {
                number: ReplicaNumber(n.unsigned_abs()),
                diverged: *n < 0,
                unstarted: false,
                of: (),
            })
            .collect();
        let s = scale(present, wanted);
        let added: Vec<u32> = s.add.iter().map(|n| n.0).collect();
        assert_eq!(
            (
                numbers(&s.keep),
                numbers(&s.replace),
                numbers(&s.remove),
                added
            ),
            (
                keep.to_vec(),
                replace.to_vec(),
                remove.to_vec(),
                add.to_vec()
            )
        );
    }

    #[test]
    fn from_nothing() {
        check(&[], 3, &[], &[], &[], &[1, 2, 3]);
    }

    #[test]
    fn up_numbers_above_the_highest() {
        check(&[1, 3], 4, &[1, 3], &[], &[], &[4, 5]);
    }

    #[test]
    fn a_scaling_up_that_was_cut_short_ends_with_the_same_numbers() {
        let present = |number, unstarted| Replica {
            number: ReplicaNumber(number),
            diverged: false,
            unstarted,
            of: (),
        };
        let added = |present, wanted| -> Vec<u32> {
            scale(present, wanted).add.iter().map(|n| n.0).collect()
        };
        assert_eq!(added(vec![present(1, false), present(3, true)], 3), [2]);
        assert_eq!(added(vec![present(3, true)], 4), [1, 2, 4]);
        assert_eq!(added(vec![present(2, false), present(4, true)], 4), [3, 5]);
    }

    #[test]
    fn down_takes_the_highest_first() {
        check(&[1, 2, 3], 1, &[1], &[], &[2, 3], &[]);
        check(&[1, 2], 0, &[], &[], &[1, 2], &[]);
    }

    #[test]
    fn the_diverged_go_first_and_keep_their_number() {
        check(&[-1, 2, 3], 2, &[2, 3], &[], &[1], &[]);
        check(&[-1, 2], 2, &[2], &[1], &[], &[]);
        check(&[-1, -2], 3, &[], &[1, 2], &[], &[3]);
    }
}
