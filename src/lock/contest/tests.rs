//! Commands in any order on a store of volumes, with pauses and deaths.

use super::super::claim::Holder;
use super::*;
use proptest::prelude::*;

const TERMS: Terms = Terms {
    lease: Duration::from_secs(12),
    renewal: Duration::from_secs(3),
    look: Duration::from_millis(250),
};

/// The engine, as far as claims go.
#[derive(Default)]
struct Store(BTreeMap<Generation, Holder>);

impl Store {
    fn create(&mut self, generation: Generation, holder: &Holder) -> Claim {
        let holder = self.0.entry(generation).or_insert_with(|| holder.clone());
        Claim {
            generation,
            holder: holder.clone(),
        }
    }

    /// What a list finds in the first or second half of the time that it takes; `how` settles what
    /// it comes to first.
    fn part(&self, how: u64, is_first: bool) -> Vec<Claim> {
        let (pivot, is_upwards) = (how / 2 % 5, how.is_multiple_of(2));
        self.0
            .iter()
            .filter(|(g, _)| ((g.step < pivot) == is_upwards) == is_first)
            .map(|(generation, holder)| Claim {
                generation: *generation,
                holder: holder.clone(),
            })
            .collect()
    }
}

#[derive(Debug, Clone)]
enum State {
    /// Has to make this turn, not before that time.
    Turn(Turn, Duration),
    /// The engine has answered; it is not read yet.
    Created(Claim),
    HalfListed(Vec<Claim>, u64),
    Listed(Vec<Claim>),
    Holding,
    Renewing(Duration),
    RenewalMade(Duration, Claim),
    RenewalHalfListed(Duration, Claim, Vec<Claim>, u64),
    Deleting(Vec<Generation>, Then),
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Withdrawn,
    Hold,
    End,
}

struct Command {
    holder: Holder,
    contest: Contest,
    state: State,
    tenure: Option<Tenure>,
    /// When what proves our claim was sent.
    proven: Duration,
    is_dead: bool,
    has_held: bool,
    /// How far its machine's clock is off.
    skew: u64,
}

impl Command {
    fn new(number: usize, file: Option<&str>, skew: u64) -> Self {
        let holder = Holder {
            token: format!("token{number}-"),
            file: file.map(str::to_owned),
            ..Holder::default()
        };
        let contest = Contest::new(TERMS, &holder.token, holder.file.clone());
        Command {
            holder,
            contest,
            state: State::Over,
            tenure: None,
            proven: Duration::ZERO,
            is_dead: false,
            has_held: false,
            skew,
        }
    }

    /// Whether it would begin a step of its change without a question.
    fn is_acting(&self, now: Duration) -> bool {
        !self.is_dead && self.tenure.is_some() && now - self.proven < TERMS.trust()
    }

    fn seconds(&self, now: Duration) -> u64 {
        1_000_000 + self.skew + now.as_secs()
    }

    fn turn(&mut self, now: Duration, turn: Turn) {
        self.state = match turn {
            Turn::Look { after } => State::Turn(turn, now + after),
            Turn::Withdraw(mine) => State::Deleting(mine, Then::Withdrawn),
            Turn::Won { tenure, left } => {
                self.tenure = Some(tenure);
                self.has_held = true;
                State::Deleting(left, Then::Hold)
            }
            Turn::Create(_) => State::Turn(turn, now),
        };
    }

    /// One thing that happens in it, or in the engine for it. `choice` settles what is open.
    fn advance(&mut self, store: &mut Store, now: Duration, choice: u64) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Turn(turn, due) if now < due => self.state = State::Turn(turn, due),
            State::Turn(Turn::Create(generation), _) => {
                self.proven = now;
                self.holder.token = self.contest.token().to_owned();
                self.state = State::Created(store.create(generation, &self.holder));
            }
            State::Turn(..) => {
                let pivot = choice % 10;
                self.state = State::HalfListed(store.part(pivot, true), pivot);
            }
            State::HalfListed(mut claims, pivot) => {
                claims.extend(store.part(pivot, false));
                self.state = State::Listed(claims);
            }
            State::Created(claim) => {
                let turn = self.contest.created(&claim);
                self.turn(now, turn);
            }
            State::Listed(claims) => {
                let turn = self.contest.listed(now, self.seconds(now), &claims);
                self.turn(now, turn);
            }
            State::Holding => {
                self.state = match choice % 4 {
                    0 => {
                        let all = self.tenure.take().unwrap().all();
                        State::Deleting(all, Then::End)
                    }
                    _ if now - self.proven >= TERMS.renewal => State::Renewing(now),
                    _ => State::Holding,
                }
            }
            State::Renewing(sent) => {
                let next = self.tenure.as_ref().unwrap().next();
                self.state = State::RenewalMade(sent, store.create(next, &self.holder));
            }
            State::RenewalMade(sent, made) => {
                let pivot = choice % 10;
                let part = store.part(pivot, true);
                self.state = State::RenewalHalfListed(sent, made, part, pivot);
            }
            State::RenewalHalfListed(sent, made, mut claims, pivot) => {
                claims.extend(store.part(pivot, false));
                match self.tenure.as_mut().unwrap().renewed(&made, &claims) {
                    Ok(obsolete) => {
                        self.proven = sent;
                        self.state = State::Deleting(obsolete, Then::Hold);
                    }
                    Err(_) => {
                        let all = self.tenure.take().unwrap().all();
                        let is_ours = |g: &Generation| {
                            store.0.get(g).is_some_and(|h| h.token == self.holder.token)
                        };
                        let ours = all.into_iter().filter(is_ours).collect();
                        self.state = State::Deleting(ours, Then::End);
                    }
                }
            }
            State::Deleting(mut list, then) => {
                if let Some(generation) = list.pop() {
                    store.0.remove(&generation);
                    self.state = State::Deleting(list, then);
                    return;
                }
                match then {
                    Then::Withdrawn => {
                        let turn = self.contest.withdrawn();
                        self.turn(now, turn);
                    }
                    Then::Hold => self.state = State::Holding,
                    Then::End => self.state = State::Over,
                }
            }
            State::Over => {}
        }
    }
}

