//! Detectors at their boundaries, hostile evidence, and the report's words.

mod detectors;
mod hostile;
mod made;
mod report;
mod sources;
