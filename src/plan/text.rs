//! A plan for reading: by people ([`render_text`]) and by programs ([`render_json`]).

use super::change::in_full;
use super::{Action, Change, Plan, ProviderVerb, Step, StepId};
use crate::tree::Span;
use crate::value::userinfo::masked;
use crate::value::visible::visible_line;
use serde_json::{Value, json};
use std::fmt::Write;

/// Version of [`render_json`]'s schema; it changes when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Most changed values of one attribute that are shown to people.
const MOST_CHANGES: usize = 8;

/// The plan in the user's words: one line per change, its fields below; then, apart, what recurs.
/// `place` gives `file:line:column` for a span.
pub fn render_text(plan: &Plan, project: &str, place: &dyn Fn(Span) -> Option<String>) -> String {
    let mut text = match plan.has_drift() {
        false => format!("{project}: nothing to change\n"),
        true => format!("{project}:\n{}", lines(plan, false, place)),
    };
    if plan.changes_anything() {
        let recurring = lines(plan, true, place);
        if !recurring.is_empty() {
            let _ = write!(text, "{project}, at every up:\n{recurring}");
        }
    }
    text
}

fn lines(plan: &Plan, recurring: bool, place: &dyn Fn(Span) -> Option<String>) -> String {
    let mut text = String::new();
    for (_, step) in plan.steps().filter(|(_, step)| step.recurs == recurring) {
        let Some((sign, verb)) = sign_and_verb(plan, step) else {
            continue;
        };
        let line = format!(
            "  {sign} {verb} {}  ({})",
            step.action.resource().in_sentence(),
            step.cause
        );
        // The changes below have been masked in another way, that shows what changed.
        let _ = writeln!(text, "{}", in_a_line(plan, &line));
        for of_one in step.changes.chunk_by(|a, b| a.attribute() == b.attribute()) {
            render_changes(of_one, place, &mut text);
        }
    }
    text
}

/// What goes to people, harmless and without the passwords of addresses.
fn in_a_line(plan: &Plan, text: &str) -> String {
    let shown = visible_line(text);
    match plan.shows_secrets {
        true => shown.into_owned(),
        false => masked(&shown).into_owned(),
    }
}

/// The changes of one attribute; of many only some, so that those of others can be seen.
fn render_changes(changes: &[Change], place: &dyn Fn(Span) -> Option<String>, text: &mut String) {
    for change in changes.iter().take(MOST_CHANGES) {
        let mut at = change.span.and_then(place).map(|p| format!("  {p}"));
        for line in change.lines() {
            // The place stands behind the first of them.
            let at = at.take().unwrap_or_default();
            let _ = writeln!(text, "      {}", visible_line(&format!("{line}{at}")));
        }
    }
    if let Some(first) = changes.get(MOST_CHANGES) {
        let (attribute, more) = (first.attribute(), changes.len() - MOST_CHANGES);
        let _ = writeln!(
            text,
            "      {attribute}: and {more} more (--format json lists all)"
        );
    }
}

/// The sign and the verb of a step's line; `None` for steps that are part of another line.
fn sign_and_verb(plan: &Plan, step: &Step) -> Option<(char, &'static str)> {
    if step.group.is_some() {
        return match &step.action {
            Action::CreateContainer { .. } => Some(('~', "recreate")),
            Action::RunPreStart { .. } => Some(('>', "run")),
            // A recreation that was begun by an earlier run has no creation any more.
            Action::RenameContainer { .. } if !group_creates(plan, step) => {
                Some(('~', "complete the recreation of"))
            }
            _ => None,
        };
    }
    Some(match &step.action {
        Action::PullImage { .. } => ('+', "pull"),
        Action::BuildImage { .. } => ('+', "build"),
        Action::CreateNetwork { .. } | Action::CreateVolume { .. } => ('+', "create"),
        Action::CreateContainer { .. } | Action::CreateOneOff(_) => ('+', "create"),
        Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. }
        | Action::RemoveContainer { .. }
        | Action::RemoveImage { .. } => ('-', "remove"),
        Action::ConnectNetwork { .. } => ('~', "connect"),
        Action::DisconnectNetwork { .. } => ('~', "disconnect"),
        Action::RenameContainer { .. } => ('~', "rename to"),
        Action::CopyFiles { .. } => ('~', "copy secrets and configs into"),
        Action::StartContainer { .. } => ('>', "start"),
        Action::StopContainer { .. } => ('.', "stop"),
        Action::RestartContainer { .. } => ('>', "restart"),
        Action::KillContainer { .. } => ('.', "kill"),
        Action::PauseContainer { .. } => ('.', "pause"),
        Action::UnpauseContainer { .. } => ('>', "unpause"),
        Action::RunHook { .. } => ('>', "run a hook in"),
        Action::RunPreStart { .. } => ('>', "run"),
        Action::PrepareModel { .. } => ('>', "prepare"),
        Action::RunProvider { verb, .. } => match verb {
            ProviderVerb::Up => ('>', "run the provider of"),
            ProviderVerb::Down => ('-', "run the provider (down) of"),
            ProviderVerb::Stop => ('.', "run the provider (stop) of"),
        },
        Action::Wait { .. } => ('?', "wait for"),
        // Every start is followed by a watch; a join does nothing.
        Action::Verify { .. } | Action::Join => return None,
    })
}

fn group_creates(plan: &Plan, step: &Step) -> bool {
    plan.steps().any(|(_, other)| {
        other.group == step.group && matches!(other.action, Action::CreateContainer { .. })
    })
}

/// The plan as JSON: every step with its action, cause, changes and what it waits for.
pub fn render_json(plan: &Plan, project: &str, place: &dyn Fn(Span) -> Option<String>) -> Value {
    let steps: Vec<Value> = plan
        .steps()
        .map(|(id, step)| render_step(plan, id, step, place))
        .collect();
    json!({
        "schema_version": SCHEMA_VERSION,
        "project": project,
        "changes": plan.changes_anything(),
        "drift": plan.has_drift(),
        "steps": steps,
    })
}

fn render_step(
    plan: &Plan,
    id: StepId,
    step: &Step,
    place: &dyn Fn(Span) -> Option<String>,
) -> Value {
    let after: Vec<usize> = plan.dependencies(id).into_iter().map(|s| s.0).collect();
    let changes: Vec<Value> = step
        .changes
        .iter()
        .map(|change: &Change| {
            let mut shown = json!({
                "path": change.path,
                "old": change.old.as_ref().map(in_full),
                "new": change.new.as_ref().map(in_full),
                "at": change.span.and_then(place),
            });
            if let Some(what) = change.what {
                shown["what"] = what.into();
            }
            shown
        })
        .collect();
    let told = |text: &str| match plan.shows_secrets {
        true => text.to_owned(),
        false => masked(text).into_owned(),
    };
    let mut value = json!({
        "id": id.0,
        "action": step.action.kind(),
        "resource": told(&step.action.resource().to_string()),
        "cause": told(&step.cause),
        "after": after,
    });
    let map = value.as_object_mut().expect("an object literal");
    if let Some(service) = step.action.service() {
        map.insert("service".into(), service.into());
    }
    if let Some(group) = &step.group {
        map.insert("group".into(), group.as_str().into());
    }
    if step.recurs {
        map.insert("recurs".into(), true.into());
    }
    if !changes.is_empty() {
        map.insert("changes".into(), changes.into());
    }
    value
}
