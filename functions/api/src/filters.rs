//! The filters of lists. To add a filter, add one entry here: its name in the query, its description in the contract,
//! and its condition. A condition sees only the listed item. `activity` depends on the activities of a send, so it is a
//! field of `SendFilter` in the history. Parameters that limit what is read (limit, cursor, times, stage) are not
//! filters.

use std::str::FromStr;

use serde_json::json;
use stafett_domain::{ActivitySummary, JobStatus, SchoolUnitCode, SendStatus, TestCode};
use stafett_history::{Job, SendHeader, Wanted};

use crate::contract::parameter::Parameter;
use crate::http::page::PageQuery;
use crate::http::problem::Problem;

/// Builds a condition from a query; `None` if the query does not have the parameter.
type Reading<T> = Box<dyn Fn(&PageQuery) -> Result<Option<Wanted<T>>, Problem>>;

/// A filter of a list of `T`.
pub(crate) struct Filter<T> {
    parameter: Parameter,
    read: Reading<T>,
}

/// For `GET /v1/sends`, and for `GET /v1/activities` by the latest send of an activity.
pub(crate) fn sends() -> Vec<Filter<SendHeader>> {
    let has = |send: &SendHeader, status: &SendStatus| send.status == *status;
    vec![status(SendStatus::WORDS, "failed,completedWithErrors", has)]
}

/// For `GET /v1/jobs`.
pub(crate) fn jobs() -> Vec<Filter<Job>> {
    vec![status(JobStatus::WORDS, "failed", |job: &Job, status: &JobStatus| job.status == *status)]
}

/// For `GET /v1/activities`.
pub(crate) fn activities() -> Vec<Filter<ActivitySummary>> {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    vec![
        Filter::is(
            Parameter::query("schoolUnitCode", "Only those of this school unit.", text("^[0-9]{8}$")),
            // Skolverket's id is always there; the code only if the sender gave it.
            |activity: &ActivitySummary, code: &SchoolUnitCode| code.id() == activity.school_unit.id,
        ),
        Filter::is(
            Parameter::query("testCode", "Only those of this test.", text("^[A-Za-z0-9_]{1,40}$")),
            |activity: &ActivitySummary, code: &TestCode| match activity.test_activity_id {
                Some(id) => code.id() == id,
                None => activity.test_code.as_ref() == Some(code),
            },
        ),
    ]
}

fn status<T: 'static, V: FromStr + Send + Sync + 'static>(
    words: &'static [&'static str],
    example: &'static str,
    has: fn(&T, &V) -> bool,
) -> Filter<T> {
    let parameter = words_parameter("status", "Only those with one of these statuses", words);
    Filter::one_of(parameter.such_as(example), words, has)
}

/// A parameter that takes a list of these words, separated by commas.
pub(crate) fn words_parameter(
    name: &'static str,
    description: &str,
    words: &'static [&'static str],
) -> Parameter {
    let words = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let description = format!("{description}, separated by commas: {words}.");
    Parameter::query(name, description, json!({"type": "string"}))
}

/// The parameters of these filters.
pub(crate) fn parameters<T>(filters: Vec<Filter<T>>) -> impl Iterator<Item = Parameter> {
    filters.into_iter().map(|filter| filter.parameter)
}

impl<T: 'static> Filter<T> {
    /// Selects the items that have the parameter's value.
    fn is<V: FromStr + Send + Sync + 'static>(parameter: Parameter, has: fn(&T, &V) -> bool) -> Self {
        let name = parameter.name;
        let read = Box::new(move |query: &PageQuery| {
            let value = query.one::<V>(name)?;
            Ok(value.map(|value| Box::new(move |item: &T| has(item, &value)) as Wanted<T>))
        });
        Self { parameter, read }
    }

    /// Selects the items that have one of the parameter's words.
    fn one_of<V: FromStr + Send + Sync + 'static>(
        parameter: Parameter,
        words: &'static [&'static str],
        has: fn(&T, &V) -> bool,
    ) -> Self {
        let name = parameter.name;
        let read = Box::new(move |query: &PageQuery| {
            let values = query.words::<V>(name, words)?;
            Ok(values.map(|values| {
                Box::new(move |item: &T| values.iter().any(|value| has(item, value))) as Wanted<T>
            }))
        });
        Self { parameter, read }
    }
}

/// The condition for these filters; `None` if the query uses none of them.
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
    use crate::http::parameter_fault::ParameterFault;

    fn failed() -> Job {
        Job { status: JobStatus::Failed, ..Job::waiting(RecordKind::Person, 1, 1, 0) }
    }

    #[test]
    fn a_query_selects_by_the_filters_that_it_names() {
        let wanted = |status: &str| selected(jobs(), &PageQuery::of(&[("status", status)]));
        let wants = |status: &str| wanted(status).unwrap().unwrap()(&failed());
        assert!(wants("failed") && wants("waiting, failed"));
        assert!(!wants("waiting"));
        for wrong in ["faild", "", "failed,"] {
            let Err(Problem::Parameter(fault)) = wanted(wrong) else { panic!("{wrong} selects") };
            assert_eq!(fault, ParameterFault::Word { name: "status", allowed: JobStatus::WORDS });
        }
        let others = PageQuery::of(&[("limit", "5"), ("schoolUnitCode", "1")]);
        assert!(selected(jobs(), &others).unwrap().is_none(), "all are wanted");
    }

    #[test]
    fn what_is_wanted_passes_every_filter() {
        let is = |name, value| Filter::is(Parameter::query(name, "", json!({})), value);
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
