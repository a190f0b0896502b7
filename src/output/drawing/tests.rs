//! A recorded stream of events replays to the same screen, whichever renderer draws it.

use super::*;
use crate::event::{
    Awaited, Ending, Found, Operation, Part, Resource, ResourceKind, Steady, StepInfo, StopReason,
    Summary,
};

const SIZE: fn() -> (usize, usize) = || (60, 20);

fn step(id: usize, operation: Operation, part: Part, resource: Resource) -> StepInfo {
    StepInfo {
        id,
        operation,
        part,
        resource,
        service: None,
        number: None,
        network: None,
        old_name: None,
    }
}

/// An `up` that pulls, creates, replaces, waits and fails.
fn recorded() -> Vec<Event> {
    let web = || Resource::container("p-web-1");
    let network = || Resource::new(ResourceKind::Network, "p_default");
    let image = || "nginx".to_owned();
    let create = step(0, Operation::CreateNetwork, Part::Whole, network());
    let recreate = step(1, Operation::CreateContainer, Part::ReplacementStart, web());
    let rename = step(4, Operation::RenameContainer, Part::ReplacementEnd, web());
    let stop = step(2, Operation::StopContainer, Part::Hidden, web());
    let start = StepInfo {
        service: Some("db".into()),
        number: Some(1),
        ..step(
            5,
            Operation::StartContainer,
            Part::Whole,
            Resource::container("p-db-1"),
        )
    };
    let started = |step: &StepInfo| Kind::StepStarted { step: step.clone() };
    let finished = |step: &StepInfo| Kind::StepFinished {
        step: step.clone(),
        ending: Ending::Done,
        took: 7,
    };
    let kinds = [
        (
            0,
            Kind::CommandStarted {
                command: "up".into(),
            },
        ),
        (0, Kind::RunStarted { steps: Vec::new() }),
        (
            1,
            Kind::Unchanged {
                resource: Resource::container("p-cache-1"),
                state: Steady::Running,
            },
        ),
        (2, Kind::PullStarted { image: image() }),
        (
            40,
            Kind::PullProgress {
                image: image(),
                layer: "b88f".into(),
                status: "Downloading".into(),
                current: Some(5),
                total: Some(10),
            },
        ),
        (
            250,
            Kind::PullProgress {
                image: image(),
                layer: "b88f".into(),
                status: "Pull complete".into(),
                current: None,
                total: None,
            },
        ),
        (260, Kind::PullFinished { image: image() }),
        (270, started(&create)),
        (300, finished(&create)),
        (301, started(&recreate)),
        (330, finished(&recreate)),
        (331, started(&stop)),
        (
            400,
            Kind::Warning {
                message: "careful, please".into(),
            },
        ),
        (1400, finished(&stop)),
        (1420, started(&rename)),
        (1500, finished(&rename)),
        (1510, started(&start)),
        (
            1600,
            Kind::StepFailed {
                step: start,
                message: "port is taken\nby another".into(),
                took: 90,
            },
        ),
        (
            1700,
            Kind::WaitStarted {
                resource: web(),
                service: "web".into(),
                until: Awaited::Healthy,
            },
        ),
        (
            2800,
            Kind::WaitMet {
                resource: web(),
                found: Found::Healthy,
            },
        ),
        (
            2810,
            Kind::Stopping {
                reason: StopReason::Interrupted,
            },
        ),
        (
            2900,
            Kind::RunEnded {
                summary: Summary::default(),
            },
        ),
    ];
    let events = kinds.into_iter().map(|(elapsed, kind)| Event {
        time: 1_795_942_800_000 + elapsed as i64,
        elapsed,
        kind,
    });
    events.collect()
}

/// Written down, and read again.
fn read_again(events: &[Event]) -> Vec<Event> {
    let lines: Vec<String> = events
        .iter()
        .map(|event| serde_json::to_string(event).expect("JSON"))
        .collect();
    assert!(lines.iter().all(|line| !line.contains('\n')));
    let events = lines.iter().map(|line| serde_json::from_str(line));
    events.map(|event| event.expect("an event")).collect()
}

