//! The filters of lists. A new filter is one entry here: its name in the query, its description in the contract, and what
//! it selects. Parameters that decide what is read at all are not filters: limit, cursor, times, stage, activity.

use std::str::FromStr;

use serde_json::{Value, json};
use stafett_domain::{ActivitySummary, JobStatus, SchoolUnitCode, SendStatus, TestCode};
use stafett_history::{Job, SendHeader, Wanted};

use crate::http::page::PageQuery;
use crate::http::problem::Problem;

/// Reads from a query what is wanted; none where the query does not have the parameter.
type Reading<T> = Box<dyn Fn(&PageQuery) -> Result<Option<Wanted<T>>, Problem>>;

/// A filter by something that `T` has.
pub(crate) struct Filter<T> {
    name: &'static str,
    description: &'static str,
    /// The parameter's `schema`, and perhaps an `example`.
    form: Value,
    read: Reading<T>,
}

/// For `GET /v1/sends`, and for `GET /v1/activities` by the latest send of an activity.
pub(crate) fn sends() -> Vec<Filter<SendHeader>> {
    vec![status("failed,completedWithErrors", |send: &SendHeader, status: &SendStatus| {
        send.status == *status
    })]
}

/// For `GET /v1/jobs`.
pub(crate) fn jobs() -> Vec<Filter<Job>> {
    vec![status("failed", |job: &Job, status: &JobStatus| job.status == *status)]
}

/// For `GET /v1/activities`.
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

fn status<T: 'static, V: FromStr + Send + Sync + 'static>(
    example: &str,
    has: fn(&T, &V) -> bool,
) -> Filter<T> {
    Filter::one_of(
        "status",
        "Only those with one of these statuses, separated by commas.",
        json!({"schema": {"type": "string"}, "example": example}),
        has,
    )
}

impl<T: 'static> Filter<T> {
    /// Selects what has the parameter's value.
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

    /// Selects what has one of the parameter's values, which are separated by commas.
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

/// What a query selects by these filters; none where it selects all.
pub(crate) fn selected<T: 'static>(
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

#[cfg(test)]
mod tests {
    use stafett_domain::RecordKind;

    use super::*;

    fn failed() -> Job {
        Job { status: JobStatus::Failed, ..Job::waiting(RecordKind::Person, 1, 1, 0) }
    }

    #[test]
    fn a_query_selects_by_the_filters_that_it_names() {
        let wanted = |status: &str| selected(jobs(), &PageQuery::of(&[("status", status)]));
        let wants = |status: &str| wanted(status).unwrap().unwrap()(&failed());
        assert!(wants("failed") && wants("waiting, failed"));
        assert!(!wants("waiting"));
        assert!(matches!(wanted("faild"), Err(Problem::Parameter("status"))));
        assert!(matches!(wanted(""), Err(Problem::Parameter("status"))));
        let others = PageQuery::of(&[("limit", "5"), ("schoolUnitCode", "1")]);
        assert!(selected(jobs(), &others).unwrap().is_none(), "all are wanted");
    }

    #[test]
    fn what_is_wanted_passes_every_filter() {
        let is = |name, value| Filter::is(name, "", Value::Null, value);
        let filters = || {
            vec![
                is("total", |job: &Job, total: &u32| job.counts.total == *total),
                is("batches", |job: &Job, batches: &u32| job.batches == *batches),
            ]
        };
        let wants =
            |query: &[(&str, &str)]| selected(filters(), &PageQuery::of(query)).unwrap().unwrap()(&failed());
        assert!(wants(&[("total", "1"), ("batches", "1")]) && wants(&[("batches", "1")]));
        assert!(!wants(&[("total", "1"), ("batches", "2")]));
    }
}
