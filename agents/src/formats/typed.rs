//! From the text of one JSON record to the typed record.

use serde::de::DeserializeOwned;

use super::classify::Shape;
use super::{ctgov, openfda, reason};
use crate::record::{Application, Event, Product, Record};

/// What is wrong with a record: the field and the reason.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) path: Option<String>,
    pub(super) reason: String,
}

impl Refusal {
    fn missing(path: &str) -> Self {
        Self { path: Some(path.to_owned()), reason: "the id of the record is empty".to_owned() }
    }
}

/// Builds the record of a shape that is read. The text is valid JSON.
pub(super) fn build(shape: Shape, text: &str) -> Result<Record, Refusal> {
    match shape {
        Shape::Study => {
            let study = parse::<ctgov::Wire>(text)?.into_study(text);
            require("protocolSection.identificationModule.nctId", &study.nct_id)?;
            Ok(Record::Study(Box::new(study)))
        }
        Shape::Application => {
            let mut application = parse::<Application>(text)?;
            require("application_number", &application.application_number)?;
            text.clone_into(&mut application.source);
            Ok(Record::Application(Box::new(application)))
        }
        Shape::Product => {
            let mut product = parse::<Product>(text)?;
            require("product_ndc", &product.product_ndc)?;
            text.clone_into(&mut product.source);
            Ok(Record::Product(Box::new(product)))
        }
        Shape::Label => {
            let label = parse::<openfda::Wire>(text)?.into_label(text);
            let id = if label.set_id.is_empty() { label.id.as_deref() } else { Some(&*label.set_id) };
            require("set_id", id.unwrap_or_default())?;
            Ok(Record::Label(Box::new(label)))
        }
        Shape::Event => {
            let mut event = parse::<Event>(text)?;
            require("safetyreportid", &event.safetyreportid)?;
            text.clone_into(&mut event.source);
            Ok(Record::Event(Box::new(event)))
        }
        Shape::Foreign(name) => Err(Refusal { path: None, reason: format!("not supported: {name}") }),
        Shape::Broken(what) => Err(Refusal { path: None, reason: format!("not a record: {what}") }),
    }
}

fn require(path: &str, id: &str) -> Result<(), Refusal> {
    if id.trim().is_empty() { Err(Refusal::missing(path)) } else { Ok(()) }
}

/// Parses at full speed, and only when that fails once more with the path of each field followed.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).or_else(|first| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut deserializer).map_err(
            |error: serde_path_to_error::Error<serde_json::Error>| Refusal {
                path: reason::shown_path(&error.path().to_string()),
                reason: reason::of_json(&first),
            },
        )
    })
}
