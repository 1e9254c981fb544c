//! What a link is guarded by, in code and in a configuration file.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::message::Priority;
use crate::resilience::{
    BreakerForm, BreakerOptions, BulkheadOptions, InvalidOptions, PolicyOptions, RateLimitOptions,
    RetryOptions,
};

/// Which messages go past the guards of a link unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exempt {
    /// None.
    None,
    /// Critical ones: what may not wait may not be refused either. The default.
    #[default]
    Critical,
    /// Critical and High ones.
    High,
}

impl Exempt {
    /// Whether a message of this priority goes past the guards.
    #[must_use]
    pub const fn covers(self, priority: Priority) -> bool {
        match self {
            Self::None => false,
            Self::Critical => matches!(priority, Priority::Critical),
            Self::High => matches!(priority, Priority::Critical | Priority::High),
        }
    }
}

/// The options of a [`Link`](super::Link). The default guards nothing, and counts.
///
/// In a configuration file they are a table. What is left out is taken from `preset` (`"none"`, `"resilience4j"` or
/// `"health_sync"`); a part that is `false` is not there, whatever the preset says.
///
/// ```
/// use statim::LinkOptions;
///
/// let options: LinkOptions = toml::from_str(r#"
///     preset = "resilience4j"
///     bulkhead = false
///     rate_limit = { permits = 500 }
///
///     [breaker]
///     failure_rate = 0.25
/// "#)?;
/// options.validate()?;
/// assert_eq!(options.guards.breaker.map(|it| (it.failure_rate, it.probes)), Some((0.25, 10)));
/// assert_eq!(options.guards.bulkhead, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
#[must_use]
pub struct LinkOptions {
    /// The guards. The timeout is the time that a `tell` waits for room and that an `ask` waits for its answer.
    pub guards: PolicyOptions,
    /// Which messages go past them. Default: Critical ones.
    pub exempt: Exempt,
}

impl LinkOptions {
    /// resilience4j's defaults: a breaker (half of 100 calls failed, or all slower than 60 s; open for 60 s), 25 calls at
    /// a time, 1 s for a call, three attempts. It has no rate limit worth the name.
    pub fn resilience4j() -> Self {
        Self {
            guards: PolicyOptions {
                timeout: Some(Duration::from_secs(1)),
                rate_limit: None,
                bulkhead: Some(BulkheadOptions::default()),
                breaker: Some(BreakerOptions::default()),
                retry: Some(RetryOptions::default()),
            },
            exempt: Exempt::default(),
        }
    }

    /// HealthSync's breaker and nothing else: five failures in a row open it for 60 s.
    pub fn health_sync() -> Self {
        Self::default().breaker(BreakerOptions::health_sync())
    }

    /// When to stop sending for a while.
    pub fn breaker(mut self, options: BreakerOptions) -> Self {
        self.guards.breaker = Some(options);
        self
    }

    /// How many messages may be sent in how much time.
    pub fn rate_limit(mut self, options: RateLimitOptions) -> Self {
        self.guards.rate_limit = Some(options);
        self
    }

    /// How many messages may be under way at a time: sent and not yet handled, or asked and not yet answered.
    pub fn bulkhead(mut self, options: BulkheadOptions) -> Self {
        self.guards.bulkhead = Some(options);
        self
    }

    /// How long a `tell` may wait for room, and an `ask` for its answer; 1 ms to a day.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.guards.timeout = Some(time);
        self
    }

    /// When to send a message again that came back.
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.guards.retry = Some(options);
        self
    }

    /// Which messages go past the guards.
    pub fn exempt(mut self, exempt: Exempt) -> Self {
        self.exempt = exempt;
        self
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds, by its path, such as `breaker.failure_rate`.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        self.guards.validate()
    }
}

/// Where parts that a file leaves out come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    None,
    Resilience4j,
    #[serde(alias = "healthsync")]
    HealthSync,
}

/// As it is written in a configuration file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<Preset>,
    exempt: Option<Exempt>,
    timeout_seconds: Option<Part<f64>>,
    rate_limit: Option<Part<RateLimitOptions>>,
    bulkhead: Option<Part<BulkheadOptions>>,
    breaker: Option<Part<BreakerForm>>,
    retry: Option<Part<RetryOptions>>,
}

/// A part of the guards: whether it is there, or what it is.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<T> {
    Is(bool),
    As(T),
}

/// Not derived: that would say of every fault only that nothing fits.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor(PhantomData))
    }
}

struct PartVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PartVisitor<T> {
    type Value = Part<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("false, or the options")
    }

    fn visit_bool<E: Error>(self, is: bool) -> Result<Part<T>, E> {
        Ok(Part::Is(is))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Part<T>, E> {
        T::deserialize(number.into_deserializer()).map(Part::As)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Part<T>, E> {
        T::deserialize(number.into_deserializer()).map(Part::As)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Part<T>, E> {
        T::deserialize(number.into_deserializer()).map(Part::As)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Part::As)
    }
}

impl<T> Part<T> {
    /// What is written, over what is there without it.
    fn over<U>(
        written: Option<Self>,
        base: Option<U>,
        default: impl Fn() -> U,
        read: impl Fn(T, U) -> U,
    ) -> Option<U> {
        match written {
            None => base,
            Some(Self::Is(false)) => None,
            Some(Self::Is(true)) => Some(base.unwrap_or_else(default)),
            Some(Self::As(part)) => Some(read(part, base.unwrap_or_else(default))),
        }
    }
}

impl From<Form> for LinkOptions {
    fn from(form: Form) -> Self {
        let base = match form.preset {
            None | Some(Preset::None) => Self::default(),
            Some(Preset::Resilience4j) => Self::resilience4j(),
            Some(Preset::HealthSync) => Self::health_sync(),
        };
        let PolicyOptions { timeout, rate_limit, bulkhead, breaker, retry } = base.guards;
        // What is no duration becomes the longest, which is reported with every other fault.
        let seconds = |it: f64, _| Duration::try_from_secs_f64(it).unwrap_or(Duration::MAX);
        Self {
            guards: PolicyOptions {
                timeout: Part::over(form.timeout_seconds, timeout, || Duration::from_secs(1), seconds),
                rate_limit: Part::over(form.rate_limit, rate_limit, RateLimitOptions::default, |it, _| it),
                bulkhead: Part::over(form.bulkhead, bulkhead, BulkheadOptions::default, |it, _| it),
                breaker: Part::over(form.breaker, breaker, BreakerOptions::default, BreakerForm::over),
                retry: Part::over(form.retry, retry, RetryOptions::default, |it, _| it),
            },
            exempt: form.exempt.unwrap_or_default(),
        }
    }
}

impl From<LinkOptions> for Form {
    fn from(options: LinkOptions) -> Self {
        let PolicyOptions { timeout, rate_limit, bulkhead, breaker, retry } = options.guards;
        Self {
            preset: None,
            exempt: Some(options.exempt),
            timeout_seconds: timeout.map(|it| Part::As(it.as_secs_f64())),
            rate_limit: rate_limit.map(Part::As),
            bulkhead: bulkhead.map(Part::As),
            breaker: breaker.map(|it| Part::As(it.into())),
            retry: retry.map(Part::As),
        }
    }
}
