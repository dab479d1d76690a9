//! What a queue does with its messages. Pure: the time is an argument, in milliseconds since 1970.

use std::collections::BTreeMap;

use uuid::Uuid;

/// A queue's settings, durations at the stack's pace.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// How long a received message stays invisible, in milliseconds.
    pub(super) visibility_ms: u64,
    /// How long a message is kept, in milliseconds.
    pub(super) retention_ms: u64,
    /// The dead-letter queue and the number of receives after which a message goes there.
    pub(super) redrive: Option<(String, u32)>,
}

/// A message as its receiver gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id, the same at every receive.
    pub id: Uuid,
    /// The handle of this receive.
    pub receipt: Uuid,
    /// What was sent.
    pub body: String,
    /// When it was sent.
    pub sent_ms: u64,
    /// When it was received for the first time.
    pub first_received_ms: u64,
    /// How often it has been received, this time included.
    pub receive_count: u32,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ready to be received.
    pub visible: usize,
    /// Sent with a delay that has not passed.
    pub delayed: usize,
    /// Received and neither deleted nor visible again.
    pub in_flight: usize,
}

/// Why a visibility could not be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotChanged {
    /// No message of this queue has or had this receipt.
    UnknownReceipt,
    /// The message is visible again: its receiver has lost it.
    NotInFlight,
}

/// All queues of the stack; a name that is not one of theirs is the caller's mistake, answered with `None`.
#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: BTreeMap<String, Queue>,
}

#[derive(Debug)]
struct Queue {
    settings: Settings,
    /// By the order in which they came.
    messages: BTreeMap<u64, Message>,
    /// Every receipt given out, so that an old one can be told from a made-up one. Gone with its message.
    receipts: BTreeMap<Uuid, u64>,
    next: u64,
}

#[derive(Debug)]
struct Message {
    id: Uuid,
    body: String,
    sent_ms: u64,
    first_received_ms: Option<u64>,
    receive_count: u32,
    visible_at_ms: u64,
    /// The handle of the last receive in this queue.
    receipt: Option<Uuid>,
}

impl Queue {
    fn put(&mut self, message: Message) {
        self.messages.insert(self.next, message);
        self.next += 1;
    }

    fn take(&mut self, key: u64) -> Option<Message> {
        let message = self.messages.remove(&key)?;
        self.receipts.retain(|_, of| *of != key);
        Some(message)
    }

    fn expire(&mut self, now_ms: u64) {
        let retention_ms = self.settings.retention_ms;
        let old: Vec<u64> = self
            .messages
            .iter()
            .filter(|(_, message)| message.sent_ms.saturating_add(retention_ms) <= now_ms)
            .map(|(key, _)| *key)
            .collect();
        for key in old {
            self.take(key);
        }
    }
}

impl Queues {
    /// Adds an empty queue.
    pub(super) fn create(&mut self, name: &str, settings: Settings) {
        let queue = Queue { settings, messages: BTreeMap::new(), receipts: BTreeMap::new(), next: 0 };
        self.queues.insert(name.to_owned(), queue);
    }

    /// Adds a message and gives its id.
    pub(super) fn send(&mut self, name: &str, body: String, delay_ms: u64, now_ms: u64) -> Option<Uuid> {
        let queue = self.queues.get_mut(name)?;
        let id = Uuid::new_v4();
        queue.put(Message {
            id,
            body,
            sent_ms: now_ms,
            first_received_ms: None,
            receive_count: 0,
            visible_at_ms: now_ms.saturating_add(delay_ms),
            receipt: None,
        });
        Some(id)
    }

