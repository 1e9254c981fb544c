//! The label of openFDA, whose sections are keys beside its ids.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::record::{Label, OpenFda, PartialDate, lenient};

/// A label as it is written.
#[derive(Debug, Default)]
pub(super) struct Wire(Label);

impl Wire {
    pub(super) fn into_label(self, source: &str) -> Label {
        Label { source: source.to_owned(), ..self.0 }
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Wire;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a label")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wire, A::Error> {
                let mut label = Label::default();
                let mut sections = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "set_id" => {
                            label.set_id = map.next_value::<Text>()?.0.unwrap_or_default();
                        }
                        "id" => label.id = map.next_value::<Text>()?.0,
                        "version" => label.version = map.next_value::<Text>()?.0,
                        "effective_time" => {
                            let text = map.next_value::<Text>()?.0;
                            label.effective_time = text.as_deref().map(PartialDate::new);
                        }
                        "openfda" => {
                            label.openfda = map.next_value::<Option<OpenFda>>()?.unwrap_or_default();
                        }
                        _ => {
                            if let Section(Some(texts)) = map.next_value()? {
                                sections.insert(key, texts);
                            }
                        }
                    }
                }
                label.sections = sections;
                Ok(Wire(label))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text(#[serde(deserialize_with = "lenient::text")] Option<String>);

/// A list of texts, or one. A section of any other form has no typed place; it stays in the source of the record.
struct Section(Option<Vec<String>>);

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SectionVisitor)
    }
}

struct SectionVisitor;

impl<'de> Visitor<'de> for SectionVisitor {
    type Value = Section;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Section, E> {
        Ok(Section(Some(vec![text.to_owned()])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Section, A::Error> {
        let mut texts = Some(Vec::new());
        while let Some(Section(item)) = list.next_element()? {
            match (&mut texts, item) {
                (Some(texts), Some(item)) => texts.extend(item),
                _ => texts = None,
            }
        }
        Ok(Section(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Section, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Section(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Section, E> {
        Ok(Section(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Section, E> {
        Ok(Section(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Section, E> {
        Ok(Section(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Section, E> {
        Ok(Section(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Section, E> {
        Ok(Section(None))
    }
}
