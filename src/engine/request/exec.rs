//! The command that a hook runs in a container of its service.

use crate::engine::ExecRequest;
use crate::service::develop::Hook;

/// The request for a `post_start` or `pre_stop` command.
pub fn hook_request(hook: &Hook) -> ExecRequest {
    let environment = hook.environment.iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.clone(),
    });
    ExecRequest {
        command: hook.command.clone(),
        environment: environment.collect(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        privileged: hook.privileged,
        ..ExecRequest::default()
    }
}