#[track_caller]
fn at_most_one(commands: &[Command], now: Duration) {
    let acting: Vec<&str> = commands
        .iter()
        .filter(|c| c.is_acting(now))
        .map(|c| c.holder.token.as_str())
        .collect();
    assert!(acting.len() <= 1, "at {now:?} all of {acting:?} act");
}

/// Lets chance decide who goes on, who sleeps and who dies; then everybody goes on in turn.
fn play(choices: &[(u8, u16)], skews: [u64; 3]) {
    let mut store = Store::default();
    let mut now = Duration::ZERO;
    let mut commands: Vec<Command> = (0..3).map(|n| Command::new(n, None, skews[n])).collect();
    for command in &mut commands {
        let turn = command.contest.begin(command.seconds(now));
        command.turn(now, turn);
    }
    let mut deaths = 0;
    for &(who, how) in choices {
        let choice = u64::from(how);
        match who {
            0..=59 => commands[usize::from(who) % 3].advance(&mut store, now, choice),
            60..=66 => now += Duration::from_millis(choice % 700),
            67 => now += Duration::from_millis(choice % 20_000),
            68 if deaths < 2 && choice % 8 == 0 => {
                commands[usize::from(how) % 3].is_dead = true;
                deaths += 1;
            }
            _ => {}
        }
        for command in &mut commands {
            if command.is_dead {
                command.state = State::Over;
            }
        }
        at_most_one(&commands, now);
    }
    for round in 0..20_000 {
        if commands.iter().all(|c| matches!(c.state, State::Over)) {
            break;
        }
        for command in commands.iter_mut().filter(|c| !c.is_dead) {
            command.advance(&mut store, now, round);
        }
        now += Duration::from_millis(10);
        at_most_one(&commands, now);
    }
    for command in &commands {
        assert!(
            matches!(command.state, State::Over),
            "{} never ends: {:?}",
            command.holder.token,
            command.state
        );
        // It had its turn, unless it died or slept through the lease.
        assert!(command.has_held || command.is_dead, "{:?}", command.state);
    }
    let dead: Vec<&str> = commands
        .iter()
        .filter(|c| c.is_dead)
        .map(|c| c.holder.token.as_str())
        .collect();
    assert!(
        store.0.values().all(|h| dead.contains(&h.token.as_str())),
        "left: {:?}",
        store.0
    );
}

/// Whoever saw a claim long ago must not take its holder's next one for the same.
#[test]
fn a_claim_is_made_only_once() {
    let rival = |token: &str| Claim {
        generation: Generation::first(999_000),
        holder: Holder {
            token: token.into(),
            ..Holder::default()
        },
    };
    let mut command = Command::new(0, None, 0);
    let Turn::Create(generation) = command.contest.begin(1_000_000) else {
        panic!("it begins with a claim");
    };
    let mut made = rival(command.contest.token());
    made.generation = generation;
    command.contest.created(&made);
    let list = [made.clone(), rival("other")];
    let turn = command.contest.listed(Duration::ZERO, 1_000_000, &list);
    assert_eq!(turn, Turn::Withdraw(vec![generation]));
    command.contest.withdrawn();
    let again = command
        .contest
        .listed(Duration::from_secs(1), 1_000_000, &[]);
    assert_eq!(again, Turn::Create(generation));
    assert_ne!(command.contest.token(), made.holder.token);
    // A volume of an earlier attempt that could not be deleted is no rival.
    let left = command
        .contest
        .listed(Duration::from_secs(2), 1_000_000, &[made]);
    assert_eq!(left, Turn::Withdraw(vec![generation]));
}

/// Whoever takes a chain over and dies before the claims of the dead are gone leaves two in it.
#[test]
fn a_chain_of_two_dead_is_taken_over() {
    let claim = |step: u64, token: &str| Claim {
        generation: Generation { epoch: 7, step },
        holder: Holder {
            token: token.into(),
            ..Holder::default()
        },
    };
    for tokens in [["a", "z"], ["z", "a"]] {
        let mut store = Store::default();
        for (step, token) in (0..).zip(tokens) {
            let claim = claim(step, token);
            store.create(claim.generation, &claim.holder);
        }
        let mut command = Command::new(0, None, 0);
        let turn = Turn::Look {
            after: Duration::ZERO,
        };
        command.turn(Duration::ZERO, turn);
        let mut now = Duration::ZERO;
        while !command.has_held {
            command.advance(&mut store, now, 0);
            now += Duration::from_millis(50);
            assert!(now < TERMS.lease * 2, "{tokens:?}: {:?}", command.state);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn never_two_and_everybody_in_the_end(
        choices in proptest::collection::vec((0u8..69, any::<u16>()), 0..400),
        skews in any::<[u16; 3]>(),
    ) {
        play(&choices, skews.map(u64::from));
        play(&choices, [0; 3]);
    }
}
