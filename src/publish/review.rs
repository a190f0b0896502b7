//! What somebody may not want to publish: asked before anything is sent.

use super::{Files, PublishError, unreadable};
use crate::project::Project;
use crate::service::mount::MountKind;
use crate::value::secret::{mask, mask_sentence};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Questions, each of which has to be answered with yes.
pub type Review = Vec<String>;

/// What to ask before the project is published. `project` is the whole project, all profiles on.
///
/// # Errors
/// Where the project cannot be published, or a file cannot be read.
pub fn review(
    project: &Project,
    files: &Files,
    with_environment: bool,
) -> Result<Review, PublishError> {
    let built: Vec<String> = project
        .services
        .values()
        .filter(|s| s.image.is_none() && s.build.is_some())
        .map(|s| s.name.clone())
        .collect();
    if !built.is_empty() {
        return Err(PublishError::OnlyBuilt(built));
    }
    let nameless = project
        .services
        .values()
        .find(|s| s.image.is_none() && s.provider.is_none());
    if let Some(service) = nameless {
        return Err(PublishError::NoImage(service.name.clone()));
    }
    let questions = [
        mounts(project),
        secrets(project, files)?,
        match with_environment {
            true => None,
            false => variables(files),
        },
        contents(files),
    ];
    Ok(questions.into_iter().flatten().collect())
}

fn mounts(project: &Project) -> Option<String> {
    let mut lines = String::new();
    for service in project.services.values() {
        for mount in &service.volumes {
            if mount.kind == MountKind::Bind {
                let source = mount.source.as_deref().unwrap_or_default();
                lines.push_str(&format!("{}: {source}:{}\n", service.name, mount.target));
            }
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "you are about to publish bind mounts declaration within your OCI artifact.\n\
             only the bind mount declarations will be added to the OCI artifact (not content)\n\
             please double check that you are not mounting potential user's sensitive directories or data\n\
             {lines}Are you ok to publish these bind mount declarations?"
        )
    })
}

fn secrets(project: &Project, files: &Files) -> Result<Option<String>, PublishError> {
    let mut lines = String::new();
    for (path, _, published) in &files.published {
        // What variables hold is asked about by itself.
        found(
            path,
            &published.text,
            |line| mask_sentence(line).into_owned(),
            &mut lines,
        );
    }
    let mut paths: BTreeSet<&Path> = files.env_files();
    let objects = project.secrets.values().chain(project.configs.values());
    paths.extend(
        objects
            .filter_map(|object| object.file.as_deref())
            .map(Path::new),
    );
    for path in paths {
        let bytes = match crate::file::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(path, &error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        found(path, &text, |line| mask(line).into_owned(), &mut lines);
    }
    Ok((!lines.is_empty()).then(|| {
        format!(
            "you are about to publish sensitive data within your OCI artifact.\n\
             please double check that you are not leaking sensitive data\n\
             {lines}Are you ok to publish these sensitive data?"
        )
    }))
}

/// Notes the lines with secrets in them, without the secrets.
fn found(path: &Path, text: &str, masked: impl Fn(&str) -> String, lines: &mut String) {
    for (number, line) in text.lines().enumerate() {
        let shown = masked(line);
        if shown != line {
            let path = path.display();
            lines.push_str(&format!("{path}:{}: {}\n", number + 1, shown.trim()));
        }
    }
}

fn variables(files: &Files) -> Option<String> {
    let mut found: BTreeMap<&str, (bool, BTreeSet<&str>)> = BTreeMap::new();
    for (_, _, published) in &files.published {
        for service in &published.with_env_file {
            found.entry(service).or_default().0 = true;
        }
        for (service, names) in &published.literals {
            let names = names.iter().map(String::as_str);
            found.entry(service).or_default().1.extend(names);
        }
    }
    if found.is_empty() {
        return None;
    }
    let mut text = "you are about to publish env-related declarations within your OCI artifact.\n\
        env_file paths and literal values for sensitive-looking keys are embedded as-is in the published YAML;\n\
        interpolated values like \"${VAR}\" are kept symbolic and have already been excluded.\n"
        .to_owned();
    for (service, (has_file, names)) in found {
        if has_file {
            text.push_str(&format!("  service {service:?}: env_file declared\n"));
        }
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            let names = names.join(", ");
            text.push_str(&format!(
                "  service {service:?}: literal value for {names}\n"
            ));
        }
    }
    text.push_str(
        "Use --with-env to silence this prompt and always publish env declarations.\n\
         Are you ok to publish these env declarations?",
    );
    Some(text)
}

fn contents(files: &Files) -> Option<String> {
    let names: BTreeSet<&String> = files
        .published
        .iter()
        .flat_map(|(_, _, published)| &published.contents)
        .collect();
    if names.is_empty() {
        return None;
    }
    let lines: String = names
        .iter()
        .map(|name| format!("  config {name:?}\n"))
        .collect();
    Some(format!(
        "you are about to publish literal inline config content within your OCI artifact.\n\
         {lines}Are you ok to publish these config contents?"
    ))
}