fn text(pieces: &Pieces) -> String {
    assert_eq!(pieces.of(Stream::Stdout), b"");
    String::from_utf8(pieces.of(Stream::Stderr)).expect("text")
}

/// What a live drawing shows: event by event, with frames in between.
fn live(mode: Mode) -> Pieces {
    let mut canvas = Canvas::new(mode, false, SIZE);
    let mut pieces = Pieces::default();
    let mut now = 0;
    for event in recorded() {
        for frame in (now..event.elapsed).filter(|ms| ms % 100 == 37) {
            if canvas.0.wants_tick() {
                canvas.tick(&mut pieces, Duration::from_millis(frame));
            }
        }
        now = event.elapsed;
        canvas.show(&event, &mut pieces);
    }
    canvas.finish(&mut pieces, Duration::from_millis(now));
    pieces
}

#[test]
fn a_record_says_what_happened_to_what_and_when() {
    let events = recorded();
    assert_eq!(read_again(&events), events);
    let line = serde_json::to_string(&events[8]).expect("JSON");
    assert_eq!(
        line,
        "{\"time\":1795942800300,\"elapsed\":300,\"event\":\"step_finished\",\"step\":{\"id\":0,\
         \"operation\":\"create_network\",\"part\":\"whole\",\"resource\":{\"kind\":\"network\",\
         \"name\":\"p_default\"}},\"ending\":\"done\",\"took\":7}"
    );
}

#[test]
fn plain_replays_to_the_same_lines() {
    let shown = replay(&read_again(&recorded()), Mode::Plain, false, SIZE);
    assert_eq!(shown, live(Mode::Plain));
    let text = text(&shown);
    let (warnings, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("time="));
    assert_eq!(
        lines,
        [
            " Container p-cache-1 Running ",
            " Image nginx Pulling ",
            " b88f Downloading 5B",
            " b88f Pull complete 0B",
            " Image nginx Pulled ",
            " Network p_default Creating ",
            " Network p_default Created ",
            " Container p-web-1 Recreate ",
            " Container p-web-1 Recreated ",
            " Container p-db-1 Starting ",
            " Container p-db-1 Error port is taken",
            " Container p-web-1 Waiting ",
            " Container p-web-1 Healthy ",
            " Compose Stopping Gracefully Stopping... press Ctrl-C again to kill",
        ]
    );
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].ends_with("level=warning msg=\"careful, please\""));
}

#[test]
fn json_replays_to_the_same_lines() {
    let shown = replay(&read_again(&recorded()), Mode::Json, false, SIZE);
    assert_eq!(shown, live(Mode::Json));
    let text = text(&shown);
    assert_eq!(text.lines().count(), 15);
    let layer = text.lines().nth(2).expect("the layer's line");
    assert_eq!(
        layer,
        "{\"id\":\"b88f\",\"parent_id\":\"Image nginx\",\"status\":\"Working\",\"text\":\
         \"Downloading\",\"details\":\"5B\",\"current\":5,\"total\":10,\"percent\":50}"
    );
}

#[test]
fn quiet_replays_to_its_warnings() {
    let shown = replay(&read_again(&recorded()), Mode::Quiet, false, SIZE);
    assert_eq!(shown, live(Mode::Quiet));
    let text = text(&shown);
    assert!(text.starts_with("time="), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_terminal_replays_to_the_same_screen() {
    let shown = replay(&read_again(&recorded()), Mode::Tty, false, SIZE);
    let screen = tty::screen(text(&shown).as_bytes());
    // Frames came at other times; what stands in the end is the same.
    assert_eq!(screen, tty::screen(text(&live(Mode::Tty)).as_bytes()));
    assert_eq!(
        screen,
        [
            "WARN[0000] careful, please                              ",
            "Gracefully Stopping... press Ctrl-C again to kill",
            "[+] up 6/6",
            " ✔ Container p-cache-1 Running                          0.0s",
            " ✔ Image nginx         Pulled                           0.3s",
            " ✔ Network p_default   Created                          0.0s",
            " ✔ Container p-web-1   Healthy                          2.5s",
            " ✘ Container p-db-1    Error port is taken              0.1s",
        ]
    );
}
