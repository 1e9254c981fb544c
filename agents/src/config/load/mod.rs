//! The TOML file of a load test.
//!
//! [`LoadConfig::load`] reads one and either understands all of it or says everything that is wrong with it at once, like
//! the file of the deployment. Four are built in, as they are in `config/load/`: [`LoadConfig::NAMES`].

mod breaking;
mod scenario;

#[cfg(test)]
mod tests;

use std::path::Path;

use statim::load::{Kind, Scenario};

use self::scenario::scenario;
use super::alerts::table::Notes;
use super::fault::Faults;

/// A load test, as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadConfig {
    /// What is done.
    pub scenario: Scenario,
    origin: String,
}

impl LoadConfig {
    /// The scenarios that are built in.
    pub const NAMES: [&str; 4] = ["light", "moderate", "heavy", "stress"];

    /// Reads a file of at most 1 MiB, for a target that knows these kinds of messages.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, or why it cannot be read.
    pub fn load(path: &Path, kinds: &[Kind]) -> Result<Self, Faults> {
        let (text, origin) = super::text_of(path)?;
        Self::parse(&text, &origin, kinds)
    }

    /// The scenario of this name among those that are built in; `None` if none is.
    ///
    /// # Errors
    ///
    /// Never for a target that knows the kinds of the deployment, unless the program was built with a file that its own
    /// tests refuse.
    pub fn built_in(name: &str, kinds: &[Kind]) -> Option<Result<Self, Faults>> {
        macro_rules! text {
            ($name:literal) => {
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/load/", $name, ".toml"))
            };
        }
        let text = match name {
            "light" => text!("light"),
            "moderate" => text!("moderate"),
            "heavy" => text!("heavy"),
            "stress" => text!("stress"),
            _ => return None,
        };
        Some(Self::parse(text, &format!("the built-in scenario {name}"), kinds))
    }

    /// Reads a scenario from its text; `origin` is the name by which faults call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str, origin: &str, kinds: &[Kind]) -> Result<Self, Faults> {
        let (mut notes, mut file) = Notes::parse(text);
        let scenario = scenario(&mut notes, &mut file, kinds);
        file.finish(&mut notes);
        let faults = notes.finish();
        if faults.is_empty() {
            Ok(Self { scenario, origin: origin.to_owned() })
        } else {
            Err(Faults::of(origin.to_owned(), faults))
        }
    }

    /// What it was read from.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
