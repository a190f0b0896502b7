//! Streams through the engine in memory.

use super::*;
use crate::engine::fake::{Fake, Script};
use crate::engine::{AttachRequest, Awaited, ContainerRequest, ExecRequest};
use crate::value::detach_keys::DetachKeys;
use serde_json::json;

/// A container that writes what it reads, started or not.
async fn reader(fake: &Fake, is_started: bool) -> String {
    fake.cast(|_, _| Script {
        reads: true,
        ..Script::default()
    });
    let request = ContainerRequest {
        name: "reader".into(),
        platform: None,
        body: json!({ "Image": "busybox", "OpenStdin": true, "StdinOnce": true }),
    };
    let id = fake.create_container(request).await.unwrap();
    if is_started {
        fake.start_container(&id).await.unwrap();
    }
    id
}

struct Typist {
    keys: mpsc::Sender<Vec<u8>>,
    input: Option<mpsc::Receiver<Vec<u8>>>,
}

fn typist() -> Typist {
    let (keys, input) = mpsc::channel(4);
    Typist {
        keys,
        input: Some(input),
    }
}

fn local<'a>(input: Option<mpsc::Receiver<Vec<u8>>>, sink: &'a mut Kept) -> Local<'a> {
    Local {
        input,
        detector: None,
        signals: futures::stream::pending().boxed(),
        forwards: false,
        has_terminal: false,
        keyboard: None,
        stop: || (),
        size: || None,
        sink,
    }
}

#[tokio::test]
async fn a_command_gets_all_that_is_typed_and_its_end() {
    let fake = Fake::new();
    let id = reader(&fake, true).await;
    let request = ExecRequest {
        command: vec!["cat".into()],
        stdin: true,
        ..ExecRequest::default()
    };
    let exec = fake.create_exec(&id, request.clone()).await.unwrap();
    let streams = fake.start_exec(&exec, &request).await.unwrap();
    let mut typist = typist();
    let (mut sink, text) = (Kept::default(), vec![0xff; 1 << 20]);
    let input = typist.input.take();
    let typing = async {
        for piece in text.chunks(16 << 10) {
            typist.keys.send(piece.to_vec()).await.unwrap();
        }
        drop(typist);
    };
    let passing = pass(
        &fake,
        Process::Exec(&exec),
        streams,
        local(input, &mut sink),
    );
    let (end, ()) = tokio::join!(passing, typing);
    assert_eq!(end.unwrap(), End::Closed);
    assert!(sink.out == text, "a megabyte comes back");
    assert_eq!(fake.exec_exit_code(&exec).await.unwrap(), Some(0));
    // A command is started once.
    assert!(fake.start_exec(&exec, &request).await.is_err());
}

#[tokio::test]
async fn a_container_is_attached_to_before_it_starts() {
    let fake = Fake::new();
    let id = reader(&fake, false).await;
    let request = AttachRequest {
        stdin: true,
        ..AttachRequest::default()
    };
    let streams = fake.attach_container(&id, &request).await.unwrap();
    let end = fake.await_container(&id, Awaited::NextExit).await.unwrap();
    fake.start_container(&id).await.unwrap();
    let mut typist = typist();
    typist.keys.send(b"one\ntwo\n".to_vec()).await.unwrap();
    let (mut sink, input) = (Kept::default(), typist.input.take());
    drop(typist);
    let passing = pass(
        &fake,
        Process::Container(&id),
        streams,
        local(input, &mut sink),
    );
    assert_eq!(passing.await.unwrap(), End::Closed);
    assert_eq!(sink.out, b"one\ntwo\n");
    assert_eq!(end.await.unwrap(), 0);
}

