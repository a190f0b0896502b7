//! The command that a hook runs in a container of its service.

use crate::engine::ExecRequest;
use crate::service::develop::Hook;

/// The request for a `post_start` or `pre_stop` command.
pub fn hook_request(hook: &Hook) -> ExecRequest {
    let Hook {
        command,
        user,
        privileged,
        working_dir,
        environment,
        // Of `pre_start`, whose hooks get containers of their own.
        image: _,
        per_replica: _,
    } = hook;
    let environment = environment.iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.clone(),
    });
    ExecRequest {
        command: command.clone(),
        environment: environment.collect(),
        user: user.clone(),
        working_dir: working_dir.clone(),
        privileged: *privileged,
        ..ExecRequest::default()
    }
}
