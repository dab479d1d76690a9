//! A queue and its messages. Pure: the time is an argument, in milliseconds since 1970.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::settings::Settings;
use crate::clock::saturating_ms;
use crate::pace::Pace;
use crate::template::Redrive;

/// A message as its receiver gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id, the same at every receive.
    pub id: String,
    /// The handle of this receive.
    pub receipt: String,
    pub body: String,
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
#[derive(Debug)]
pub(super) struct Queues {
    pace: Pace,
    queues: BTreeMap<String, Queue>,
    /// The changes since they were last taken.
    changed: BTreeSet<Place>,
}

/// What can change: a queue, or a message by its queue and its number there. Queues sort before messages, so that each
/// queue is reported before its messages.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Queue(String),
    Message(String, u64),
}

/// What something is after a change. Each says all of it: of several about the same the last one holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Change {
    /// A queue; without settings it has been deleted, and its messages with it.
    Queue { name: String, settings: Option<Settings> },
    /// A message; without one it is no longer in this queue.
    Message { queue: String, number: u64, message: Option<Message> },
}

#[derive(Debug)]
struct Queue {
    settings: Settings,
    /// By the order in which they came.
    messages: BTreeMap<u64, Message>,
    /// Every receipt given out, to distinguish an old one from a made-up one. Removed with its message.
    receipts: BTreeMap<Uuid, u64>,
    next: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
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
    fn new(settings: Settings) -> Self {
        Self { settings, messages: BTreeMap::new(), receipts: BTreeMap::new(), next: 0 }
    }

    /// Adds a message and gives its number.
    fn put(&mut self, message: Message) -> u64 {
        let number = self.next;
        self.messages.insert(number, message);
        self.next += 1;
        number
    }

    fn take(&mut self, number: u64) -> Option<Message> {
        let message = self.messages.remove(&number)?;
        self.receipts.retain(|_, of| *of != number);
        Some(message)
    }

    /// The numbers of the messages whose retention has ended.
    fn expired(&self, now_ms: u64, pace: Pace) -> Vec<u64> {
        let retention_ms = at_pace_ms(pace, self.settings.retention_s);
        let messages = self.messages.iter();
        let old = messages.filter(|(_, message)| message.sent_ms.saturating_add(retention_ms) <= now_ms);
        old.map(|(number, _)| *number).collect()
    }
}

/// SQS's seconds at the stack's pace, in milliseconds.
pub(super) fn at_pace_ms(pace: Pace, seconds: u64) -> u64 {
    saturating_ms(pace.duration(Duration::from_secs(seconds)))
}