#[tokio::test]
async fn keys_detach_and_the_process_goes_on() {
    let fake = Fake::new();
    let id = reader(&fake, true).await;
    let request = AttachRequest {
        stdin: true,
        tty: true,
        ..AttachRequest::default()
    };
    let streams = fake.attach_container(&id, &request).await.unwrap();
    let mut typist = typist();
    typist.keys.send(b"\x10".to_vec()).await.unwrap();
    typist.keys.send(b"\x11".to_vec()).await.unwrap();
    let mut sink = Kept::default();
    let local = Local {
        detector: Some(Detector::new(&DetachKeys::default())),
        ..local(typist.input.take(), &mut sink)
    };
    let end = pass(&fake, Process::Container(&id), streams, local).await;
    assert_eq!(end.unwrap(), End::Detached);
    assert!(fake.container(&id).is_some_and(|c| c.state.is_up()));
}

/// Signals that come all at once.
fn signals(all: Vec<Signal>) -> BoxStream<'static, Signal> {
    futures::stream::iter(all)
        .chain(futures::stream::pending())
        .boxed()
}

#[tokio::test]
async fn signals_go_to_the_process_in_their_order() {
    let fake = Fake::new();
    let id = reader(&fake, true).await;
    let request = AttachRequest::default();
    let streams = fake.attach_container(&id, &request).await.unwrap();
    let end = fake.await_container(&id, Awaited::NextExit).await.unwrap();
    fake.forget_calls();
    let mut sink = Kept::default();
    let local = Local {
        signals: signals(vec![Signal::Resize, Signal::Continue, Signal::Terminate]),
        forwards: true,
        has_terminal: true,
        size: || {
            Some(TerminalSize {
                rows: 24,
                columns: 80,
            })
        },
        ..local(None, &mut sink)
    };
    let passed = pass(&fake, Process::Container(&id), streams, local).await;
    assert_eq!(passed.unwrap(), End::Closed);
    assert_eq!(end.await.unwrap(), 0);
    let calls: Vec<_> = fake.calls().iter().map(|call| call.method).collect();
    assert_eq!(calls[..2], ["kill_container", "kill_container"]);
}

#[tokio::test]
async fn an_engine_that_passes_no_signal_on_keeps_nobody() {
    let fake = Fake::new();
    let id = reader(&fake, true).await;
    fake.slow_down(|call| match call.method {
        "kill_container" => Duration::from_secs(3600),
        _ => Duration::ZERO,
    });
    for (forwards, count, is_silent) in [(true, 3, true), (false, 1, false)] {
        let request = AttachRequest::default();
        let streams = fake.attach_container(&id, &request).await.unwrap();
        let mut sink = Kept::default();
        let local = Local {
            signals: signals(vec![Signal::Interrupt; count]),
            forwards,
            ..local(None, &mut sink)
        };
        let error = pass(&fake, Process::Container(&id), streams, local)
            .await
            .unwrap_err();
        match is_silent {
            true => assert!(matches!(error, StdioError::Silent(Cause::Interrupt))),
            false => assert!(matches!(error, StdioError::Signal(Signal::Interrupt))),
        }
    }
}

#[tokio::test]
async fn only_what_runs_can_be_attached_to_and_resized() {
    let fake = Fake::new();
    let id = reader(&fake, true).await;
    let request = AttachRequest::default();
    let size = TerminalSize {
        rows: 1,
        columns: 1,
    };
    fake.pause(&id);
    assert!(fake.attach_container(&id, &request).await.is_err());
    assert!(fake.resize_container(&id, size).await.is_err());
    assert!(fake.attach_container("nope", &request).await.is_err());
    assert!(
        fake.await_container("nope", Awaited::NotRunning)
            .await
            .is_err()
    );
    assert!(fake.resize_exec("nope", size).await.is_err());
}

/// A container that goes at its end is waited for to that, and its status is known.
#[tokio::test]
async fn a_container_that_removes_itself_tells_its_status() {
    let fake = Fake::new();
    let body = json!({ "Image": "busybox", "HostConfig": { "AutoRemove": true } });
    let request = ContainerRequest {
        name: "brief".into(),
        platform: None,
        body,
    };
    let id = fake.create_container(request).await.unwrap();
    let gone = fake.await_container(&id, Awaited::Removed).await.unwrap();
    fake.start_container(&id).await.unwrap();
    fake.exit(&id, 3);
    assert_eq!(gone.await.unwrap(), 3);
    assert!(fake.container(&id).is_none());
}
