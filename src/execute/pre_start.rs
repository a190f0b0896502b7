//! `pre_start`: hooks that run to their end before the first replica of a service starts.

use super::Walk;
use super::death::how_it_ended;
use super::failure::Trouble;
use super::watch::Fall;
use crate::engine::request::{self, Resolved};
use crate::interrupt::Stage;
use crate::plan::Target;
use futures::future::{Either, select};

/// How many digits of an id people use.
const SHORT_ID: usize = 12;

impl Walk<'_> {
    /// Runs one hook. `false` means that somebody asked to stop: its container is gone. That of a
    /// hook that failed stays, to be looked at, until the next run or `down`.
    pub(super) async fn run_pre_start(
        &self,
        service: &str,
        index: usize,
        container: &Target,
    ) -> Result<bool, Trouble> {
        let engine = self.means.engine;
        let path = format!("services.{service}.pre_start[{index}]");
        let service = self.service(service)?;
        let Some(hook) = service.pre_start.get(index) else {
            return Err(Trouble::new(format!("{path} is not in the project")));
        };
        let resolved = Resolved {
            containers: self.containers_referred_to_by(service),
            addresses: self.addresses_for(service, &self.project.container_name(service, 0)),
            ..Resolved::default()
        };
        let provided = self.with_provided(service);
        let request = request::pre_start_request(
            self.project,
            provided.as_ref().unwrap_or(service),
            hook,
            &self.id_of(container),
            &resolved,
        )?;
        let id = engine
            .create_container(request)
            .await
            .map_err(|error| Trouble::from(error).at(path.as_str()))?;
        if let Err(trouble) = self.copy_files_for_hook(service, &id).await {
            self.remove_hook(&id, &path).await;
            return Err(trouble.at(path.as_str()));
        }
        if let Err(error) = engine.start_container(&id).await {
            self.remove_hook(&id, &path).await;
            return Err(Trouble::from(error).at(format!("{path}.command")));
        }
        let end = std::pin::pin!(self.watch.end(&id));
        let asked = std::pin::pin!(self.means.interrupts.reached(Stage::Stopping));
        match select(end, asked).await {
            Either::Left((Ok(()), _)) => {
                self.remove_hook(&id, &path).await;
                Ok(true)
            }
            Either::Left((Err(fall), _)) => {
                Err(self.explain_hook(&service.name, index, &id, fall).await)
            }
            Either::Right(_) => {
                self.remove_hook(&id, &path).await;
                Ok(false)
            }
        }
    }

    /// The hook's work is done, or void: a container that stays is only untidy.
    async fn remove_hook(&self, id: &str, path: &str) {
        if let Err(error) = self.means.engine.remove_container(id, true, true).await
            && !error.is_not_found()
        {
            let warning = format!(
                "{path}: its container {} is still there: {error}",
                short(id)
            );
            self.means.reporter.warning(warning);
        }
    }

    async fn explain_hook(&self, service: &str, index: usize, id: &str, fall: Fall) -> Trouble {
        let path = format!("services.{service}.pre_start[{index}]");
        let details = match fall {
            Fall::Ended(details) => details,
            Fall::Engine(error) => return Trouble::from(error).at(path),
            // What a wait for an end does not come to.
            Fall::Unhealthy(details) => details,
            Fall::Removing
            | Fall::Paused
            | Fall::NeverStarted
            | Fall::NoHealthcheck
            | Fall::Late(_) => {
                return Trouble::new("it was not waited for to its end").at(path);
            }
        };
        let end = how_it_ended(&details);
        let last = self.last_lines(&details).await;
        Trouble::new(format!("it {end}{last}"))
            .at(format!("{path}.command"))
            .help(format!(
                "its container is kept until the next `up` or `down`: docker logs {}",
                short(id)
            ))
    }
}

fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}
