//! From the runtime's dead letters to the database's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use statim::{DeadLetter, Reason};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use statim::delivery::{LetterStore, NewLetter};

/// Letters that may wait to be written. Beyond that they are counted in the log and kept in memory only: a dead letter
/// must not stop the living.
const WAITING: usize = 10_000;
/// Letters written together.
const TOGETHER: usize = 256;

/// Writes dead letters down, on a task of its own.
#[derive(Debug)]
pub(super) struct Keeper {
    inlet: Inlet,
    task: JoinHandle<()>,
}

/// Where the runtime puts letters in. Closed by the keeper's end, since the runtime keeps it as long as anybody has an
/// agent's address.
#[derive(Debug, Clone, Default)]
pub(super) struct Inlet(Arc<Mutex<Option<mpsc::Sender<NewLetter>>>>);

impl Inlet {
    /// Takes note of a letter; never blocks. What its asker was too late for is not kept: they were told, there is no payload
    /// to give back, and in an overload, which is when there are thousands of them, keeping them would be more load.
    pub(super) fn put(&self, letter: &DeadLetter) {
        if letter.body.is_none() && matches!(letter.reason, Reason::Cancelled | Reason::Expired) {
            return;
        }
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = sender.as_ref().is_some_and(|sender| sender.try_send(stored(letter)).is_ok());
        if !kept {
            tracing::error!(agent = %letter.agent, kind = letter.kind, reason = %letter.reason,
                "a dead letter could not be kept in the database");
        }
    }
}

impl Keeper {
    /// Starts writing what comes in at `inlet`.
    pub(super) fn start(inlet: Inlet, letters: LetterStore) -> Self {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        *inlet.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        let task = tokio::spawn(async move {
            let mut waiting = Vec::new();
            while receiver.recv_many(&mut waiting, TOGETHER).await > 0 {
                let count = waiting.len();
                if let Err(error) = letters.insert(std::mem::take(&mut waiting)).await {
                    tracing::error!(%error, count, "dead letters could not be kept in the database");
                }
            }
        });
        Self { inlet, task }
    }

    /// Writes what is left and ends.
    pub(super) async fn finish(self) {
        drop(self.inlet.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.task.await;
    }
}

fn stored(letter: &DeadLetter) -> NewLetter {
    NewLetter {
        at: letter.at,
        agent: letter.agent.to_string(),
        kind: letter.kind.to_owned(),
        priority: letter.priority.to_string(),
        reason: letter.reason.to_string(),
        attempts: u32::from(letter.attempts),
        age: Duration::from_nanos(letter.age_nanos),
        body: letter.body.clone(),
    }
}
