//! What a change tells while it goes on: its plan, every step, what waits see, and how it ended.

use crate::on_fake::{OneFile, means, on_virtual_time, options, project, refused};
use regatta::change::{agree_to_nothing, carry_out, prepare};
use regatta::engine::fake::{Fake, Script};
use regatta::event::{
    Awaited, Ending, Event, Found, Interest, Kind, Operation, Part, Reporter, ResourceKind, Summary,
};
use regatta::execute::Report;
use regatta::output::outlet::Stream;
use regatta::output::{Mode, replay};
use regatta::project::Project;
use std::collections::BTreeMap;
use std::time::Duration;

const SHOP: &str = "\
name: shop
services:
  db: {image: busybox, healthcheck: {test: [CMD, \"true\"], interval: 1s}}
  web: {image: busybox, scale: 2, depends_on: {db: {condition: service_healthy}}}
";

/// Brings a project up; gives what became of it, all the events, and those of a screen.
async fn up(fake: &Fake, project: &Project) -> (Report, Vec<Event>, Vec<Event>) {
    let (reporter, files) = (Reporter::new("up"), OneFile::empty());
    let mut record = reporter.subscribe(Interest::Everything);
    let mut screen = reporter.subscribe(Interest::Progress);
    let means = means(fake, &reporter, &files);
    let (mut options, no) = (options(), &mut agree_to_nothing);
    let prepared = prepare(fake, project, &mut options, no).await;
    let prepared = prepared.expect("a snapshot");
    let done = carry_out(&means, project, prepared, &mut options, no).await;
    let report = done.expect("an answer").1.expect("no obstacle").report;
    let [record, screen] = [&mut record, &mut screen].map(|events| {
        let events = events.drain();
        events.iter().map(|event| Event::clone(event)).collect()
    });
    (report, record, screen)
}

/// Only `db` has a healthcheck; it is well after a second.
fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| match body["Healthcheck"].is_object() {
        true => Script::healthy(Duration::from_secs(1)),
        false => Script::default(),
    });
    fake
}

#[test]
fn a_run_tells_its_plan_every_step_and_how_it_ended() {
    on_virtual_time(async {
        let (report, events, _) = up(&engine(), &project(SHOP)).await;
        assert!(report.is_success());
        let kinds: Vec<&Kind> = events.iter().map(|event| &event.kind).collect();
        let Kind::CommandStarted { command } = kinds[0] else {
            panic!("{:?}", kinds[0]);
        };
        assert_eq!(command, "up");
        let Kind::RunStarted { steps } = kinds[1] else {
            panic!("{:?}", kinds[1]);
        };
        let Some(Kind::RunEnded { summary }) = kinds.last() else {
            panic!("{kinds:#?}");
        };
        let expected = Summary {
            done: steps.len(),
            ..Summary::default()
        };
        assert_eq!(*summary, expected);
        // Every step of the plan begins once and ends once, after all that it waits for.
        let (mut begun, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for (at, kind) in kinds.iter().enumerate() {
            match kind {
                Kind::StepStarted { step } => {
                    assert_eq!(begun.insert(step.id, at), None);
                    assert_eq!(steps[step.id].step, *step, "as the plan names it");
                }
                Kind::StepFinished { step, ending, .. } => {
                    assert_eq!(*ending, Ending::Done);
                    assert_eq!(ended.insert(step.id, at), None);
                }
                _ => {}
            }
        }
        assert_eq!(begun.len(), steps.len());
        for planned in steps {
            let id = planned.step.id;
            assert!(begun[&id] < ended[&id]);
            assert!(planned.after.iter().all(|after| ended[after] < begun[&id]));
            assert!(!planned.cause.is_empty(), "{planned:?}");
        }
        let created = steps
            .iter()
            .find(|s| s.step.operation == Operation::CreateContainer && s.step.number == Some(2));
        let created = &created.expect("the second replica").step;
        assert_eq!(created.resource.kind, ResourceKind::Container);
        assert_eq!(created.resource.name, "shop-web-2");
        assert_eq!(created.service.as_deref(), Some("web"));
        assert_eq!(created.part, Part::Whole);
    });
}

#[test]
fn a_wait_tells_what_it_saw_until_it_was_met() {
    on_virtual_time(async {
        let (_, events, screen) = up(&engine(), &project(SHOP)).await;
        let of_db: Vec<&Kind> = events
            .iter()
            .map(|event| &event.kind)
            .filter(|kind| match kind {
                Kind::WaitStarted { resource, .. }
                | Kind::WaitProbed { resource, .. }
                | Kind::WaitMet { resource, .. } => resource.name == "shop-db-1",
                _ => false,
            })
            .collect();
        let [
            Kind::WaitStarted { service, until, .. },
            probes @ ..,
            Kind::WaitMet { found, .. },
        ] = of_db.as_slice()
        else {
            panic!("{of_db:#?}");
        };
        assert_eq!((service.as_str(), *until), ("db", Awaited::Healthy));
        assert_eq!(*found, Found::Healthy);
        let Some(Kind::WaitProbed { probe, .. }) = probes.last() else {
            panic!("{of_db:#?}");
        };
        assert_eq!(probe.state, "running");
        assert_eq!(probe.health.as_deref(), Some("starting"));
        // A screen is told of none of that.
        let is_probe = |event: &Event| matches!(event.kind, Kind::WaitProbed { .. });
        assert!(events.iter().any(is_probe) && !screen.iter().any(is_probe));
    });
}

#[test]
fn a_failure_is_told_of_where_it_happened() {
    on_virtual_time(async {
        let fake = engine();
        fake.fail(refused("create_network", 0));
        let (report, events, _) = up(&fake, &project(SHOP)).await;
        let failed: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::StepFailed { step, message, .. } => {
                    Some((step.resource.to_string(), message.as_str()))
                }
                _ => None,
            })
            .collect();
        let [(resource, message)] = failed.as_slice() else {
            panic!("{failed:?}");
        };
        assert_eq!(resource, "Network shop_default");
        assert!(message.contains("create_network is refused"), "{message}");
        let Some(Kind::RunEnded { summary }) = events.last().map(|event| &event.kind) else {
            panic!("{events:#?}");
        };
        assert_eq!(*summary, report.summary());
        assert_eq!(summary.failed, 1);
        assert!(summary.skipped > 0, "{summary:?}");
    });
}

#[test]
fn a_record_of_a_run_replays_to_what_its_screen_showed() {
    on_virtual_time(async {
        let (_, record, screen) = up(&engine(), &project(SHOP)).await;
        let lines: Vec<String> = record
            .iter()
            .map(|event| serde_json::to_string(event).expect("JSON"))
            .collect();
        let read: Vec<Event> = lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("an event"))
            .collect();
        assert_eq!(read, record);
        for mode in [Mode::Plain, Mode::Json, Mode::Quiet, Mode::Tty] {
            let size = || (80, 24);
            let [shown, again] = [&screen, &read].map(|e| replay(e, mode, true, size));
            assert_eq!(shown, again, "{mode:?}");
            let is_empty = again.of(Stream::Stderr).is_empty();
            assert_eq!(is_empty, mode == Mode::Quiet, "{mode:?}");
        }
    });
}
