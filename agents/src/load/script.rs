//! What the messages say.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::value::RawValue;
use statim::Priority;
use statim::load::Request;

use super::kinds::Work;
use crate::consent::{
    AccessRequest, Actor, DataType, Effect, PatientId, Period, Provision, ProvisionId, Purpose,
};
use crate::formats::{Item, Limits, Quarantined, Sink, read_from};
use crate::generate::{Kind, Layout, Options, generate};
use crate::messages::{ConsentQuestion, Posted, PostedBatch, PostedRecord, ResearchQuestion, RevokeOrder};
use crate::record::{Identity, Kind as RecordKind, Record, Study};

/// Studies that are there before the test and are asked for.
const STUDIES: u64 = 200;

/// Patients.
const PATIENTS: u64 = 1_000;

/// Studies in a batch.
const BATCH: u64 = 5;

/// Of a hundred studies for deduplication, how many are known.
const KNOWN_PERCENT: u64 = 30;

/// Study numbers that end in seven digits.
const NUMBERS: u64 = 10_000_000;

/// Makes the messages of a load test. The same request with the same seed gives the same message.
#[derive(Debug)]
pub struct Script {
    seed: u64,
    templates: Vec<Template>,
}

/// A study, as its source writes it and as it is read.
#[derive(Debug)]
struct Template {
    id: String,
    text: String,
    study: Box<Study>,
}

impl Script {
    /// A script for a seed. Makes up some hundred studies: a tenth of a second.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut text = Vec::new();
        let options = Options { duplicates: 0.0, layout: Layout::Lines, ..Options::new(STUDIES, seed) };
        // Writing to memory does not fail, and the options are within their bounds.
        let _ = generate(Kind::Studies, &options, &mut text, &mut |_| {});
        let templates = text.split(|byte| *byte == b'\n').filter_map(Template::new).collect();
        Self { seed, templates }
    }

    /// The patients, each with what they agreed to before the test.
    pub(super) fn consents(&self) -> impl Iterator<Item = Provision> {
        (0..PATIENTS).flat_map(|number| {
            ["research", "registry"].map(|purpose| Provision {
                id: ProvisionId::new(purpose),
                patient: patient(number),
                issued: None,
                effect: Effect::Permit,
                purposes: vec![Purpose::new(purpose)],
                data_types: Vec::new(),
                actors: Vec::new(),
                period: Period::default(),
                exceptions: Vec::new(),
            })
        })
    }

    /// Whether a patient is one of a load test's.
    pub(super) fn made_up(&self) -> PatientId {
        patient(0)
    }

    /// Messages that put the studies there that will be asked for.
    pub(super) fn studies(&self) -> impl Iterator<Item = Posted> {
        self.templates.chunks(50).map(|templates| {
            let records =
                templates.iter().filter_map(|it| RawValue::from_string(it.text.clone()).ok()).collect();
            Posted::IngestionBatch(PostedBatch { source: Arc::from("load"), records })
        })
    }

    /// The message of a request; `None` if its kind is none of [`kinds`](super::kinds).
    #[must_use]
    pub fn message(&self, request: &Request) -> Option<Posted> {
        let mut random = Random(request.random);
        Some(match Work::at(request.kind)? {
            Work::PatientConsent => Posted::PatientConsent(consent(request, &mut random)),
            Work::ResearchQuery => Posted::ResearchQuery(self.query(&mut random)),
            Work::IngestionBatch => Posted::IngestionBatch(self.batch(request, &mut random)),
            Work::Deduplication => Posted::Deduplication(self.record(request, &mut random)?),
        })
    }

    fn query(&self, random: &mut Random) -> ResearchQuestion {
        let one_in_twenty = random.below(20) == 0;
        match self.template(random) {
            Some(template) if !one_in_twenty => {
                ResearchQuestion::Record(Identity { kind: RecordKind::Study, id: template.id.clone() })
            }
            _ => ResearchQuestion::Totals,
        }
    }

    fn batch(&self, request: &Request, random: &mut Random) -> PostedBatch {
        let text = |place| {
            let template = self.template(random)?;
            RawValue::from_string(template.text.replace(&template.id, &self.fresh(request, place))).ok()
        };
        PostedBatch { source: source(request), records: (0..BATCH).filter_map(text).collect() }
    }

    fn record(&self, request: &Request, random: &mut Random) -> Option<PostedRecord> {
        let known = random.below(100) < KNOWN_PERCENT;
        let mut study = self.template(random)?.study.clone();
        if !known {
            study.nct_id = self.fresh(request, 0);
            study.nct_id_aliases.clear();
        }
        Some(PostedRecord { source: source(request), record: Record::Study(study) })
    }

    fn template(&self, random: &mut Random) -> Option<&Template> {
        let place = usize::try_from(random.below(self.templates.len() as u64)).ok()?;
        self.templates.get(place)
    }

    /// A number that no other message of the test has, within ten million of them.
    fn fresh(&self, request: &Request, place: u64) -> String {
        let number = request.sequence.wrapping_mul(BATCH).wrapping_add(place);
        // One-to-one below the modulus: the multiplier shares no factor with ten.
        let number = (number % NUMBERS * 7_368_787 + self.seed % NUMBERS) % NUMBERS;
        format!("NCT9{number:07}")
    }
}

