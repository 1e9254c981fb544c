//! Which text format a scraper wants.

/// A text format of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
}

impl Format {
    /// The format for a request with this `Accept` header: OpenMetrics 1.0.0 if it is named and not refused, otherwise the
    /// older format, which everybody reads. Any text is understood as far as it goes.
    #[must_use]
    pub fn accepted(accept: Option<&str>) -> Self {
        let wanted = accept.unwrap_or_default().split(',').any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            parts.next() == Some("application/openmetrics-text")
                && parts.all(|part| match part.split_once('=') {
                    Some(("version", version)) => version == "1.0.0",
                    Some(("q", weight)) => weight.parse().is_ok_and(|weight: f64| weight > 0.0),
                    _ => true,
                })
        });
        if wanted { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The `Content-Type` of a scrape in this format.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}
