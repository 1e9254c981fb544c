//! What a receiver answered, and what it means.

use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::super::error::SinkError;

/// Longest that a receiver can have us wait.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// An answer.
#[derive(Debug)]
pub(in super::super) struct Answer {
    pub(in super::super) status: u16,
    /// When it wants to be asked again, from now.
    pub(in super::super) after: Option<Duration>,
    /// The first bytes of the body, as many as were asked for; `None` if there are more, or it broke off.
    pub(in super::super) body: Option<Vec<u8>>,
}

impl Answer {
    /// Nothing, if the status is one of `wanted`; else what it means for trying again.
    ///
    /// # Errors
    ///
    /// - 429 is [`Limited`](SinkError::Limited); 408, 425 and 5xx are [`Failed`](SinkError::Failed).
    /// - 3xx is [`Redirected`](SinkError::Redirected), any other 4xx [`Refused`](SinkError::Refused).
    /// - Another 2xx is [`Garbled`](SinkError::Garbled): whoever answered is not the receiver.
    pub(in super::super) fn expect(&self, wanted: impl FnOnce(u16) -> bool) -> Result<(), SinkError> {
        let Self { status, after, .. } = *self;
        Err(match status {
            _ if wanted(status) => return Ok(()),
            429 => SinkError::Limited { status, after },
            408 | 425 | 500.. => SinkError::Failed { status, after },
            300..400 => SinkError::Redirected { status },
            400..500 => SinkError::Refused { status },
            _ => SinkError::Garbled { status: Some(status) },
        })
    }

    /// Whether the body is this text, but for space around it.
    pub(in super::super) fn says(&self, text: &str) -> bool {
        self.body.as_deref().map(<[u8]>::trim_ascii) == Some(text.as_bytes())
    }
}

/// What `Retry-After` asks for: seconds, or a date. At most 24 h; a date that is past asks for nothing.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.bytes().all(|it| it.is_ascii_digit()) {
        true if text.is_empty() => return None,
        // More digits than a number has is long.
        true => text.parse().map_or(LONGEST_WAIT, Duration::from_secs),
        false => {
            let date: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            SystemTime::from(date).duration_since(now).ok()?
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::super::super::error::RetryClass;
    use super::*;

    fn class(status: u16, after: Option<Duration>) -> Option<RetryClass> {
        let answer = Answer { status, after, body: None };
        answer.expect(|it| it == 202).err().map(|it| it.retry())
    }

    #[test]
    fn each_status_has_its_retry_class() {
        assert_eq!(class(202, None), None);
        for status in [200, 204, 408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(class(status, None), Some(RetryClass::Later), "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 410, 413, 422, 451] {
            assert_eq!(class(status, Some(Duration::from_secs(1))), Some(RetryClass::Never), "{status}");
        }
        for status in [429, 503] {
            let after = Duration::from_secs(7);
            assert_eq!(class(status, Some(after)), Some(RetryClass::After(after)), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        let seconds = |it| Some(Duration::from_secs(it));
        assert_eq!(asked("30"), seconds(30));
        assert_eq!(asked(" 0 "), seconds(0));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT"), seconds(60));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), None);
        assert_eq!(asked("Tue, 31 Dec 2999 23:59:59 GMT"), Some(LONGEST_WAIT));
        assert_eq!(asked("999999999999999999999999999"), Some(LONGEST_WAIT));
        for text in ["", "soon", "-1", "1.5", "Sun, 99 Nov 1994", "é"] {
            assert_eq!(asked(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
