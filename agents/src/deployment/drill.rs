//! A drill: revocations of a made-up patient at an interval, so that their latency under the real load is seen.

use std::time::Duration;

use jiff::Timestamp;
use statim::Link;
use tokio::task::JoinHandle;

use crate::consent::{Actor, ConsentMessage, PatientId, ProvisionId, Revocation};

/// Sends a revocation every `interval` until it is dropped. Open model: a slow answer does not delay the next one.
#[derive(Debug)]
pub(super) struct Drill {
    task: JoinHandle<()>,
}

impl Drill {
    pub(super) fn start(consent: Link<ConsentMessage>, interval: Duration) -> Self {
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            // Late ticks are made up for: a drill that waits with the system would not see it wait.
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                let revocation = Revocation {
                    patient: PatientId::new("statim-drill"),
                    provision: Some(ProvisionId::new("statim-drill")),
                    at: Timestamp::now(),
                    by: Actor::new("drill"),
                };
                let told = consent.tell(ConsentMessage::Revoke { revocation, reply: None }).await;
                if told.is_err_and(|error| error.is_closed()) {
                    return;
                }
            }
        });
        Self { task }
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        self.task.abort();
    }
}
