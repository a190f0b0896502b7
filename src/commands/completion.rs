//! `completion`: the script that a shell loads, and the answers that it asks for with every tab.

mod candidates;
mod question;

use crate::error::CliError;
use crate::output;
pub use candidates::answer;
pub use question::question;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "To load it once: `source <(regatta completion bash)`, `regatta completion fish | source`.\n\
    For good: ~/.local/share/bash-completion/completions/regatta, a file _regatta in a folder of zsh's fpath,\n\
    ~/.config/fish/completions/regatta.fish, or a line in PowerShell's $PROFILE:\n\
    regatta completion powershell | Out-String | Invoke-Expression"
)]
pub struct CompletionArgs {
    /// bash, zsh, fish or powershell
    #[arg(value_name = "SHELL")]
    shell: String,
}

/// Prints the script for a shell. `name` is the program's, as it was called.
///
/// # Errors
/// Where there is none for the shell.
pub fn run(name: &str, args: &CompletionArgs) -> Result<(), CliError> {
    let shell = &args.shell;
    let script = script(shell, name).ok_or_else(|| {
        CliError::new(format!("no completion for the shell \"{shell}\""))
            .hint("it is one of bash, zsh, fish, powershell")
    })?;
    output::write(&script)?;
    Ok(())
}

fn script(shell: &str, name: &str) -> Option<String> {
    let text = match shell {
        "bash" => include_str!("completion/bash.sh"),
        "zsh" => include_str!("completion/zsh.zsh"),
        "fish" => include_str!("completion/fish.fish"),
        "powershell" | "pwsh" => include_str!("completion/powershell.ps1"),
        _ => return None,
    };
    let function: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    Some(text.replace("PROGRAM", name).replace("FUNCTION", &function))
}
