//! What a load test sends to: this deployment's four kinds of work, to agents in this process or to a running deployment.
//!
//! | kind | message | priority |
//! |---|---|---|
//! | `patient_consent` | at Critical a patient takes a permission back, below that somebody asks for a decision | Critical |
//! | `research_query` | the current version of a study, once in twenty the number of records | Normal |
//! | `ingestion_batch` | five studies as their source writes them | Low |
//! | `deduplication` | one study, in three of ten cases one that is known | Low |
//!
//! Messages are made up from the seed ([`Script`]); nobody in them exists. A message has ended when its effect is done: the
//! revocation is on the disk, the record in the catalogue.

mod error;
mod guide;
mod http;
mod in_process;
mod kinds;
mod preparation;
mod script;

pub use self::error::TargetError;
pub use self::guide::targets;
pub use self::http::{HttpTarget, HttpTargetOptions, snapshot};
pub use self::in_process::InProcess;
pub use self::kinds::{kinds, usual_priorities};
pub use self::script::Script;
