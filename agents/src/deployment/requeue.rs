//! Dead letters that an operator gave back: to their agents again.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use statim::Link;

use super::error::DeploymentError;
use super::pipeline::Pipeline;
use super::report::IngestReport;
use crate::consent::{ConsentMessage, Provision, Revocation};
use statim::delivery::{LetterFilter, LetterStatus, LetterStore, LettersError, StoredLetter};

/// The name of the consent agent.
const CONSENT: &str = "consent";
/// Letters taken at a time.
const TOGETHER: u32 = 100;
/// How long a letter is lent to this process; lent again after that, if it never said it was done.
const LEASE: Duration = Duration::from_secs(300);

/// What became of requeued letters.
#[derive(Debug, Clone, Default)]
pub struct Requeued {
    /// Letters that their agents have again.
    pub given: u64,
    /// What came of the files among them.
    pub ingest: IngestReport,
}

/// Gives requeued letters to their agents.
pub(super) async fn requeue(
    letters: &LetterStore,
    pipeline: &Pipeline,
    consent: &Link<ConsentMessage>,
) -> Result<Requeued, DeploymentError> {
    let mut requeued = Requeued { given: requeue_consent(letters, consent).await?, ..Requeued::default() };
    for letter in lend(letters, Pipeline::INGESTION).await? {
        let Some(FileBody { path }) = body(&letter, "file") else {
            warn(&letter);
            continue;
        };
        let came = pipeline.ingest(vec![path], &mut |_| {}).await?;
        // What cannot be read once more has a new letter; what was read in part keeps this one, to be lent again.
        if came.interrupted == 0 && came.not_stored == 0 {
            requeued.given += letters.finish(&[letter.id]).await?;
        }
        requeued.ingest += came;
    }
    Ok(requeued)
}

/// Marks the revocations that were given up, in an earlier life of this deployment, to be handed over again. What withheld
/// their patients' data was that process's memory, and it is gone: nobody may be permitted what they revoked until
/// somebody looks into the dead letters.
pub(super) async fn revive_revocations(letters: &LetterStore) -> Result<u64, LettersError> {
    let filter = LetterFilter {
        agent: Some(CONSENT.to_owned()),
        kind: Some("revoke".to_owned()),
        status: Some(LetterStatus::Parked),
        ..LetterFilter::default()
    };
    letters.requeue(&filter).await
}

/// Gives requeued letters to the consent agent, and says how many.
pub(super) async fn requeue_consent(
    letters: &LetterStore,
    consent: &Link<ConsentMessage>,
) -> Result<u64, LettersError> {
    let mut done = Vec::new();
    for letter in lend(letters, CONSENT).await? {
        let message = match letter.letter.kind.as_str() {
            "revoke" => body::<Revocation>(&letter, "revoke")
                .map(|revocation| ConsentMessage::Revoke { revocation, reply: None }),
            _ => body::<Provision>(&letter, "import").map(|it| ConsentMessage::Import(Box::new(it))),
        };
        let accepted = match message {
            Some(message) => consent.tell(message).await.is_ok(),
            None => false,
        };
        if accepted {
            done.push(letter.id);
        } else {
            warn(&letter);
        }
    }
    letters.finish(&done).await
}

async fn lend(letters: &LetterStore, agent: &str) -> Result<Vec<StoredLetter>, LettersError> {
    letters.take_requeued(agent, TOGETHER, SystemTime::now(), LEASE).await
}

fn body<T: DeserializeOwned>(letter: &StoredLetter, kind: &str) -> Option<T> {
    let body = letter.letter.body.as_ref().filter(|_| letter.letter.kind == kind)?;
    serde_json::from_slice(body).ok()
}

fn warn(letter: &StoredLetter) {
    let (agent, kind) = (&letter.letter.agent, &letter.letter.kind);
    tracing::warn!(id = letter.id, agent, kind, "a requeued letter was not accepted");
}

#[derive(Deserialize)]
struct FileBody {
    path: std::path::PathBuf,
}
