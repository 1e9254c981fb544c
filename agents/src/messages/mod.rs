//! Messages from outside: what may be asked of a deployment, and by whom.
//!
//! A [`Posted`] message is one of the deployment's four kinds of work. The [`Door`] checks it, takes it to the agent that
//! answers for it, and returns the [`Answer`] when its effect is done, or the [`Refusal`]. [`router`] is the same over HTTP,
//! `POST /messages`, for those who have the [`Token`]; it is off unless a configuration says otherwise.
//!
//! ```json
//! {"patient_consent": {"decide": {"patient": "P1", "actor": "org:uni", "purpose": "research", "data_type": "labs"}}}
//! {"patient_consent": {"revoke": {"patient": "P1", "provision": "study-7"}}}
//! {"research_query": {"record": {"kind": "study", "id": "NCT04280705"}}}
//! {"research_query": "totals"}
//! {"ingestion_batch": {"source": "site-7", "records": [{"protocolSection": {}}]}}
//! {"deduplication": {"source": "site-7", "record": {"study": {"nct_id": "NCT04280705"}}}}
//! ```
//!
//! The type of a message grants its priority, as everywhere: a revocation is Critical, a decision High, a query Normal, the
//! rest Low.

mod door;
mod message;
mod route;
mod token;

pub use self::door::{Door, Refusal};
pub use self::message::{
    Answer, ConsentQuestion, Posted, PostedBatch, PostedRecord, ResearchQuestion, RevokeOrder,
};
pub use self::route::{RouteOptions, router};
pub use self::token::{Token, TokenFault};
