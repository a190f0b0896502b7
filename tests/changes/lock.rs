//! The project's lock on the engine in memory, on virtual time.

use crate::on_fake::{self, on_virtual_time};
use regatta::change::{Done, agree_to_nothing, carry_out, prepare};
use regatta::engine::EngineError;
use regatta::engine::fake::{Fake, FakeImage, Fault, Way};
use regatta::event::{Events, Interest, Kind, Reporter};
use regatta::execute::{DEFAULT_LIMIT, Means};
use regatta::interrupt::{Cause, Interrupts};
use regatta::lock::{Bid, Lock, LockError, Place, Terms, acquire};
use regatta::output::words::lines;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep, timeout};

/// A machine that has commands of its own.
struct Machine {
    place: Place,
    reporter: Reporter,
    events: Events,
    interrupts: Interrupts,
}

fn machine(host: &str, directory: Option<PathBuf>) -> Machine {
    let reporter = Reporter::new("up");
    let events = reporter.subscribe(Interest::Progress);
    Machine {
        place: Place {
            directory,
            host: host.into(),
            process: 7,
            command: "regatta up".into(),
            clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            chance: regatta::lock::system_chance,
        },
        reporter,
        events,
        interrupts: Interrupts::default(),
    }
}

impl Machine {
    fn bid<'a>(&'a self, fake: &'a Fake) -> Bid<'a> {
        Bid {
            engine: fake,
            project: "shop",
            place: &self.place,
            terms: Terms::default(),
            reporter: &self.reporter,
            interrupts: &self.interrupts,
        }
    }

    async fn lock<'a>(&'a self, fake: &'a Fake) -> Lock<'a> {
        acquire(self.bid(fake)).await.expect("the lock")
    }

    /// What the user was told, as `id text details`.
    fn told(&mut self) -> Vec<String> {
        let events = self.events.drain();
        let lines = events.iter().flat_map(|event| lines(&event.kind));
        let told = lines.map(|line| format!("{} {} {}", line.id, line.text, line.details));
        told.collect()
    }
}

fn methods(fake: &Fake) -> Vec<&'static str> {
    fake.calls().into_iter().map(|c| c.method).collect()
}

#[test]
fn alone_it_takes_three_requests_and_leaves_nothing() {
    on_virtual_time(async {
        let (fake, mut here) = (Fake::new(), machine("here", None));
        let lock = here.lock(&fake).await;
        assert_eq!(lock.keep(async { 5 }).await, 5);
        assert!(lock.check().await);
        lock.release().await;
        assert_eq!(
            methods(&fake),
            ["create_volume", "list_volumes", "remove_volume"]
        );
        assert!(fake.volumes().is_empty());
        assert!(here.told().is_empty());
    });
}

#[test]
fn the_second_waits_says_for_whom_and_is_next() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (here, mut there) = (machine("here", None), machine("there", None));
        let first = here.lock(&fake).await;
        let begun = Instant::now();
        let work = async {
            first.keep(sleep(Duration::from_secs(60))).await;
            assert!(first.check().await, "{:?}", first.lost());
            first.release().await;
        };
        let second = async {
            sleep(Duration::from_secs(1)).await;
            let second = there.lock(&fake).await;
            assert!(begun.elapsed() >= Duration::from_secs(60));
            second.release().await;
        };
        tokio::join!(work, second);
        assert!(begun.elapsed() < Duration::from_secs(61));
        assert_eq!(
            there.told(),
            [
                "Project shop Waiting for regatta up on here (process 7), since 2023-11-14 \
                 22:13:20 UTC",
                "Project shop Waited ",
            ]
        );
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

#[test]
fn a_dead_holder_is_waited_for_a_lease_long() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (here, there) = (machine("here", None), machine("there", None));
        drop(here.lock(&fake).await);
        let begun = Instant::now();
        let second = there.lock(&fake).await;
        let waited = begun.elapsed();
        assert!(waited >= Duration::from_secs(12), "{waited:?}");
        assert!(waited < Duration::from_secs(13), "{waited:?}");
        second.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

#[test]
fn a_dead_holder_of_the_same_machine_is_not_waited_for() {
    on_virtual_time(async {
        let directory = tempfile::tempdir().unwrap();
        let fake = Fake::new();
        let mut here = machine("here", Some(directory.path().to_owned()));
        drop(here.lock(&fake).await);
        assert_eq!(fake.volumes().len(), 1);
        let begun = Instant::now();
        let second = here.lock(&fake).await;
        assert!(begun.elapsed() < Duration::from_millis(1));
        second.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
        assert!(here.told().is_empty());
    });
}

