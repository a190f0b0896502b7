//! What the project and the engine add to a completion. Nothing that goes wrong here is told: somebody
//! is typing.

use super::question::{Directive, Question, Wanted};
use crate::context::Context;
use crate::engine::ContainerFilter;
use crate::error::CliError;
use crate::labels;
use crate::output;
use crate::tree::Node;
use std::collections::BTreeSet;
use std::time::Duration;

/// The engine is asked no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints the candidates. `has_descriptions` says whether they are wanted, too.
pub async fn answer(
    ctx: Option<&Context>,
    question: Question,
    has_descriptions: bool,
) -> Result<(), CliError> {
    let (candidates, directive) = candidates(ctx, question.wanted).await;
    // Endings are no beginnings of what is typed.
    let is_meant =
        |word: &str| directive == Directive::Endings || word.starts_with(&question.prefix);
    let mut text = String::new();
    for (word, about) in candidates.iter().filter(|(word, _)| is_meant(word)) {
        text.push_str(word);
        if has_descriptions && !about.is_empty() {
            text.push('\t');
            text.push_str(about);
        }
        text.push('\n');
    }
    text.push_str(&format!(":{}\n", directive as u8));
    output::write(&text)?;
    Ok(())
}

async fn candidates(ctx: Option<&Context>, wanted: Wanted) -> (Vec<(String, String)>, Directive) {
    let plain = |words: Vec<String>| {
        let words = words.into_iter().map(|word| (word, String::new()));
        (words.collect(), Directive::NoFiles)
    };
    match (wanted, ctx) {
        (Wanted::Words(words), _) => (words, Directive::NoFiles),
        (Wanted::Endings(endings), _) => {
            let endings = endings.iter().map(|e| ((*e).to_owned(), String::new()));
            (endings.collect(), Directive::Endings)
        }
        (Wanted::Directories, _) => (Vec::new(), Directive::Directories),
        (Wanted::Files, _) => (Vec::new(), Directive::Files),
        (Wanted::Services(end), Some(ctx)) => {
            let named = services(ctx).into_iter().map(|name| name + end);
            plain(named.collect())
        }
        (Wanted::Profiles, Some(ctx)) => plain(profiles(ctx)),
        (Wanted::Projects, Some(ctx)) => plain(projects(ctx).await),
        (Wanted::Contexts, Some(ctx)) => plain(ctx.docker_contexts()),
        _ => (Vec::new(), Directive::NoFiles),
    }
}

/// The services of the merged files, in no profile or any.
fn model(ctx: &Context) -> Node {
    ctx.raw_model(&ctx.load_options(&[]))
}

fn services(ctx: &Context) -> Vec<String> {
    let model = model(ctx);
    let services = model.get("services").and_then(Node::as_map);
    let mut names: Vec<String> = services
        .into_iter()
        .flat_map(|map| map.entries())
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names
}

fn profiles(ctx: &Context) -> Vec<String> {
    let model = model(ctx);
    let services = model.get("services").and_then(Node::as_map);
    let all: BTreeSet<String> = services
        .into_iter()
        .flat_map(|map| map.entries())
        .filter_map(|(_, entry)| entry.node.get("profiles")?.as_seq())
        .flatten()
        .filter_map(|profile| profile.as_str().map(str::to_owned))
        .collect();
    all.into_iter().collect()
}

async fn projects(ctx: &Context) -> Vec<String> {
    let ask = async {
        let engine = ctx.engine().ok()?;
        let filter = ContainerFilter {
            labels: vec![labels::PROJECT.to_owned()],
            all: true,
        };
        engine.list_containers(filter).await.ok()
    };
    let found = tokio::time::timeout(PATIENCE, ask).await;
    let found = found.ok().flatten().unwrap_or_default();
    let names: BTreeSet<String> = found
        .into_iter()
        .filter_map(|container| container.labels.get(labels::PROJECT).cloned())
        .collect();
    names.into_iter().collect()
}
