//! From a message to the agent that answers for it, and back.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use statim::{AgentRef, AskError, Reason};

use super::message::{
    Answer, ConsentQuestion, Posted, PostedBatch, PostedRecord, ResearchQuestion, RevokeOrder,
};
use crate::catalogue::{Incoming, Prepared, SourcePosition};
use crate::consent::{ConsentMessage, Revocation};
use crate::deduplication::{BatchOutcome, DeduplicationMessage, Stored};
use crate::ingestion::{Flow, IngestionMessage, next_index};
use crate::research::ResearchMessage;

/// Longest identifier or code of a message, in bytes.
const LONGEST_CODE: usize = 256;

/// Most records of a batch.
const MOST_RECORDS: usize = 1_000;

/// Takes messages to the agents of a deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Door {
    consent: AgentRef<ConsentMessage>,
    research: AgentRef<ResearchMessage>,
    ingestion: AgentRef<IngestionMessage>,
    deduplication: AgentRef<DeduplicationMessage>,
    flow: Flow,
}

/// Why a message has no answer. Nothing here repeats what the message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It makes no sense; nothing was done.
    #[error("{field} {fault}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Its agent has too much to do, and did not begin with it.
    #[error("the {agent} agent has too much to do; send it again in a while")]
    Overloaded {
        /// Which agent.
        agent: &'static str,
    },
    /// The time it was given was over. It may still be done, if it was begun.
    #[error("the {agent} agent did not answer in time")]
    TimedOut {
        /// Which agent.
        agent: &'static str,
    },
    /// Its agent takes no more messages.
    #[error("the {agent} agent is ending")]
    Ending {
        /// Which agent.
        agent: &'static str,
    },
    /// Its agent failed to do it; the log says why.
    #[error("the {agent} agent failed to do it")]
    Failed {
        /// Which agent.
        agent: &'static str,
    },
}

impl Door {
    /// A door to these agents. What is on its way to deduplication draws on `flow`.
    #[must_use]
    pub fn new(
        consent: AgentRef<ConsentMessage>,
        research: AgentRef<ResearchMessage>,
        ingestion: AgentRef<IngestionMessage>,
        deduplication: AgentRef<DeduplicationMessage>,
        flow: Flow,
    ) -> Self {
        Self { consent, research, ingestion, deduplication, flow }
    }

    /// Takes a message in and waits until its effect is done, for at most `within`. A message that is still queued then is not
    /// handled any more, except for a revocation, which always is.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, a message that is still queued is not handled, except for a revocation.
    pub async fn answer(&self, message: Posted, within: Duration) -> Result<Answer, Refusal> {
        match message {
            Posted::PatientConsent(ConsentQuestion::Decide(request)) => {
                code("patient", request.patient.expose())?;
                code("purpose", request.purpose.as_str())?;
                code("data_type", request.data_type.as_str())?;
                let request = Box::new(request);
                let asked = self.consent.ask(|reply| ConsentMessage::Decide { request, reply });
                asked.timeout(within).await.map(Answer::Decision).map_err(|error| refusal("consent", &error))
            }
            Posted::PatientConsent(ConsentQuestion::Revoke(order)) => self.revoke(order, within).await,
            Posted::ResearchQuery(question) => self.research(question, within).await,
            Posted::IngestionBatch(batch) => self.ingest(batch, within).await,
            Posted::Deduplication(record) => self.store(record, within).await,
        }
    }

    async fn revoke(&self, order: RevokeOrder, within: Duration) -> Result<Answer, Refusal> {
        let RevokeOrder { patient, provision, by } = order;
        code("patient", patient.expose())?;
        if let Some(provision) = &provision {
            code("provision", provision.as_str())?;
        }
        let revocation = Revocation { patient, provision, at: Timestamp::now(), by };
        let asked = self.consent.ask(|reply| ConsentMessage::Revoke { revocation, reply: Some(reply) });
        let event = asked.timeout(within).await.map_err(|error| refusal("consent", &error))?;
        Ok(Answer::Revoked { seq: event.seq })
    }