#[test]
fn commands_of_one_machine_wait_for_the_file() {
    on_virtual_time(async {
        let directory = tempfile::tempdir().unwrap();
        let fake = Fake::new();
        let first = machine("here", Some(directory.path().to_owned()));
        let mut second = machine("here", Some(directory.path().to_owned()));
        let lock = first.lock(&fake).await;
        let release = async {
            sleep(Duration::from_secs(30)).await;
            lock.release().await;
        };
        let ((), next) = tokio::join!(release, second.lock(&fake));
        next.release().await;
        assert!(second.told()[0].starts_with("Project shop Waiting for regatta up on here"));
        // Whoever waits for the file does not ask the engine.
        assert_eq!(fake.calls().len(), 6);
    });
}

#[test]
fn whoever_slept_through_the_lease_notices_before_the_next_step() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (here, there) = (machine("here", None), machine("there", None));
        let first = here.lock(&fake).await;
        // Nobody polls `first` now: its process is stopped.
        let second = there.lock(&fake).await;
        assert!(!first.check().await);
        let why = first.lost().expect("a reason");
        assert!(why.starts_with("regatta up on there (process 7)"), "{why}");
        first.release().await;
        assert!(second.check().await);
        second.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

#[test]
fn whoever_slept_and_finds_nobody_goes_on() {
    on_virtual_time(async {
        let (fake, here) = (Fake::new(), machine("here", None));
        let lock = here.lock(&fake).await;
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(lock.check().await);
        lock.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

#[test]
fn a_claim_that_somebody_deleted_is_lost() {
    on_virtual_time(async {
        let (fake, here) = (Fake::new(), machine("here", None));
        let lock = here.lock(&fake).await;
        for volume in fake.volumes() {
            use regatta::engine::Engine;
            fake.remove_volume(&volume.name, false).await.unwrap();
        }
        lock.keep(async { timeout(Duration::from_secs(5), lock.until_lost()).await })
            .await
            .expect("it is noticed");
        assert!(
            lock.lost()
                .is_some_and(|why| why.contains("somebody deleted it"))
        );
        lock.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

#[test]
fn an_engine_that_does_not_answer_takes_the_lock_away() {
    on_virtual_time(async {
        let (fake, here) = (Fake::new(), machine("here", None));
        let lock = here.lock(&fake).await;
        for _ in 0..100 {
            fake.fail(Fault::nth("create_volume", 0, Way::Error(unreachable())));
        }
        let begun = Instant::now();
        lock.keep(lock.until_lost()).await;
        assert!(begun.elapsed() >= Duration::from_secs(12));
        assert!(begun.elapsed() < Duration::from_secs(16));
        assert!(!lock.check().await);
    });
}

fn unreachable() -> EngineError {
    EngineError::Unreachable {
        message: "nobody".into(),
    }
}

#[test]
fn a_lost_answer_changes_nothing() {
    on_virtual_time(async {
        for method in ["create_volume", "remove_volume"] {
            for nth in 0..3 {
                let (fake, here) = (Fake::new(), machine("here", None));
                fake.fail(Fault::nth(method, nth, Way::LostAnswer));
                let lock = here.lock(&fake).await;
                lock.keep(sleep(Duration::from_secs(20))).await;
                assert!(lock.check().await);
                lock.release().await;
                assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
            }
        }
    });
}

#[test]
fn an_engine_without_volumes_for_us_is_warned_of() {
    on_virtual_time(async {
        let (fake, mut here) = (Fake::new(), machine("here", None));
        let refused = EngineError::Refused {
            status: 403,
            message: "Forbidden".into(),
        };
        fake.fail(Fault::nth("create_volume", 0, Way::Error(refused)));
        let lock = here.lock(&fake).await;
        lock.keep(sleep(Duration::from_secs(60))).await;
        assert!(lock.check().await);
        lock.release().await;
        assert_eq!(methods(&fake), ["create_volume"]);
        let events = here.events.drain();
        let last = events.last().expect("an event");
        assert!(matches!(last.kind, Kind::Warning { .. }), "{last:?}");
    });
}

#[test]
fn an_interrupted_wait_leaves_nothing() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (here, there) = (machine("here", None), machine("there", None));
        let first = here.lock(&fake).await;
        let staged = there.interrupts.in_stages();
        let (result, ()) = tokio::join!(acquire(there.bid(&fake)), async {
            sleep(Duration::from_secs(2)).await;
            there.interrupts.signal(Cause::Interrupt);
        });
        assert!(matches!(
            result,
            Err(LockError::Interrupted(Cause::Interrupt))
        ));
        drop(staged);
        first.release().await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}

/// Polls a future only while it may run, as a process that is stopped and continued.
async fn stoppable<T>(is_stopped: &std::cell::Cell<bool>, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            biased;
            // Ends at once where it is stopped, so that the other is not polled.
            () = async { if !is_stopped.get() { std::future::pending::<()>().await } } => {
                sleep(Duration::from_millis(10)).await;
            }
            result = &mut future => return result,
            () = sleep(Duration::from_millis(10)) => {}
        }
    }
}

#[test]
fn a_change_that_lost_the_project_stops_where_it_is() {
    const ONE: &str = "services: {a: {image: i}, b: {image: i, depends_on: [a]}}";
    on_virtual_time(async {
        let fake = Fake::new();
        fake.add_image(FakeImage::new("i"));
        fake.slow_down(|call| match call.method {
            "create_container" => Duration::from_secs(1),
            _ => Duration::from_millis(1),
        });
        let (here, there) = (machine("here", None), machine("there", None));
        let is_stopped = std::cell::Cell::new(false);
        let first = async {
            let lock = here.lock(&fake).await;
            let done = lock.keep(change(&fake, ONE, Some(&lock))).await;
            lock.release().await;
            done
        };
        let rest = async {
            sleep(Duration::from_millis(500)).await;
            is_stopped.set(true);
            let lock = there.lock(&fake).await;
            let two = ONE.replace("b: {", "b: {command: [x], ");
            let done = lock.keep(change(&fake, &two, Some(&lock))).await;
            assert!(done.report.is_success(), "{:?}", done.report);
            fake.forget_calls();
            is_stopped.set(false);
            sleep(Duration::from_secs(5)).await;
            // A creation that finds its name taken looks at who has it.
            let calls = fake.calls().into_iter().map(|c| c.method);
            let seen: Vec<_> = calls.filter(|m| *m != "inspect_container").collect();
            lock.release().await;
            seen
        };
        let (done, seen) = tokio::join!(stoppable(&is_stopped, first), rest);
        let why = done.report.lost.as_deref().expect("it is noticed");
        assert!(why.starts_with("regatta up on there"), "{why}");
        // It asked whose the project is, and touched nothing.
        assert_eq!(seen, ["create_volume", "list_volumes"], "{:?}", done.report);
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
        assert_eq!(fake.containers().len(), 2);
    });
}

async fn change(fake: &Fake, yaml: &str, lock: Option<&Lock<'_>>) -> Done {
    let project = on_fake::project(yaml);
    let reporter = Reporter::silent();
    let means = Means {
        engine: fake,
        reporter: &reporter,
        files: &regatta::load::disk::DiskFiles,
        proxy_environment: Default::default(),
        docker_config: None,
        limit: DEFAULT_LIMIT,
        quiet_pull: true,
        wait_limit: None,
        build: Default::default(),
        interrupts: Interrupts::default(),
        lock,
    };
    let mut options = on_fake::options();
    let mut no = agree_to_nothing;
    let prepared = prepare(fake, &project, &mut options, &mut no)
        .await
        .expect("a snapshot");
    let work = carry_out(&means, &project, prepared, &mut options, &mut no);
    work.await.expect("answers").1.expect("no obstacles")
}

/// Many commands, one after the other in some order.
#[test]
fn twenty_at_once() {
    on_virtual_time(async {
        let fake = Fake::new();
        let machines: Vec<Machine> = (0..20).map(|n| machine(&n.to_string(), None)).collect();
        let inside = std::cell::Cell::new(0);
        let all = machines.iter().map(|machine| async {
            let lock = machine.lock(&fake).await;
            lock.keep(async {
                assert_eq!(inside.replace(inside.get() + 1), 0, "one at a time");
                sleep(Duration::from_millis(300)).await;
                inside.set(inside.get() - 1);
            })
            .await;
            lock.release().await;
        });
        futures::future::join_all(all).await;
        assert!(fake.volumes().is_empty(), "{:?}", fake.volumes());
    });
}