impl Queues {
    /// No queues; durations that are given in seconds run at this pace.
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, queues: BTreeMap::new(), changed: BTreeSet::new() }
    }

    /// Adds an empty queue, or sets one that is there.
    pub(super) fn set(&mut self, name: &str, settings: Settings) {
        match self.queues.get_mut(name) {
            Some(queue) => queue.settings = settings,
            None => drop(self.queues.insert(name.to_owned(), Queue::new(settings))),
        }
        self.changed.insert(Place::Queue(name.to_owned()));
    }

    /// Removes a queue with all that it holds.
    pub(super) fn remove(&mut self, name: &str) -> Option<()> {
        self.queues.remove(name)?;
        self.changed.insert(Place::Queue(name.to_owned()));
        Some(())
    }

    /// The settings of a queue.
    pub(super) fn settings(&self, name: &str) -> Option<&Settings> {
        self.queues.get(name).map(|queue| &queue.settings)
    }

    /// Repeats a change from the journal.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Queue { name, settings: None } => drop(self.queues.remove(&name)),
            Change::Queue { name, settings: Some(settings) } => self.set(&name, settings),
            Change::Message { queue, number, message } => {
                let Some(queue) = self.queues.get_mut(&queue) else { return };
                queue.take(number);
                queue.next = queue.next.max(number + 1);
                if let Some(message) = message {
                    queue.receipts.extend(message.receipt.map(|receipt| (receipt, number)));
                    queue.messages.insert(number, message);
                }
            }
        }
    }

    /// Everything, as the changes that lead to it.
    pub(super) fn all(&self) -> Vec<Change> {
        let mut all = Vec::new();
        for (name, queue) in &self.queues {
            all.push(Change::Queue { name: name.clone(), settings: Some(queue.settings.clone()) });
            all.extend(queue.messages.iter().map(|(number, message)| Change::Message {
                queue: name.clone(),
                number: *number,
                message: Some(message.clone()),
            }));
        }
        all
    }

    /// How many queues and messages there are.
    pub(super) fn len(&self) -> usize {
        self.queues.values().map(|queue| 1 + queue.messages.len()).sum()
    }

    /// What has changed since this was last asked for. What is there comes before what is gone: of a message that
    /// moved, a list cut short may leave two, never none.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let changes = std::mem::take(&mut self.changed).into_iter().map(|place| match place {
            Place::Queue(name) => {
                let settings = self.settings(&name).cloned();
                Change::Queue { name, settings }
            }
            Place::Message(queue, number) => {
                let message = self.queues.get(&queue).and_then(|queue| queue.messages.get(&number)).cloned();
                Change::Message { queue, number, message }
            }
        });
        let (gone, mut there): (Vec<_>, Vec<_>) =
            changes.partition(|change| matches!(change, Change::Message { message: None, .. }));
        there.extend(gone);
        there
    }

    /// Adds a message and gives its id.
    pub(super) fn send(&mut self, name: &str, body: String, delay_ms: u64, now_ms: u64) -> Option<Uuid> {
        let queue = self.queues.get_mut(name)?;
        let id = Uuid::new_v4();
        let number = queue.put(Message {
            id,
            body,
            sent_ms: now_ms,
            first_received_ms: None,
            receive_count: 0,
            visible_at_ms: now_ms.saturating_add(delay_ms),
            receipt: None,
        });
        self.changed.insert(Place::Message(name.to_owned(), number));
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
        let redrive = self.queues.get(name)?.settings.redrive.clone();
        // Without that queue the messages stay.
        let redrive = redrive.filter(|redrive| self.queues.contains_key(&redrive.dead_letter_queue));
        let queue = self.queues.get_mut(name)?;
        for number in queue.expired(now_ms, self.pace) {
            queue.take(number);
            self.changed.insert(Place::Message(name.to_owned(), number));
        }
        let visibility_ms = visibility_ms.unwrap_or(at_pace_ms(self.pace, queue.settings.visibility_s));
        let visible: Vec<u64> = queue
            .messages
            .iter()
            .filter(|(_, message)| message.visible_at_ms <= now_ms)
            .map(|(number, _)| *number)
            .collect();
        let mut received = Vec::new();
        let mut dead = Vec::new();
        for number in visible {
            if received.len() == max {
                break;
            }
            let Some(message) = queue.messages.get_mut(&number) else { continue };
            self.changed.insert(Place::Message(name.to_owned(), number));
            if let Some(redrive) = &redrive
                && message.receive_count >= redrive.max_receive_count
            {
                dead.extend(queue.take(number));
                continue;
            }
            let receipt = Uuid::new_v4();
            let first_received_ms = *message.first_received_ms.get_or_insert(now_ms);
            message.receive_count += 1;
            message.receipt = Some(receipt);
            message.visible_at_ms = now_ms.saturating_add(visibility_ms);
            received.push(Received {
                id: message.id.to_string(),
                receipt: receipt.to_string(),
                body: message.body.clone(),
                sent_ms: message.sent_ms,
                first_received_ms,
                receive_count: message.receive_count,
            });
            queue.receipts.insert(receipt, number);
        }
        if let Some(Redrive { dead_letter_queue, .. }) = redrive
            && let Some(target) = self.queues.get_mut(&dead_letter_queue)
        {
            for message in dead {
                let number = target.put(Message { receipt: None, visible_at_ms: now_ms, ..message });
                self.changed.insert(Place::Message(dead_letter_queue.clone(), number));
            }
        }
        Some(received)
    }

    /// Deletes a message by the handle of its last receive. An older handle does nothing, nor does one whose message
    /// is gone: as on AWS both look like success.
    pub(super) fn delete(&mut self, name: &str, receipt: Uuid) -> Option<()> {
        let queue = self.queues.get_mut(name)?;
        if let Some(&number) = queue.receipts.get(&receipt)
            && queue.messages.get(&number).is_some_and(|message| message.receipt == Some(receipt))
        {
            queue.take(number);
            self.changed.insert(Place::Message(name.to_owned(), number));
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
        let number = queue.receipts.get(&receipt).copied();
        let message = number.and_then(|number| Some((number, queue.messages.get_mut(&number)?)));
        Some(match message {
            None => Err(NotChanged::UnknownReceipt),
            Some((_, message)) if message.receipt != Some(receipt) || message.visible_at_ms <= now_ms => {
                Err(NotChanged::NotInFlight)
            }
            Some((number, message)) => {
                message.visible_at_ms = now_ms.saturating_add(visibility_ms);
                self.changed.insert(Place::Message(name.to_owned(), number));
                Ok(())
            }
        })
    }

    /// When the next message that is not visible yet will be.
    pub(super) fn next_visible_ms(&self, name: &str, now_ms: u64) -> Option<u64> {
        let messages = self.queues.get(name)?.messages.values();
        messages.map(|message| message.visible_at_ms).filter(|at| *at > now_ms).min()
    }

    /// How many messages a queue holds.
    pub(super) fn counts(&self, name: &str, now_ms: u64) -> Option<Counts> {
        let queue = self.queues.get(name)?;
        let mut counts = Counts::default();
        let retention_ms = at_pace_ms(self.pace, queue.settings.retention_s);
        for message in queue.messages.values() {
            if message.sent_ms.saturating_add(retention_ms) <= now_ms {
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
mod tests;
