//! The filters of lists. A row here is all there is of one: its name in the query, what it chooses, and its description,
//! which the contract takes from here.
//!
//! What says where a list is read from is none of these: `limit`, `cursor`, times, a stage, an activity.

use std::str::FromStr;

use serde_json::{Value, json};
use stafett_domain::{ActivitySummary, JobStatus, SchoolUnitCode, SendStatus, TestCode};
use stafett_history::{Job, SendHeader, Wanted};

use crate::http::page::PageQuery;
use crate::http::problem::Problem;

/// Reads off a query what it asks for; none where it asks for all.
type Reading<T> = Box<dyn Fn(&PageQuery) -> Result<Option<Wanted<T>>, Problem>>;

/// A filter of a list by something that `T` has.
pub(crate) struct Filter<T> {
    name: &'static str,
    description: &'static str,
    /// Of the parameter: its `schema`, and perhaps an `example`.
    form: Value,
    read: Reading<T>,
}

/// Of `GET /v1/sends`, and by the latest send of an activity of `GET /v1/activities`.
pub(crate) fn sends() -> Vec<Filter<SendHeader>> {
    vec![Filter::one_of(
        "status",
        "Only those with one of these statuses, separated by commas.",
        json!({"schema": {"type": "string"}, "example": "failed,completedWithErrors"}),
        |send: &SendHeader, status: &SendStatus| send.status == *status,
    )]
}

/// Of `GET /v1/jobs`.
pub(crate) fn jobs() -> Vec<Filter<Job>> {
    vec![Filter::one_of(
        "status",
        "Only those with one of these statuses, separated by commas.",
        json!({"schema": {"type": "string"}, "example": "failed"}),
        |job: &Job, status: &JobStatus| job.status == *status,
    )]
}

/// Of `GET /v1/activities`.
pub(crate) fn activities() -> Vec<Filter<ActivitySummary>> {
    vec![
        Filter::is(
            "schoolUnitCode",
            "Only those of this school unit.",
            json!({"schema": {"type": "string", "pattern": "^[0-9]{8}$"}}),
            // By Skolverket's id, which is there whether or not the sender gave the code.
            |activity: &ActivitySummary, code: &SchoolUnitCode| code.id() == activity.school_unit.id,
        ),
        Filter::is(
            "testCode",
            "Only those of this test.",
            json!({"schema": {"type": "string", "pattern": "^[A-Za-z0-9_]{1,40}$"}}),
            |activity: &ActivitySummary, code: &TestCode| match activity.test_activity_id {
                Some(id) => code.id() == id,
                None => activity.test_code.as_ref() == Some(code),
            },
        ),
    ]
}

impl<T: 'static> Filter<T> {
    /// Chooses what has this value.
    fn is<V: FromStr + Send + Sync + 'static>(
        name: &'static str,
        description: &'static str,
        form: Value,
        has: fn(&T, &V) -> bool,
    ) -> Self {
        let read = Box::new(move |query: &PageQuery| {
            let value = query.one::<V>(name)?;
            Ok(value.map(|value| Box::new(move |item: &T| has(item, &value)) as Wanted<T>))
        });
        Self { name, description, form, read }
    }

    /// Chooses what has one of these values.
    fn one_of<V: FromStr + Send + Sync + 'static>(
        name: &'static str,
        description: &'static str,
        form: Value,
        has: fn(&T, &V) -> bool,
    ) -> Self {
        let read = Box::new(move |query: &PageQuery| {
            let values = query.several::<V>(name)?;
            Ok(values.map(|values| {
                Box::new(move |item: &T| values.iter().any(|value| has(item, value))) as Wanted<T>
            }))
        });
        Self { name, description, form, read }
    }

    /// The parameter as the contract describes it.
    pub(crate) fn parameter(&self) -> Value {
        let mut parameter = json!({"name": self.name, "in": "query", "description": self.description});
        if let (Some(parameter), Some(form)) = (parameter.as_object_mut(), self.form.as_object()) {
            parameter.extend(form.clone());
        }
        parameter
    }
}

/// What a query asks for by these filters; none where it asks for all.
pub(crate) fn chosen<T: 'static>(
    filters: Vec<Filter<T>>,
    query: &PageQuery,
) -> Result<Option<Wanted<T>>, Problem> {
    let mut wanted = Vec::new();
    for filter in filters {
        wanted.extend((filter.read)(query)?);
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(move |item: &T| wanted.iter().all(|wants| wants(item)))))
}
