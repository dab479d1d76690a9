//! Which calls are to go wrong, and which calls were seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallFault {
    /// The process is killed; the call is not made.
    KillBefore,
    /// The call is made, and the process killed before it sees the answer.
    KillAfter,
    /// The connection closes; the call is not made.
    CutBefore,
    /// The call is made and takes effect; the connection closes without an answer.
    CutAfter,
    /// DynamoDB or SQS answers that it has too much to do. Calls to other services pass.
    Throttle,
    /// A write of DynamoDB's collides with another one. Other calls pass.
    Conflict,
    /// The call is held until the subject's plan is set again, then made.
    HoldBefore,
    /// The call is made, and its answer held until the subject's plan is set again.
    HoldAfter,
    /// A message to a queue is sent twice. Other calls pass.
    Duplicate,
    /// A message to a queue arrives so many of the queue's seconds later, so that others overtake it. Other calls
    /// pass.
    Delay(u32),
}

/// A fault, and the calls that get it: `times` of those that match, from the `nth` on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only calls of this function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Only calls whose name begins so: `dynamodb`, `sqs.SendMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// From 1.
    #[serde(default = "one")]
    pub nth: u32,
    #[serde(default = "one")]
    pub times: u32,
    pub fault: CallFault,
}

fn one() -> u32 {
    1
}

/// A call that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    pub function: String,
    /// Its place among the function's calls for this subject, from 1.
    pub nth: u32,
    pub call: String,
    /// How many messages it sent to a queue.
    pub messages: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<CallFault>,
}

/// The plans by subject: an organisation number, or the name of a function that works for no organiser. Calls are
/// remembered only of subjects that have a plan.
#[derive(Debug, Clone, Default)]
pub struct Plans(Arc<Mutex<BTreeMap<String, Plan>>>);

/// The fault of a call.
#[derive(Debug)]
pub(super) struct HeldFault {
    pub(super) fault: CallFault,
    /// Closed when the plan is set again.
    plan: watch::Receiver<()>,
}

impl HeldFault {
    /// Waits until the subject's plan is set again.
    pub(super) async fn released(mut self) {
        // Nothing is ever sent: this ends with the plan.
        while self.plan.changed().await.is_ok() {}
    }
}

#[derive(Debug, Default)]
struct Plan {
    /// Ends with the plan, and with it whatever is held.
    life: watch::Sender<()>,
    /// Each with the number of calls that have matched it.
    rules: Vec<(Rule, u32)>,
    seen: Vec<SeenCall>,
    counts: BTreeMap<String, u32>,
}

impl Plans {
    /// Replaces a subject's plan, and forgets the calls that were seen. A plan without rules only watches.
    pub fn put(&self, subject: &str, rules: Vec<Rule>) {
        let plan = Plan { rules: rules.into_iter().map(|rule| (rule, 0)).collect(), ..Plan::default() };
        self.lock().insert(subject.to_owned(), plan);
    }

    /// A subject's calls since its plan was set.
    pub fn seen(&self, subject: &str) -> Vec<SeenCall> {
        self.lock().get(subject).map(|plan| plan.seen.clone()).unwrap_or_default()
    }

    /// Whether there is a plan at all.
    pub(super) fn are_none(&self) -> bool {
        self.lock().is_empty()
    }

    /// Records a call and gives its fault: that of the first rule that matches it and has calls left. Every rule that
    /// matches counts it.
    pub(super) fn meet(
        &self,
        subject: &str,
        function: &str,
        call: &str,
        messages: usize,
    ) -> Option<HeldFault> {
        let mut plans = self.lock();
        let plan = plans.get_mut(subject)?;
        let mut fault = None;
        for (rule, matched) in &mut plan.rules {
            let concerns = rule.function.as_ref().is_none_or(|of| of == function)
                && rule.call.as_ref().is_none_or(|start| call.starts_with(start.as_str()));
            if concerns {
                *matched += 1;
                let applies = *matched >= rule.nth && *matched - rule.nth < rule.times;
                fault = fault.or(applies.then_some(rule.fault));
            }
        }
        let nth = plan.counts.entry(function.to_owned()).or_default();
        *nth += 1;
        let (function, call) = (function.to_owned(), call.to_owned());
        plan.seen.push(SeenCall { function, nth: *nth, call, messages, fault });
        fault.map(|fault| HeldFault { fault, plan: plan.life.subscribe() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Plan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_rule_applies_to_the_calls_that_it_counts() {
        let plans = Plans::default();
        plans.put(
            "s",
            vec![rule(r#"{"function":"users","call":"dynamodb","nth":2,"times":2,"fault":"throttle"}"#)],
        );
        let met: Vec<_> = [
            ("users", "dynamodb.GetItem"),
            ("users", "sqs.SendMessage"),
            ("groups", "dynamodb.GetItem"),
            ("users", "dynamodb.PutItem"),
            ("users", "dynamodb.PutItem"),
            ("users", "dynamodb.PutItem"),
        ]
        .map(|(function, call)| plans.meet("s", function, call, 0).is_some())
        .into();
        assert_eq!(met, [false, false, false, true, true, false]);
        let seen: Vec<_> = plans.seen("s").iter().map(|call| (call.function.clone(), call.nth)).collect();
        assert_eq!(seen[2], ("groups".to_owned(), 1));
        assert_eq!(seen[3], ("users".to_owned(), 3));
    }

    #[tokio::test]
    async fn what_is_held_goes_on_when_the_plan_is_put_anew() {
        let plans = Plans::default();
        plans.put("s", vec![rule(r#"{"fault":"holdBefore"}"#)]);
        let held = plans.meet("s", "api", "dynamodb.GetItem", 0).unwrap();
        assert_eq!(held.fault, CallFault::HoldBefore);
        let mut released = std::pin::pin!(held.released());
        assert!(futures::poll!(&mut released).is_pending());
        plans.put("other", Vec::new());
        assert!(futures::poll!(&mut released).is_pending());
        plans.put("s", Vec::new());
        released.await;
    }

    #[test]
    fn a_subject_without_a_plan_is_not_watched() {
        let plans = Plans::default();
        assert!(plans.meet("s", "users", "sqs.SendMessage", 1).is_none());
        assert!(plans.are_none() && plans.seen("s").is_empty());
    }

    #[test]
    fn faults_are_written_as_people_write_them() {
        assert_eq!(rule(r#"{"fault":{"delay":3}}"#).fault, CallFault::Delay(3));
        assert_eq!(rule(r#"{"fault":"killAfter"}"#).nth, 1);
        assert!(serde_json::from_str::<Rule>(r#"{"fault":"killAfter","time":2}"#).is_err());
    }
}
