//! The data sent to Skolverket and its answers, by call and by record.

use serde_json::Value;
use stafett_domain::dependency::{Prepared, depends, prepare};
use stafett_domain::{AttemptCall, Facts, RecordId};
use stafett_skolverket::entries_about;

use crate::error::HistoryError;
use crate::item::{Attempt, Batch};
use crate::key::JobKey;
use crate::packed::Body;
use crate::store::History;

/// The bodies of a call: JSON, or text if the body was not JSON, such as a proxy's page.
pub struct AttemptBodies {
    /// The request body. Null if there was none, or if it is not stored.
    pub request: Value,
    /// The response body. Null if there was no answer.
    pub response: Value,
    /// The number of records in the call.
    pub records: usize,
}

impl History {
    /// Returns the bodies of one of a job's calls.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn attempt_bodies(
        &self,
        job: &JobKey,
        attempt: &Attempt,
    ) -> Result<AttemptBodies, HistoryError> {
        let stored_response = || attempt.response.as_deref().map(json).unwrap_or_default();
        if attempt.call == AttemptCall::Token {
            let request = attempt.request.as_deref().map(json).unwrap_or_default();
            return Ok(AttemptBodies { request, response: stored_response(), records: 0 });
        }
        let id = attempt.attempt;
        let batch = self.batch(job, id.batch).await?;
        let batch = batch.ok_or(HistoryError::Corrupt("a call for a batch that is not there"))?;
        let request = match attempt.call {
            AttemptCall::Submit => self.submitted(job, &batch, &attempt.records).await?,
            AttemptCall::Poll | AttemptCall::Token => Value::Null,
        };
        let response = if attempt.answer_kept {
            let answer = self.answer(job, &batch, id).await?.unwrap_or_default();
            json(&String::from_utf8_lossy(&answer))
        } else {
            stored_response()
        };
        let records = if attempt.records.is_empty() { batch.total as usize } else { attempt.records.len() };
        Ok(AttemptBodies { request, response, records })
    }

    /// Returns the body of a call with these records of a batch, or with all of them if `places` is empty.
    async fn submitted(&self, job: &JobKey, batch: &Batch, places: &[u32]) -> Result<Value, HistoryError> {
        let Body { body, .. } = self.body::<Facts>(job, batch).await?;
        let mut body = json(&body);
        if let Some(Value::Array(records)) = body.get_mut("data") {
            if !places.is_empty() {
                *records = places.iter().filter_map(|place| records.get(*place as usize).cloned()).collect();
            }
            self.leave_out_refused(job, records).await?;
        }
        Ok(body)
    }

    /// Turns records from a batch's body into the records as sent: without references to records that were not accepted
    /// before.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn leave_out_refused(&self, job: &JobKey, records: &mut [Value]) -> Result<(), HistoryError> {
        if !depends(job.stage) {
            return Ok(());
        }
        let refused = self.refused_before(job).await?;
        for stored in records {
            if let Prepared::Without { record, .. } = prepare(job.stage, stored, &refused) {
                *stored = record;
            }
        }
        Ok(())
    }

    /// Returns Skolverket's original answers about one record of a batch.
    ///
    /// # Errors
    /// [`HistoryError`]
    pub async fn answers_about(
        &self,
        job: &JobKey,
        batch: &Batch,
        record: RecordId,
    ) -> Result<Vec<Value>, HistoryError> {
        let mut found = Vec::new();
        for attempt in batch.outcomes().iter().flat_map(|outcomes| &outcomes.answers) {
            let Some(answer) = self.answer(job, batch, *attempt).await? else { continue };
            let answer =
                String::from_utf8(answer).map_err(|_| HistoryError::Corrupt("an answer that is no text"))?;
            found.extend(entries_about(&answer, record));
        }
        Ok(found)
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