/// Whose records they are.
fn source(request: &Request) -> Arc<str> {
    Arc::from(format!("load-site-{}", request.key.unwrap_or(0)))
}

fn patient(number: u64) -> PatientId {
    PatientId::new(format!("load-patient-{number:04}"))
}

fn consent(request: &Request, random: &mut Random) -> ConsentQuestion {
    let patient = patient(request.key.unwrap_or_else(|| random.below(PATIENTS)) % PATIENTS);
    if request.priority == Priority::Critical {
        let (provision, by) = (Some(ProvisionId::new("registry")), Actor::new("load"));
        return ConsentQuestion::Revoke(RevokeOrder { patient, provision, by });
    }
    // Some permitted, some not any more, some never.
    let purpose = ["research", "registry", "marketing"][random.below(3) as usize];
    ConsentQuestion::Decide(AccessRequest {
        patient,
        actor: Actor::new("org:load"),
        purpose: Purpose::new(purpose),
        data_type: DataType::new("laboratory"),
    })
}

impl Template {
    fn new(line: &[u8]) -> Option<Self> {
        /// Keeps the study.
        struct Keep(Option<Box<Study>>);

        impl Sink for Keep {
            fn item(&mut self, item: Item) -> ControlFlow<()> {
                if let Item::Record { record: Record::Study(study), .. } = item {
                    self.0 = Some(study);
                }
                ControlFlow::Continue(())
            }

            fn quarantine(&mut self, _: Quarantined) -> ControlFlow<()> {
                ControlFlow::Break(())
            }
        }

        let mut keep = Keep(None);
        read_from("load", std::io::Cursor::new(line), &Limits::default(), &mut keep).ok()?;
        let study = keep.0?;
        Some(Self { id: study.nct_id.clone(), text: String::from_utf8(line.to_vec()).ok()?, study })
    }
}

/// Numbers from one number (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: usize, sequence: u64, priority: Priority) -> Request {
        Request { sequence, kind, share: 0, priority, key: Some(3), user: 0, random: sequence * 77 }
    }

    #[test]
    fn the_same_request_gives_the_same_message_and_another_seed_another() {
        let (one, other) = (Script::new(1), Script::new(2));
        assert_eq!(one.templates.len() as u64, STUDIES);
        for kind in 0..4 {
            let request = request(kind, 7, Priority::Low);
            let text = |script: &Script| serde_json::to_string(&script.message(&request).unwrap()).unwrap();
            assert_eq!(text(&one), text(&Script::new(1)));
            if kind != 0 {
                assert_ne!(text(&one), text(&other));
            }
        }
    }

    #[test]
    fn consent_is_taken_back_at_critical_and_asked_for_below() {
        let script = Script::new(1);
        let at = |priority| script.message(&request(0, 1, priority)).unwrap();
        assert!(matches!(at(Priority::Critical), Posted::PatientConsent(ConsentQuestion::Revoke(_))));
        assert!(matches!(at(Priority::High), Posted::PatientConsent(ConsentQuestion::Decide(_))));
        assert!(script.message(&request(4, 1, Priority::Low)).is_none());
    }

    #[test]
    fn no_two_messages_have_a_new_study_in_common() {
        let script = Script::new(9);
        let mut seen = std::collections::HashSet::new();
        for sequence in 0..500 {
            for place in 0..BATCH {
                assert!(seen.insert(script.fresh(&request(2, sequence, Priority::Low), place)));
            }
        }
        let Some(Posted::IngestionBatch(batch)) = script.message(&request(2, 3, Priority::Low)) else {
            panic!("not a batch");
        };
        assert_eq!((batch.records.len() as u64, &*batch.source), (BATCH, "load-site-3"));
        for record in batch.records {
            assert!(Template::new(record.get().as_bytes()).is_some_and(|it| seen.contains(&it.id)));
        }
    }
}
