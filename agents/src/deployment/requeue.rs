//! Dead letters that an operator gave back: to their agents again.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use statim::AgentRef;

use super::pipeline::Pipeline;
use crate::catalogue::{CatalogueError, DeadLetter, DeadLetters};
use crate::consent::{ConsentMessage, Provision, Revocation};
use crate::ingestion::IngestionMessage;

/// Letters taken at a time.
const TOGETHER: u32 = 100;
/// How long a letter is lent to this process; lent again after that, if it never said it was done.
const LEASE: Duration = Duration::from_secs(300);

/// Gives requeued letters to their agents, and says how many.
pub(super) async fn requeue(
    letters: &DeadLetters,
    pipeline: &Pipeline,
    consent: &AgentRef<ConsentMessage>,
) -> Result<u64, CatalogueError> {
    let mut given = 0;
    for agent in [Pipeline::INGESTION, "consent"] {
        let lent = letters.take_requeued(agent, TOGETHER, Timestamp::now(), LEASE).await?;
        let mut done = Vec::new();
        for letter in &lent {
            if give(letter, pipeline, consent).await {
                done.push(letter.id);
            } else {
                tracing::warn!(
                    id = letter.id,
                    agent,
                    kind = letter.letter.kind,
                    "a requeued letter was not accepted"
                );
            }
        }
        given += letters.finish(&done).await?;
    }
    Ok(given)
}

/// Whether its agent has it.
async fn give(letter: &DeadLetter, pipeline: &Pipeline, consent: &AgentRef<ConsentMessage>) -> bool {
    let Some(body) = &letter.letter.body else { return false };
    match letter.letter.kind.as_str() {
        "file" => match serde_json::from_slice::<FileBody>(body) {
            Ok(FileBody { path }) => {
                pipeline.ingestion().tell(IngestionMessage::File { path, reply: None }).await.is_ok()
            }
            Err(_) => false,
        },
        "revoke" => match serde_json::from_slice::<Revocation>(body) {
            Ok(revocation) => consent.tell(ConsentMessage::Revoke { revocation, reply: None }).await.is_ok(),
            Err(_) => false,
        },
        "import" => match serde_json::from_slice::<Provision>(body) {
            Ok(provision) => consent.tell(ConsentMessage::Import(Box::new(provision))).await.is_ok(),
            Err(_) => false,
        },
        _ => false,
    }
}

#[derive(Deserialize)]
struct FileBody {
    path: std::path::PathBuf,
}