    /// Receives up to `max` visible messages; `visibility_ms` instead of the queue's own. Those received too often
    /// before go to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        name: &str,
        max: usize,
        visibility_ms: Option<u64>,
        now_ms: u64,
    ) -> Option<Vec<Received>> {
        let queue = self.queues.get_mut(name)?;
        queue.expire(now_ms);
        let visibility_ms = visibility_ms.unwrap_or(queue.settings.visibility_ms);
        let redrive = queue.settings.redrive.clone();
        let visible: Vec<u64> = queue
            .messages
            .iter()
            .filter(|(_, message)| message.visible_at_ms <= now_ms)
            .map(|(key, _)| *key)
            .collect();
        let mut received = Vec::new();
        let mut dead = Vec::new();
        for key in visible {
            if received.len() == max {
                break;
            }
            let Some(message) = queue.messages.get_mut(&key) else { continue };
            if let Some((_, max_receives)) = &redrive
                && message.receive_count >= *max_receives
            {
                dead.extend(queue.take(key));
                continue;
            }
            let receipt = Uuid::new_v4();
            let first_received_ms = *message.first_received_ms.get_or_insert(now_ms);
            message.receive_count += 1;
            message.receipt = Some(receipt);
            message.visible_at_ms = now_ms.saturating_add(visibility_ms);
            received.push(Received {
                id: message.id,
                receipt,
                body: message.body.clone(),
                sent_ms: message.sent_ms,
                first_received_ms,
                receive_count: message.receive_count,
            });
            queue.receipts.insert(receipt, key);
        }
        if let Some((dead_letter_queue, _)) = redrive
            && let Some(target) = self.queues.get_mut(&dead_letter_queue)
        {
            for message in dead {
                target.put(Message { receipt: None, visible_at_ms: now_ms, ..message });
            }
        }
        Some(received)
    }

    /// Deletes a message by the handle of its last receive. An older handle does nothing, nor does one whose message
    /// is gone: as on AWS both look like success.
    pub(super) fn delete(&mut self, name: &str, receipt: Uuid) -> Option<()> {
        let queue = self.queues.get_mut(name)?;
        if let Some(&key) = queue.receipts.get(&receipt)
            && queue.messages.get(&key).is_some_and(|message| message.receipt == Some(receipt))
        {
            queue.take(key);
        }
        Some(())
    }

    /// Makes a received message visible in `visibility_ms` from now.
    pub(super) fn change_visibility(
        &mut self,
        name: &str,
        receipt: Uuid,
        visibility_ms: u64,
        now_ms: u64,
    ) -> Option<Result<(), NotChanged>> {
        let queue = self.queues.get_mut(name)?;
        let message = queue.receipts.get(&receipt).and_then(|key| queue.messages.get_mut(key));
        Some(match message {
            None => Err(NotChanged::UnknownReceipt),
            Some(message) if message.receipt != Some(receipt) || message.visible_at_ms <= now_ms => {
                Err(NotChanged::NotInFlight)
            }
            Some(message) => {
                message.visible_at_ms = now_ms.saturating_add(visibility_ms);
                Ok(())
            }
        })
    }

    /// When the next message that is not visible yet will be.
    pub(super) fn next_visible_ms(&self, name: &str, now_ms: u64) -> Option<u64> {
        let messages = self.queues.get(name)?.messages.values();
        messages.map(|message| message.visible_at_ms).filter(|at| *at > now_ms).min()
    }

    /// What a queue holds.
    pub(super) fn counts(&self, name: &str, now_ms: u64) -> Option<Counts> {
        let queue = self.queues.get(name)?;
        let mut counts = Counts::default();
        for message in queue.messages.values() {
            if message.sent_ms.saturating_add(queue.settings.retention_ms) <= now_ms {
                continue;
            }
            match (message.visible_at_ms <= now_ms, message.receipt) {
                (true, _) => counts.visible += 1,
                (false, None) => counts.delayed += 1,
                (false, Some(_)) => counts.in_flight += 1,
            }
        }
        Some(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY_MS: u64 = 180_000;

    fn queues() -> Queues {
        let mut queues = Queues::default();
        let settings =
            Settings { visibility_ms: VISIBILITY_MS, retention_ms: 14 * 24 * 3_600_000, redrive: None };
        queues.create("dead", settings.clone());
        queues.create("users", Settings { redrive: Some(("dead".to_owned(), 2)), ..settings });
        queues
    }

    fn receive(queues: &mut Queues, now_ms: u64) -> Vec<Received> {
        queues.receive("users", 10, None, now_ms).unwrap()
    }

    fn counts(visible: usize, delayed: usize, in_flight: usize) -> Option<Counts> {
        Some(Counts { visible, delayed, in_flight })
    }

    #[test]
    fn a_message_is_received_once_until_its_visibility_has_passed() {
        let mut queues = queues();
        let id = queues.send("users", "a".to_owned(), 0, 0).unwrap();
        let first = receive(&mut queues, 1);
        assert_eq!((first[0].id, first[0].receive_count), (id, 1));
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
        let stale = receive(&mut queues, 0)[0].receipt;
        let last = receive(&mut queues, VISIBILITY_MS)[0].receipt;
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
        let receipt = receive(&mut queues, 0)[0].receipt;
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
        assert_eq!((dead[0].id, dead[0].body.as_str(), dead[0].sent_ms), (id, "poison", 7));
    }

    #[test]
    fn visibility_is_changed_by_the_holder_only() {
        let mut queues = queues();
        queues.send("users", "a".to_owned(), 0, 0);
        let receipt = receive(&mut queues, 0)[0].receipt;
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
        let bodies: Vec<_> =
            queues.receive("users", 2, None, 0).unwrap().into_iter().map(|m| m.body).collect();
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
}
