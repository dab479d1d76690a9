//! The rules of a queue, and the journal of its changes.

use super::*;

const VISIBILITY_MS: u64 = 180_000;

fn queues() -> Queues {
    let mut queues = Queues::new(Pace::REAL);
    let settings =
        Settings { visibility_s: VISIBILITY_MS / 1000, retention_s: 14 * 24 * 3600, redrive: None };
    queues.set("dead", settings.clone());
    let redrive = Redrive { dead_letter_queue: "dead".to_owned(), max_receive_count: 2 };
    queues.set("users", Settings { redrive: Some(redrive), ..settings });
    queues
}

fn receive(queues: &mut Queues, now_ms: u64) -> Vec<Received> {
    queues.receive("users", 10, None, now_ms).unwrap()
}

fn receipt(queues: &mut Queues, now_ms: u64) -> Uuid {
    receive(queues, now_ms)[0].receipt.parse().unwrap()
}

fn counts(visible: usize, delayed: usize, in_flight: usize) -> Option<Counts> {
    Some(Counts { visible, delayed, in_flight })
}

#[test]
fn a_message_is_received_once_until_its_visibility_has_passed() {
    let mut queues = queues();
    let id = queues.send("users", "a".to_owned(), 0, 0).unwrap();
    let first = receive(&mut queues, 1);
    assert_eq!((&first[0].id, first[0].receive_count), (&id.to_string(), 1));
    assert!(receive(&mut queues, VISIBILITY_MS).is_empty());
    assert_eq!(queues.counts("users", 2), counts(0, 0, 1));
    let again = receive(&mut queues, VISIBILITY_MS + 1);
    assert_eq!((again[0].receive_count, again[0].first_received_ms), (2, 1));
    assert_ne!(again[0].receipt, first[0].receipt);
}

#[test]
fn a_delayed_message_waits() {
    let mut queues = queues();
    queues.send("users", "a".to_owned(), 5000, 0);
    assert!(receive(&mut queues, 4999).is_empty());
    assert_eq!(queues.counts("users", 4999), counts(0, 1, 0));
    assert_eq!(queues.next_visible_ms("users", 0), Some(5000));
    assert_eq!(receive(&mut queues, 5000).len(), 1);
}

#[test]
fn only_the_last_receipt_deletes() {
    let mut queues = queues();
    queues.send("users", "a".to_owned(), 0, 0);
    let stale = receipt(&mut queues, 0);
    let last = receipt(&mut queues, VISIBILITY_MS);
    queues.delete("users", stale);
    assert_eq!(queues.counts("users", VISIBILITY_MS), counts(0, 0, 1));
    queues.delete("users", last);
    assert_eq!(queues.counts("users", VISIBILITY_MS), counts(0, 0, 0));
    assert_eq!(queues.delete("users", last), Some(()), "deleting twice is no error");
}

#[test]
fn a_late_delete_works_until_somebody_else_has_the_message() {
    let mut queues = queues();
    queues.send("users", "a".to_owned(), 0, 0);
    let receipt = receipt(&mut queues, 0);
    queues.delete("users", receipt);
    assert!(receive(&mut queues, 10 * VISIBILITY_MS).is_empty());
}

#[test]
fn a_message_received_too_often_goes_to_the_dead_letters_as_it_was() {
    let mut queues = queues();
    let id = queues.send("users", "poison".to_owned(), 0, 7).unwrap();
    for round in 0..2 {
        assert_eq!(receive(&mut queues, 7 + round * VISIBILITY_MS).len(), 1);
    }
    let now_ms = 7 + 2 * VISIBILITY_MS;
    assert!(receive(&mut queues, now_ms).is_empty());
    assert_eq!(queues.counts("users", now_ms), counts(0, 0, 0));
    let dead = queues.receive("dead", 10, None, now_ms).unwrap();
    assert_eq!((&dead[0].id, dead[0].body.as_str(), dead[0].sent_ms), (&id.to_string(), "poison", 7));
}

