//! `[links]` and `[admission]`: what stands between agents.

use statim::LinkOptions;
use statim::resilience::{AdmissionOptions, InvalidOptions};

use super::reader::Document;
use super::shape::Shape;

/// `[links]`: the guards on each link of the deployment, by the link's name. The default guards none, and counts: what is
/// told waits for room, and nothing that is lost by being refused is refused unless an operator wants it so.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinksConfig {
    /// `"ingestion -> deduplication"`: records on their way into the catalogue. A reader whose record is refused tries
    /// again until it passes.
    pub records: LinkOptions,
    /// `"monitor -> alerting"`: what the monitor saw. What is refused is told with the next look.
    pub readings: LinkOptions,
    /// `"replay -> consent"`: the consent events that are played. What is refused counts as unanswered.
    pub replay: LinkOptions,
    /// `"requeue -> consent"`: dead letters given back. What is refused is given back later.
    pub requeue: LinkOptions,
    /// `"drill -> consent"`: made-up revocations. Critical, so guarded only if `exempt` is `"none"`.
    pub drill: LinkOptions,
}

impl LinksConfig {
    const NAMES: [&'static str; 5] = [
        "ingestion -> deduplication",
        "monitor -> alerting",
        "replay -> consent",
        "requeue -> consent",
        "drill -> consent",
    ];

    /// The options of each link, by name.
    pub fn by_name(&self) -> [(&'static str, &LinkOptions); 5] {
        let [records, readings, replay, requeue, drill] = Self::NAMES;
        [
            (records, &self.records),
            (readings, &self.readings),
            (replay, &self.replay),
            (requeue, &self.requeue),
            (drill, &self.drill),
        ]
    }

    fn named(&mut self, name: &str) -> Option<&mut LinkOptions> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        let all =
            [&mut self.records, &mut self.readings, &mut self.replay, &mut self.requeue, &mut self.drill];
        all.into_iter().nth(place)
    }
}

/// `[admission]`: agents that refuse the least urgent of their messages while messages wait too long. For agents whose
/// senders can bear to be refused; readers wait for deduplication instead.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AdmissionConfig {
    /// `consent`. Default: it refuses nothing.
    pub consent: Option<AdmissionOptions>,
}

pub(super) fn links(document: &mut Document<'_>) -> LinksConfig {
    let mut links = LinksConfig::default();
    let names = LinksConfig::NAMES;
    document.tables("links", "a link", &names, &LINK, |name, value| {
        let options: LinkOptions = value.try_into().map_err(unreadable)?;
        let valid = options.validate();
        if let Some(link) = links.named(name) {
            *link = options;
        }
        valid.map_err(faults)
    });
    links
}

pub(super) fn admission(document: &mut Document<'_>) -> AdmissionConfig {
    let mut admission = AdmissionConfig::default();
    document.tables("admission", "admission control for", &["consent"], &ADMISSION, |_, value| {
        let options: AdmissionOptions = value.try_into().map_err(unreadable)?;
        admission.consent = Some(options);
        options.validate().map_err(faults)
    });
    admission
}

/// Faults of options, by the path of the field; an empty path is the options themselves.
type OptionFaults = Vec<(String, String)>;

fn faults(invalid: InvalidOptions) -> OptionFaults {
    invalid.faults().iter().map(|fault| (fault.field.clone(), fault.message.clone())).collect()
}

/// What has the right shape is read, unless the shape is wrong itself.
fn unreadable(error: toml::de::Error) -> OptionFaults {
    vec![(String::new(), error.message().to_owned())]
}

static LINK: Shape = Shape::Table(&[
    ("preset", Shape::Choice(&["none", "resilience4j", "health_sync", "healthsync"])),
    ("exempt", Shape::Choice(&["none", "critical", "high"])),
    ("timeout_seconds", Shape::Part(&Shape::Number)),
    ("rate_limit", Shape::Part(&RATE_LIMIT)),
    ("bulkhead", Shape::Part(&BULKHEAD)),
    ("breaker", Shape::Part(&BREAKER)),
    ("retry", Shape::Part(&RETRY)),
]);

static RATE_LIMIT: Shape = Shape::Table(&[
    ("permits", Shape::Whole),
    ("per_seconds", Shape::Number),
    ("burst", Shape::Whole),
    ("max_wait_seconds", Shape::Number),
]);

