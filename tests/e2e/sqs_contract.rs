//! What Stafett relies on of SQS, as one suite for every endpoint that says it is one: by default the local stack's
//! own, else the one at `SQS_CONTRACT_ENDPOINT`. With `SQS_CONTRACT_ENDPOINT=aws` it is AWS itself, with the
//! credentials and the region of the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
//! `AWS_REGION`).
//!
//! A case makes its own queues and deletes them. Where a case is about time it takes that time, else it waits on
//! conditions: SQS's counts are approximate.

mod cases;
mod endpoint;

use std::panic::AssertUnwindSafe;

use endpoint::Endpoint;
pub(crate) use endpoint::client;
use futures::FutureExt;

/// What an emulator is known to do differently.
struct Difference {
    case: &'static str,
    what: &'static str,
    /// The message of the case when it fails for this.
    seen: &'static str,
}

/// Ministack's. Each of these cases must fail there, for just that: when one no longer does, its entry is to go.
const MINISTACK: &[Difference] = &[
    Difference {
        case: "a_delay_is_at_most_900_seconds",
        what: "a delay of 901 s is taken",
        seen: "it was not refused",
    },
    Difference {
        case: "a_second_delete_is_no_error",
        what: "a receipt whose message is gone is refused",
        seen: "ReceiptHandleIsInvalid",
    },
    Difference {
        case: "a_stale_receipt_deletes_nothing",
        what: "a receipt from before the last receive is refused",
        seen: "ReceiptHandleIsInvalid",
    },
];

macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                check(stringify!($case), async |endpoint| cases::$case(endpoint).await).await;
            }
        )*

        #[test]
        fn every_known_difference_is_one_of_a_case() {
            let cases = [$(stringify!($case)),*];
            for Difference { case, .. } in MINISTACK {
                assert!(cases.contains(case), "there is no case {case}");
            }
        }
    };
}

cases! {
    what_is_sent_is_received_until_it_is_deleted,
    an_entry_of_a_batch_fails_alone,
    a_batch_is_one_to_ten_entries_with_ids_of_their_own,
    a_delay_is_at_most_900_seconds,
    a_delayed_message_is_not_visible_before,
    a_waiting_receive_gets_what_is_sent_meanwhile,
    a_receive_of_an_empty_queue_waits_and_ends_empty,
    a_message_is_visible_again_after_its_visibility_time_out,
    a_visibility_of_zero_makes_it_visible_at_once,
    a_longer_visibility_keeps_it_away,
    a_receive_gives_as_many_as_were_asked_for,
    a_message_received_too_often_is_a_dead_letter,
    a_message_is_at_most_one_mebibyte,
    a_batch_is_at_most_one_mebibyte,
    a_stale_receipt_deletes_nothing,
    a_second_delete_is_no_error,
    what_is_no_receipt_is_refused,
    a_batch_of_deletes_has_a_result_for_each,
    the_counts_are_those_of_the_states,
    a_queue_that_does_not_exist_is_named_so,
    a_queue_is_what_it_was_created_as,
}

async fn check(name: &str, case: impl AsyncFnOnce(&Endpoint)) {
    let endpoint = Endpoint::from_environment().await;
    let known = if endpoint.is_ministack().await { MINISTACK } else { &[] };
    let result = AssertUnwindSafe(case(&endpoint)).catch_unwind().await;
    endpoint.delete_queues().await;
    match (known.iter().find(|difference| difference.case == name), result) {
        (None, Ok(())) => {}
        (None, Err(panic)) => std::panic::resume_unwind(panic),
        (Some(Difference { what, .. }), Ok(())) => panic!("{name}: no longer different: {what}"),
        (Some(Difference { what, seen, .. }), Err(panic)) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
            assert!(message.contains(seen), "{name}: not only different in that {what}: {message}");
        }
    }
}
