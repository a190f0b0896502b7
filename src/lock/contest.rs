//! The rules by which several commands that claim a project at once agree on one of them.
//!
//! Nothing here talks to anybody: a [`Contest`] says what to do next and is told what came of it,
//! with the time by the teller's own clock. Clocks of two machines are never compared.
//!
//! 1. Whoever has made a claim looks at all claims afterwards. It has won if there is no other
//!    but those it takes over; else it withdraws and waits. Of two that claim at once at least the
//!    later one sees the other, so never both win.
//! 2. A claim that did not change for a whole lease while we looked on, or whose holder is known
//!    to be dead, is taken over: by making the next volume of its chain, which is also what its
//!    holder would do to renew it. Only one of them makes it.
//! 3. A holder renews its claim long before the lease is over, begins nothing when the last
//!    renewal is too long ago, and has lost when it cannot make the next volume of its chain or
//!    its last one is gone ([`Tenure`]).

use super::claim::{Claim, Generation};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A claim that does not change for so long is nobody's any more.
    pub lease: Duration,
    /// A holder renews its claim this often.
    pub renewal: Duration,
    /// How often a waiting command looks.
    pub look: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            lease: Duration::from_secs(12),
            renewal: Duration::from_secs(3),
            look: Duration::from_millis(250),
        }
    }
}

impl Terms {
    /// A holder that has not renewed for so long begins nothing before it has: half a lease, so
    /// that what it begins is on its way before anybody may take over.
    pub fn trust(&self) -> Duration {
        self.lease / 2
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Make this claim, and tell [`Contest::created`] which command holds it then.
    Create(Generation),
    /// List all claims after this time, and tell [`Contest::listed`].
    Look { after: Duration },
    /// Delete these own claims, and tell [`Contest::withdrawn`].
    Withdraw(Vec<Generation>),
    /// It is ours. `left` are claims taken over, to be deleted.
    Won {
        tenure: Tenure,
        left: Vec<Generation>,
    },
}

/// What a claim looked like, and since when.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    top: Generation,
    since: Duration,
}

/// One command's part in the contest for one project.
#[derive(Debug, Clone)]
pub struct Contest {
    terms: Terms,
    /// What our claims are known by: a new one after each withdrawal, so that no volume ever
    /// looks like one that was there before, and somebody may have seen long ago.
    token: String,
    /// What all our tokens begin with.
    base: String,
    /// The file on this machine that only we have locked now.
    file: Option<String>,
    /// Others by token.
    seen: BTreeMap<String, Sighting>,
    /// Claims of ours, unproven.
    mine: BTreeSet<Generation>,
    /// Still to be made, to take over every chain.
    todo: Vec<Generation>,
    /// The holders that we take over from, by token, with the last generation we know of.
    over: BTreeMap<String, Generation>,
    waits_for: Option<Claim>,
    /// How often we have withdrawn.
    defeats: u32,
}

impl Contest {
    /// `file` identifies the file lock that its caller holds; `None` where it holds none.
    pub fn new(terms: Terms, token: &str, file: Option<String>) -> Self {
        Contest {
            terms,
            token: token.to_owned(),
            base: token.to_owned(),
            file,
            seen: BTreeMap::new(),
            mine: BTreeSet::new(),
            todo: Vec::new(),
            over: BTreeMap::new(),
            waits_for: None,
            defeats: 0,
        }
    }

    /// The token to make the next claim with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The first turn: most often nobody else is there. `seconds` since the epoch.
    pub fn begin(&mut self, seconds: u64) -> Turn {
        Turn::Create(Generation::first(seconds))
    }

    /// The claim that keeps us waiting.
    pub fn waits_for(&self) -> Option<&Claim> {
        self.waits_for.as_ref()
    }

    /// A claim was made, or was there already: `claim` is what is there now.
    pub fn created(&mut self, claim: &Claim) -> Turn {
        if claim.holder.token == self.token {
            self.mine.insert(claim.generation);
            return match self.todo.pop() {
                Some(next) => Turn::Create(next),
                None => Turn::Look {
                    after: Duration::ZERO,
                },
            };
        }
        self.todo.clear();
        self.over.clear();
        match self.mine.is_empty() {
            true => Turn::Look {
                after: Duration::ZERO,
            },
            false => self.withdraw(),
        }
    }

