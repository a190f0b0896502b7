//! A plan for reading: by people ([`render_text`]) and by programs ([`render_json`]).

use super::{Action, Change, Plan, ProviderVerb, Step, StepId};
use crate::tree::Span;
use crate::value::userinfo::masked;
use serde_json::{Value, json};
use std::fmt::Write;

/// Version of [`render_json`]'s schema; it changes when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The plan in the user's words: one line per change, its fields below. `place` gives
/// `file:line:column` for a span.
pub fn render_text(plan: &Plan, project: &str, place: &dyn Fn(Span) -> Option<String>) -> String {
    if !plan.changes_anything() {
        return format!("{project}: nothing to change\n");
    }
    let mut text = format!("{project}:\n");
    for (_, step) in plan.steps() {
        let Some((sign, verb)) = sign_and_verb(plan, step) else {
            continue;
        };
        let _ = writeln!(
            text,
            "  {sign} {verb} {}  ({})",
            decapitalised(&step.action.resource()),
            step.cause
        );
        for change in &step.changes {
            let at = change.span.and_then(place).map(|p| format!("  {p}"));
            let _ = writeln!(
                text,
                "      {}{}",
                change.in_words(),
                at.unwrap_or_default()
            );
        }
    }
    masked(&text).into_owned()
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
        Action::CreateContainer { .. } => ('+', "create"),
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
        Action::RunHook { .. } => ('>', "run a hook in"),
        Action::RunPreStart { .. } => ('>', "run"),
        Action::PrepareModel { .. } => ('>', "prepare"),
        Action::RunProvider { verb, .. } => match verb {
            ProviderVerb::Up => ('>', "run the provider of"),
            ProviderVerb::Down => ('-', "run the provider (down) of"),
            ProviderVerb::Stop => ('.', "run the provider (stop) of"),
        },
        Action::Wait { .. } => ('?', "wait for"),
        // Every start is followed by it.
        Action::Verify { .. } => return None,
    })
}

fn group_creates(plan: &Plan, step: &Step) -> bool {
    plan.steps().any(|(_, other)| {
        other.group == step.group && matches!(other.action, Action::CreateContainer { .. })
    })
}

fn decapitalised(resource: &str) -> String {
    let mut chars = resource.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
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
            json!({
                "path": change.path,
                "old": change.old,
                "new": change.new,
                "at": change.span.and_then(place),
            })
        })
        .collect();
    let mut value = json!({
        "id": id.0,
        "action": step.action.kind(),
        "resource": step.action.resource(),
        "cause": step.cause,
        "after": after,
    });
    let map = value.as_object_mut().expect("an object literal");
    if let Some(service) = step.action.service() {
        map.insert("service".into(), service.into());
    }
    if let Some(group) = &step.group {
        map.insert("group".into(), group.as_str().into());
    }
    if !changes.is_empty() {
        map.insert("changes".into(), changes.into());
    }
    value
}
