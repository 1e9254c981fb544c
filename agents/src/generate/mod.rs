//! Synthetic but format-true health data, made from a seed.
//!
//! [`generate`] writes any number of studies, articles, labels, applications, products, events, people or consent
//! events to a writer, and returns the [`Truth`]: how many of the records are distinct, which were planted broken, how
//! many are repeats and how many are newer editions, so that a test or a load run can compare what a pipeline found
//! against what is really there. [`write_file`] does the same to a file, compressed when its name ends in `.gz`.
//!
//! Every record is a function of the seed and its position alone, and is made again when a later record repeats it.
//! So memory stays constant however many records are asked for, and the same [`Kind`] and [`Options`] give the same
//! bytes on every machine: no clock, no hash-map order, no floating-point arithmetic whose rounding could differ.
//!
//! Nothing here can be mistaken for a real person or document: study ids lie in the unassigned `NCT9…` range, PMIDs
//! have nine digits and begin with 9, numbers shaped like social security numbers lie in areas that were never issued,
//! telephone numbers end in 555-0100 to 555-0199, and people, places, drugs and companies are invented.

mod articles;
mod calendar;
mod consents;
mod dice;
mod driver;
mod drugs;
mod error;
mod events;
mod fault;
mod file;
mod json;
mod kind;
mod labels;
mod options;
mod people;
mod prose;
mod sequence;
mod source;
mod studies;
mod study;
mod truth;
mod words;
mod xml;

#[cfg(test)]
mod tests;

pub use driver::generate;
pub use error::GenerateError;
pub use fault::{Fault, Planted};
pub use file::{layout_of, write_file, write_file_unless};
pub use kind::{Kind, UnknownKind};
pub use options::{Layout, Options};
pub use truth::Truth;