#[test]
fn visibility_is_changed_by_the_holder_only() {
    let mut queues = queues();
    queues.send("users", "a".to_owned(), 0, 0);
    let receipt = receipt(&mut queues, 0);
    assert_eq!(queues.change_visibility("users", receipt, 0, 1), Some(Ok(())));
    assert_eq!(receive(&mut queues, 1).len(), 1);
    assert_eq!(
        queues.change_visibility("users", receipt, 0, 1),
        Some(Err(NotChanged::NotInFlight)),
        "the receipt is stale"
    );
    assert_eq!(
        queues.change_visibility("users", Uuid::new_v4(), 0, 1),
        Some(Err(NotChanged::UnknownReceipt))
    );
}

#[test]
fn no_more_than_asked_for_and_the_oldest_first() {
    let mut queues = queues();
    for body in ["a", "b", "c"] {
        queues.send("users", body.to_owned(), 0, 0);
    }
    let bodies: Vec<_> = queues.receive("users", 2, None, 0).unwrap().into_iter().map(|m| m.body).collect();
    assert_eq!(bodies, ["a", "b"]);
}

#[test]
fn a_message_is_gone_after_the_retention() {
    let mut queues = queues();
    queues.send("users", "a".to_owned(), 0, 0);
    let after = 14 * 24 * 3_600_000;
    assert_eq!(queues.counts("users", after - 1), counts(1, 0, 0));
    assert_eq!(queues.counts("users", after), counts(0, 0, 0));
    assert!(receive(&mut queues, after).is_empty());
}

#[test]
fn an_unknown_queue_is_nobodys() {
    assert_eq!(queues().send("nothing", "a".to_owned(), 0, 0), None);
    assert_eq!(queues().receive("nothing", 1, None, 0), None);
}

/// The queues that result from the changes, applied in their order to nothing.
fn rebuilt(changes: impl IntoIterator<Item = Change>) -> Queues {
    let mut queues = Queues::new(Pace::REAL);
    changes.into_iter().for_each(|change| queues.apply(change));
    queues
}

#[test]
fn the_changes_lead_to_the_same_queues() {
    let mut queues = queues();
    let mut changes = queues.take_changes();
    for body in ["a", "b", "c"] {
        queues.send("users", body.to_owned(), 0, 7);
        changes.extend(queues.take_changes());
    }
    let first = queues.receive("users", 1, None, 8).unwrap().remove(0);
    changes.extend(queues.take_changes());
    queues.delete("users", first.receipt.parse().unwrap());
    queues.receive("users", 1, Some(0), 9);
    queues.receive("users", 1, Some(0), 9);
    changes.extend(queues.take_changes());
    // The third time the second one is a dead letter, and the third one is received.
    let held = queues.receive("users", 1, None, 9).unwrap().remove(0);
    changes.extend(queues.take_changes());
    assert!(queues.take_changes().is_empty());
    let mut again = rebuilt(changes);
    assert_eq!(again.all(), queues.all());
    assert_eq!(rebuilt(queues.all()).all(), queues.all());
    assert_eq!((again.counts("users", 9), again.counts("dead", 9)), (counts(0, 0, 1), counts(1, 0, 0)));
    // The last receipt still deletes, and what comes next does not take another's number.
    again.send("users", "d".to_owned(), 0, 9);
    again.delete("users", held.receipt.parse().unwrap());
    assert_eq!(again.counts("users", 9), counts(1, 0, 0));
}

#[test]
fn a_list_of_changes_that_is_cut_short_loses_no_message() {
    let mut queues = queues();
    queues.send("users", "poison".to_owned(), 0, 0);
    queues.receive("users", 1, Some(0), 0);
    queues.receive("users", 1, Some(0), 0);
    let before = queues.all();
    queues.take_changes();
    queues.receive("users", 1, None, 0);
    let changes = queues.take_changes();
    assert_eq!(changes.len(), 2, "from one queue to the other");
    let mut cut = rebuilt(before);
    changes.into_iter().take(1).for_each(|change| cut.apply(change));
    assert_eq!((cut.counts("users", 0), cut.counts("dead", 0)), (counts(1, 0, 0), counts(1, 0, 0)));
}

#[test]
fn dead_letters_without_their_queue_stay() {
    let mut queues = queues();
    queues.send("users", "poison".to_owned(), 0, 0);
    queues.remove("dead").unwrap();
    for _ in 0..4 {
        assert_eq!(queues.receive("users", 1, Some(0), 0).unwrap().len(), 1);
    }
}