static BULKHEAD: Shape =
    Shape::Table(&[("max_concurrent", Shape::Whole), ("max_wait_seconds", Shape::Number)]);

static BREAKER: Shape = Shape::Table(&[
    ("preset", Shape::Choice(&["resilience4j", "health_sync", "healthsync"])),
    ("window", Shape::Table(&[("calls", Shape::Whole), ("seconds", Shape::Number)])),
    ("minimum_calls", Shape::Whole),
    ("failure_rate", Shape::Number),
    ("slow_call_seconds", Shape::Number),
    ("slow_call_rate", Shape::Number),
    ("judge_slow_calls", Shape::Flag),
    ("open_seconds", Shape::Number),
    ("open_longest_seconds", Shape::Number),
    ("open_jitter", JITTER),
    ("probes", Shape::Whole),
    ("longest_half_open_seconds", Shape::Number),
]);

static RETRY: Shape = Shape::Table(&[
    ("attempts", Shape::Whole),
    (
        "backoff",
        Shape::Table(&[
            ("first_seconds", Shape::Number),
            ("longest_seconds", Shape::Number),
            ("jitter", JITTER),
        ]),
    ),
    ("retry_timeouts", Shape::Flag),
    (
        "budget",
        Shape::Table(&[("ratio", Shape::Number), ("per_second", Shape::Number), ("burst", Shape::Whole)]),
    ),
]);

const JITTER: Shape = Shape::Choice(&["none", "equal", "full"]);

static ADMISSION: Shape = Shape::Table(&[
    ("high_target_seconds", Shape::Number),
    ("normal_target_seconds", Shape::Number),
    ("low_target_seconds", Shape::Number),
    ("clear", Shape::Number),
    ("interval_seconds", Shape::Number),
    ("refuse_high", Shape::Flag),
]);

#[cfg(test)]
mod tests {
    use statim::resilience::{Backoff, BreakerOptions, BulkheadOptions, RateLimitOptions, RetryOptions};

    use super::*;

    /// Every path of a shape, and every path that options write.
    fn of_shape(shape: &Shape, path: &str, paths: &mut Vec<String>) {
        match shape {
            Shape::Part(shape) => of_shape(shape, path, paths),
            Shape::Table(fields) => {
                fields.iter().for_each(|(name, shape)| of_shape(shape, &format!("{path}.{name}"), paths));
            }
            _ => paths.push(path.to_owned()),
        }
    }

    fn of_value(value: &toml::Value, path: &str, paths: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => {
                table.iter().for_each(|(name, value)| of_value(value, &format!("{path}.{name}"), paths));
            }
            _ => paths.push(path.to_owned()),
        }
    }

    #[test]
    fn the_shapes_name_every_field_of_the_options_and_no_other() {
        let breaker = BreakerOptions {
            minimum_calls: Some(5),
            longest_half_open: Some(std::time::Duration::from_secs(1)),
            ..BreakerOptions::default()
        };
        let rate = RateLimitOptions { burst: Some(1), ..RateLimitOptions::per_second(1) };
        let retry = RetryOptions { backoff: Backoff::default(), ..RetryOptions::default() };
        let options = LinkOptions::resilience4j().rate_limit(rate).breaker(breaker).retry(retry);
        let options = options.bulkhead(BulkheadOptions::default());
        let mut written = Vec::new();
        of_value(&toml::Value::try_from(options).unwrap(), "", &mut written);
        let by_time = BreakerOptions {
            window: statim::resilience::Window::Time(std::time::Duration::from_secs(1)),
            ..breaker
        };
        of_value(&toml::Value::try_from(options.breaker(by_time)).unwrap(), "", &mut written);
        written.extend([".preset".to_owned(), ".breaker.preset".to_owned()]);
        written.sort();
        written.dedup();
        let mut known = Vec::new();
        of_shape(&LINK, "", &mut known);
        known.sort();
        assert_eq!(known, written);

        let (mut known, mut written) = (Vec::new(), Vec::new());
        of_shape(&ADMISSION, "", &mut known);
        of_value(&toml::Value::try_from(AdmissionOptions::default()).unwrap(), "", &mut written);
        known.sort();
        written.sort();
        assert_eq!(known, written);
    }
}
