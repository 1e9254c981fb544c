//! The analysis for people.

mod document;
mod html;
mod markdown;
mod words;

use super::findings::Analysis;

impl Analysis {
    /// The report in Markdown (CommonMark with tables). Names are escaped: whatever an agent is called, it stays text.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::write(&words::document(self))
    }

    /// The report as the body of an HTML page, with the same words. Names are escaped.
    #[must_use]
    pub fn html_body(&self) -> String {
        html::body(&words::document(self))
    }

    /// The report as one HTML page that needs no network.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(&self.title(), &self.html_body())
    }

    /// The report's title.
    #[must_use]
    pub fn title(&self) -> String {
        format!("Performance analysis: {}", self.subject)
    }
}
