//! Further calls on single containers and images, and what is asked for with them in words.

use super::calls::{Ask, Kind};
use super::{Patient, named};
use crate::engine::{
    CommitRequest, ContainerCalls, EngineEvent, ImageRecord, Parts, Period, Processes, Reply, Usage,
};
use futures::{StreamExt, TryStreamExt};

impl ContainerCalls for Patient {
    fn pause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "pause container", id);
        self.ask(ask, self.engine.pause_container(id))
    }

    fn unpause_container<'a>(&'a self, id: &'a str) -> Reply<'a, ()> {
        let ask = self.of(Kind::Change, "unpause container", id);
        self.ask(ask, self.engine.unpause_container(id))
    }

    fn wait_container<'a>(&'a self, id: &'a str) -> Reply<'a, i64> {
        // It may rightly take as long as the container runs.
        self.engine.wait_container(id)
    }

    fn processes<'a>(&'a self, id: &'a str) -> Reply<'a, Processes> {
        let ask = self.of(Kind::Read, "list the processes of container", id);
        self.ask(ask, self.engine.processes(id))
    }

    fn usage(&self, id: String, follow: bool) -> Parts<'_, Usage> {
        let ask = self.of(Kind::Read, "measure container", &id);
        self.first(ask, self.engine.usage(id, follow))
    }

    fn export_container<'a>(&'a self, id: &'a str) -> Parts<'a, Vec<u8>> {
        let ask = self.of(Kind::Read, "export container", id);
        self.first(ask, self.engine.export_container(id))
    }

    fn commit_container(&self, request: CommitRequest) -> Reply<'_, String> {
        let ask = self.of(Kind::Change, "commit container", &request.container);
        self.ask(ask, self.engine.commit_container(request))
    }

    fn events_within(&self, labels: Vec<String>, period: Period) -> Parts<'_, EngineEvent> {
        let ask = Ask::new(Kind::Read, "watch events", "");
        let events = self.engine.events_within(labels, period);
        events.map_err(move |error| named(error, &ask)).boxed()
    }

    fn image_record<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
    ) -> Reply<'a, ImageRecord> {
        let ask = Ask::new(Kind::Read, "inspect image", reference);
        self.ask(ask, self.engine.image_record(reference, platform))
    }
}