    async fn research(&self, question: ResearchQuestion, within: Duration) -> Result<Answer, Refusal> {
        match question {
            ResearchQuestion::Record(identity) => {
                name("id", &identity.id)?;
                let asked = self.research.ask(|reply| ResearchMessage::Record { identity, reply });
                asked.timeout(within).await.map(Answer::Record).map_err(|error| refusal("research", &error))
            }
            ResearchQuestion::Totals => {
                let asked = self.research.ask(ResearchMessage::Totals);
                asked.timeout(within).await.map(Answer::Totals).map_err(|error| refusal("research", &error))
            }
        }
    }

    async fn ingest(&self, batch: PostedBatch, within: Duration) -> Result<Answer, Refusal> {
        const AGENT: &str = "ingestion";
        let PostedBatch { source, records } = batch;
        name("source", &source)?;
        if records.is_empty() || records.len() > MOST_RECORDS {
            return Err(Refusal::Invalid { field: "records", fault: "has none, or more than 1,000" });
        }
        let mut lines = Vec::with_capacity(records.iter().map(|record| record.get().len() + 1).sum());
        for record in records {
            // Within a JSON text a line end is white space: in a string it is escaped.
            lines.extend(
                record.get().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
            );
            lines.push(b'\n');
        }
        let share = self.flow.try_take(lines.len() as u64).ok_or(Refusal::Overloaded { agent: AGENT })?;
        let asked = self.ingestion.ask(|reply| IngestionMessage::Batch { source, lines, share, reply });
        stored(AGENT, asked.timeout(within).await)
    }

    async fn store(&self, record: PostedRecord, within: Duration) -> Result<Answer, Refusal> {
        const AGENT: &str = "deduplication";
        let PostedRecord { source, record } = record;
        name("source", &source)?;
        name("record", &record.identity().id)?;
        let source = SourcePosition { file: source, member: Arc::from(""), index: next_index() };
        let Ok(prepared) = Prepared::new(Incoming::Record { record, source }) else {
            return Err(Refusal::Invalid { field: "record", fault: "cannot be written as JSON" });
        };
        let share =
            self.flow.try_take(prepared.bytes() as u64).ok_or(Refusal::Overloaded { agent: AGENT })?;
        let asked = self.deduplication.ask(|reply| DeduplicationMessage::Batch {
            records: vec![prepared],
            quarantined: Vec::new(),
            share,
            reply,
        });
        stored(AGENT, asked.timeout(within).await)
    }
}

fn stored<M>(agent: &'static str, answer: Result<BatchOutcome, AskError<M>>) -> Result<Answer, Refusal> {
    match answer {
        Ok(BatchOutcome::Stored(Stored { records, refused, quarantined })) => {
            Ok(Answer::Stored { records, refused, quarantined })
        }
        // Of those who answer it is deduplication that refuses.
        Ok(BatchOutcome::Overloaded) => Err(Refusal::Overloaded { agent: "deduplication" }),
        Err(error) => Err(refusal(agent, &error)),
    }
}

fn refusal<M>(agent: &'static str, error: &AskError<M>) -> Refusal {
    match error {
        AskError::Full(_)
        | AskError::Overloaded(_)
        | AskError::Dropped(Reason::Shed | Reason::Overloaded) => Refusal::Overloaded { agent },
        AskError::Timeout | AskError::Dropped(Reason::Expired | Reason::Cancelled) => {
            Refusal::TimedOut { agent }
        }
        AskError::Closed(_) | AskError::Dropped(Reason::Undeliverable) => Refusal::Ending { agent },
        AskError::Dropped(_) | AskError::NoReply | AskError::Cycle(_) => Refusal::Failed { agent },
    }
}

/// A code as the consent ledger takes it.
fn code(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.len() > LONGEST_CODE {
        return Err(Refusal::Invalid { field, fault: "is longer than 256 bytes" });
    }
    name(field, text)
}

/// A name as the catalogue takes it.
fn name(field: &'static str, text: &str) -> Result<(), Refusal> {
    let fault = if text.trim().is_empty() {
        "is blank"
    } else if text.len() > 2 * LONGEST_CODE {
        "is longer than 512 bytes"
    } else if text.chars().any(char::is_control) {
        "has control characters"
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid { field, fault })
}