    /// `claims` are all there are, `now` the time since any moment, `seconds` since the epoch.
    pub fn listed(&mut self, now: Duration, seconds: u64, claims: &[Claim]) -> Turn {
        let mut tops: BTreeMap<&str, &Claim> = BTreeMap::new();
        let mut stray = Vec::new();
        for claim in claims {
            let token = claim.holder.token.as_str();
            if token.starts_with(&self.base) {
                stray.push(claim.generation);
                continue;
            }
            let top = tops.entry(token).or_insert(claim);
            if claim.generation > top.generation {
                *top = claim;
            }
        }
        if !self.mine.is_empty() {
            return self.prove(claims, &tops);
        }
        if !stray.is_empty() {
            return Turn::Withdraw(stray);
        }
        self.seen
            .retain(|token, _| tops.contains_key(token.as_str()));
        for (token, claim) in &tops {
            let fresh = Sighting {
                top: claim.generation,
                since: now,
            };
            let sighting = self.seen.entry((*token).to_owned()).or_insert(fresh);
            if sighting.top != claim.generation {
                *sighting = fresh;
            }
        }
        self.waits_for = tops
            .values()
            .find(|claim| !self.is_over(claim, now))
            .map(|claim| (*claim).clone());
        if self.waits_for.is_some() {
            return Turn::Look {
                after: self.terms.look,
            };
        }
        if tops.is_empty() {
            return Turn::Create(Generation::first(seconds));
        }
        self.over = tops
            .iter()
            .map(|(token, claim)| ((*token).to_owned(), claim.generation))
            .collect();
        // Two of them may be of one chain: the later one had taken it over, and died before the
        // other's claim was gone.
        let mut ends: BTreeMap<u64, Generation> = BTreeMap::new();
        for claim in tops.values() {
            let end = ends.entry(claim.generation.epoch);
            let end = end.or_insert(claim.generation);
            *end = claim.generation.max(*end);
        }
        self.todo = ends.values().map(|end| end.next()).collect();
        match self.todo.pop() {
            Some(next) => Turn::Create(next),
            None => Turn::Create(Generation::first(seconds)),
        }
    }

    /// Own claims were deleted. The time to wait differs among those that withdrew from each
    /// other, so that they do not meet for ever.
    pub fn withdrawn(&mut self) -> Turn {
        self.mine.clear();
        self.defeats += 1;
        self.token = format!("{}.{}", self.base, self.defeats);
        let mut hash = std::hash::DefaultHasher::new();
        (&self.token, self.defeats).hash(&mut hash);
        let share = f64::from(hash.finish() as u32) / f64::from(u32::MAX);
        Turn::Look {
            after: self.terms.look.mul_f64(0.5 + share),
        }
    }

    /// What to delete when we want it no more.
    pub fn mine(&self) -> Vec<Generation> {
        self.mine.iter().copied().collect()
    }

    fn withdraw(&mut self) -> Turn {
        self.todo.clear();
        self.over.clear();
        Turn::Withdraw(self.mine())
    }

    /// Whether the claim is nobody's any more: its holder kept a file locked which now is ours,
    /// or it has not changed for a lease.
    fn is_over(&self, claim: &Claim, now: Duration) -> bool {
        let is_dead = claim.holder.file.is_some() && claim.holder.file == self.file;
        is_dead
            || self
                .seen
                .get(&claim.holder.token)
                .is_some_and(|s| now.saturating_sub(s.since) >= self.terms.lease)
    }

    fn prove(&mut self, claims: &[Claim], tops: &BTreeMap<&str, &Claim>) -> Turn {
        let is_proven = tops
            .iter()
            .all(|(token, claim)| self.over.get(*token) == Some(&claim.generation));
        let is_there = claims
            .iter()
            .any(|c| self.mine.contains(&c.generation) && c.holder.token == self.token);
        let (true, true, Some(top)) = (is_proven, is_there, self.mine.last()) else {
            self.waits_for = tops.values().next().map(|claim| (*claim).clone());
            return self.withdraw();
        };
        let mut older = self.mine.clone();
        older.remove(top);
        Turn::Won {
            tenure: Tenure {
                token: self.token.clone(),
                top: *top,
                older,
            },
            left: claims
                .iter()
                .filter(|c| c.holder.token != self.token)
                .map(|c| c.generation)
                .collect(),
        }
    }
}

/// A claim that was won, and is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure {
    token: String,
    top: Generation,
    /// Volumes of ours before the last one.
    older: BTreeSet<Generation>,
}

impl Tenure {
    /// What to make to renew it.
    pub fn next(&self) -> Generation {
        self.top.next()
    }

    /// Judges a renewal: `made` is what stands at [`Tenure::next`] now, `claims` is a list from
    /// after that. Gives what to delete: the last but one stays, so that a list taken during the
    /// next renewal shows one of ours.
    ///
    /// # Errors
    /// It is lost, to the claim given where there is one. Nothing must be done any more.
    pub fn renewed(
        &mut self,
        made: &Claim,
        claims: &[Claim],
    ) -> Result<Vec<Generation>, Option<Claim>> {
        if made.holder.token != self.token {
            return Err(Some(made.clone()));
        }
        let is_ours = |c: &&Claim| c.holder.token == self.token;
        // While it was there nobody else can have won; where it is gone, somebody may have.
        if !claims
            .iter()
            .filter(is_ours)
            .any(|c| c.generation == self.top)
        {
            self.older.insert(made.generation);
            return Err(claims.iter().find(|c| !is_ours(c)).cloned());
        }
        let obsolete = std::mem::take(&mut self.older);
        self.older.insert(self.top);
        self.top = made.generation;
        Ok(obsolete.into_iter().collect())
    }

    /// All volumes of ours, the last one last: what to delete at the end.
    pub fn all(&self) -> Vec<Generation> {
        let mut all: Vec<Generation> = self.older.iter().copied().collect();
        all.push(self.top);
        all
    }
}

#[cfg(test)]
mod tests;
