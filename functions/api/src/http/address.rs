//! Extractors for what a path names, always within the caller's organiser. A path that cannot be parsed is 404.

use std::collections::HashMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use stafett_domain::{AttemptId, OrganisationNumber, RecordId};
use stafett_history::{JobKey, SendRef};

use crate::api::Shared;
use crate::contract::operation::{Input, Operation};
use crate::contract::parameter::Parameter;
use crate::http::caller::Caller;
use crate::http::problem::Problem;

/// A send.
pub(crate) struct SendAddress(pub(crate) SendRef);

/// A job of a send.
pub(crate) struct JobAddress(pub(crate) JobKey);

/// A record of a job.
pub(crate) struct RecordAddress {
    pub(crate) job: JobKey,
    pub(crate) record: RecordId,
}

/// A call of a job.
pub(crate) struct AttemptAddress {
    pub(crate) job: JobKey,
    pub(crate) attempt: AttemptId,
}

/// The organiser, and the path's parameters by the names that the router gives them.
struct Named {
    organisation: OrganisationNumber,
    parts: HashMap<String, String>,
}

impl Named {
    async fn read(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let Caller { organisation, .. } = Caller::from_request_parts(parts, api).await?;
        let Path(parts) = Path::from_request_parts(parts, api).await.map_err(|_| Problem::NotFound)?;
        Ok(Self { organisation, parts })
    }

    fn part<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.parts.get(name).and_then(|text| text.parse().ok()).ok_or(Problem::NotFound)
    }

    fn send(&self) -> Result<SendRef, Problem> {
        Ok(SendRef::new(self.organisation.clone(), self.part("send")?))
    }

    fn job(&self) -> Result<JobKey, Problem> {
        Ok(self.send()?.job(self.part("stage")?))
    }
}

fn in_path(operation: &mut Operation, parameters: impl IntoIterator<Item = Parameter>) {
    parameters.into_iter().for_each(|parameter| operation.takes(parameter));
    operation.problems.insert(404);
}

impl Input for SendAddress {
    fn describe(operation: &mut Operation) {
        let send = "The id of a send.";
        in_path(operation, [Parameter::path("send", send, "01a207a2-1a5a-724e-9223-5351dea7e8de")]);
    }
}

impl Input for JobAddress {
    fn describe(operation: &mut Operation) {
        SendAddress::describe(operation);
        in_path(operation, [Parameter::path("stage", "Which job of the send.", "users")]);
    }
}

impl Input for RecordAddress {
    fn describe(operation: &mut Operation) {
        JobAddress::describe(operation);
        let record = "The id of a record of the job.";
        in_path(operation, [Parameter::path("record", record, "01a207a2-1a5a-724e-9223-5351dea7e8de")]);
    }
}

impl Input for AttemptAddress {
    fn describe(operation: &mut Operation) {
        JobAddress::describe(operation);
        in_path(operation, [Parameter::path("attempt", "Batch, try and step of the call.", "0.1.0")]);
    }
}

impl FromRequestParts<Shared> for SendAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        Named::read(parts, api).await?.send().map(Self)
    }
}

impl FromRequestParts<Shared> for JobAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        Named::read(parts, api).await?.job().map(Self)
    }
}

impl FromRequestParts<Shared> for RecordAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let named = Named::read(parts, api).await?;
        Ok(Self { job: named.job()?, record: named.part("record")? })
    }
}

impl FromRequestParts<Shared> for AttemptAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let named = Named::read(parts, api).await?;
        Ok(Self { job: named.job()?, attempt: named.part("attempt")? })
    }
}
