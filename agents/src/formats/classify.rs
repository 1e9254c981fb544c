//! Telling from its keys what a JSON object is.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a JSON value seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A study of the ClinicalTrials.gov API v2.
    Study,
    /// A Drugs@FDA application.
    Application,
    /// An NDC product.
    Product,
    /// A label.
    Label,
    /// An adverse-event report.
    Event,
    /// A record of another format, which has a name and is not read.
    Foreign(&'static str),
    /// Not a record: it lacks what would say which one.
    Broken(&'static str),
}

/// Reads the whole value for its syntax, and the keys of an object for its shape.
pub(super) fn classify(text: &str) -> Result<Shape, serde_json::Error> {
    serde_json::from_str::<Keys>(text).map(|keys| keys.shape())
}

macro_rules! keys {
    ($($constant:ident = $name:literal),+ $(,)?) => {
        // The names are those of the constants, which they number.
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Bit { $($constant),+ }
        $(const $constant: u64 = 1 << Bit::$constant as u64;)+
        fn bit(name: &str) -> u64 {
            match name {
                $($name => $constant,)+
                _ => 0,
            }
        }
    };
}

keys! {
    PROTOCOL = "protocolSection",
    DERIVED = "derivedSection",
    RESULTS_SECTION = "resultsSection",
    FULL_STUDIES = "FullStudiesResponse",
    STUDY_FIELDS = "StudyFieldsResponse",
    FULL_STUDY = "Study",
    ERROR = "error",
    SCHEMA = "$schema",
    PROPERTIES = "properties",
    TERM = "term",
    COUNT = "count",
    REPORT_ID = "safetyreportid",
    PRODUCT_NDC = "product_ndc",
    SPL_PRODUCT_NDC = "spl_product_ndc",
    APPLICATION_NUMBER = "application_number",
    PRODUCTS = "products",
    SUBMISSIONS = "submissions",
    SET_ID = "set_id",
    ID = "id",
    EFFECTIVE_TIME = "effective_time",
    K_NUMBER = "k_number",
    PMA_NUMBER = "pma_number",
    MDR_KEY = "mdr_report_key",
    UDI_KEY = "public_device_record_key",
    DEVICE_CLASS = "device_class",
    RES_EVENT = "res_event_number",
    CFRES = "cfres_id",
    RECALL_NUMBER = "recall_number",
    RECALLING_FIRM = "recalling_firm",
    RECALLING_FIRM_OLD = "recalling-firm",
    ANIMAL_REPORT = "unique_aer_id_number",
    ESTABLISHMENT = "establishment_type",
    REPORT_NUMBER = "report_number",
    PIECE = "piece",
    SOURCE_TYPE = "sourceType",
    RESOURCE_TYPE = "resourceType",
    UNII = "unii",
    UUID = "uuid",
    OP = "op",
}

/// The known keys of an object, as bits; `None` for a value that is no object.
struct Keys(Option<u64>);

impl Keys {
    fn shape(&self) -> Shape {
        let Some(keys) = self.0 else {
            return Shape::Broken("a value where a record was expected");
        };
        let any = |bits: u64| keys & bits != 0;
        let all = |bits: u64| keys & bits == bits;
        if any(PROTOCOL) {
            return Shape::Study;
        }
        if any(REPORT_ID) {
            return Shape::Event;
        }
        if any(SPL_PRODUCT_NDC) {
            return Shape::Foreign("an intermediate file of openFDA (harmonised identifiers)");
        }
        if any(PRODUCT_NDC) {
            return Shape::Product;
        }
        if any(APPLICATION_NUMBER) && any(PRODUCTS | SUBMISSIONS) {
            return Shape::Application;
        }
        if any(SET_ID) || all(ID | EFFECTIVE_TIME) {
            return Shape::Label;
        }
        if let Some(name) = foreign(keys) {
            return Shape::Foreign(name);
        }
        Shape::Broken(if any(DERIVED | RESULTS_SECTION) {
            "a ClinicalTrials.gov study without its protocolSection"
        } else {
            "a JSON object with none of the keys of a known record"
        })
    }
}

/// The format that these keys belong to, if it is one of those that are known and not read.
fn foreign(keys: u64) -> Option<&'static str> {
    let any = |bits: u64| keys & bits != 0;
    let all = |bits: u64| keys & bits == bits;
    let known: [(bool, &str); 18] = [
        (any(FULL_STUDIES | FULL_STUDY | STUDY_FIELDS), CTGOV_V1),
        (any(ERROR), "an error message of a server in place of data"),
        (any(SCHEMA | PROPERTIES), "a JSON Schema"),
        (all(TERM | COUNT), "openFDA count results; they hold no records"),
        (any(K_NUMBER), "openFDA device 510(k) clearances"),
        (any(PMA_NUMBER), "openFDA device premarket approvals"),
        (any(MDR_KEY), "openFDA device adverse events"),
        (any(UDI_KEY), "openFDA unique device identifiers"),
        (any(RES_EVENT | CFRES), "openFDA device recalls"),
        (any(DEVICE_CLASS), "openFDA device classification"),
        (any(ESTABLISHMENT), "openFDA device registration"),
        (any(RECALL_NUMBER | RECALLING_FIRM | RECALLING_FIRM_OLD), "FDA enforcement reports"),
        (any(ANIMAL_REPORT), "openFDA animal and veterinary adverse events"),
        (any(REPORT_NUMBER), "openFDA food or tobacco reports"),
        (any(PIECE | SOURCE_TYPE), "the field list of ClinicalTrials.gov"),
        (any(RESOURCE_TYPE), "a FHIR resource"),
        (any(UNII) && any(UUID), "openFDA substance data"),
        (any(OP), "consent events; they are for `replay` in the configuration"),
    ];
    known.into_iter().find_map(|(holds, name)| holds.then_some(name))
}

/// The retired API, which two readers name.
pub(super) const CTGOV_V1: &str =
    "ClinicalTrials.gov API v1 (FullStudies), retired in 2024; fetch the studies from API v2";

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = 0;
        while let Some(KeyBit(bit)) = map.next_key()? {
            keys |= bit;
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Keys(Some(keys)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Keys(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys(None))
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys(None))
    }
}

struct KeyBit(u64);

impl<'de> Deserialize<'de> for KeyBit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = KeyBit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, name: &str) -> Result<KeyBit, E> {
                Ok(KeyBit(bit(name)))
            }
        }
        deserializer.deserialize_str(Name)
    }
}
