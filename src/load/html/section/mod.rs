//! The sections of the report, one a file. Each leaves itself out where nothing of it was measured.

mod agents;
mod baseline;
mod errors;
mod events;
mod generator;
mod latency;
mod machine;
mod promises;
mod queues;
mod raw;
mod resources;
mod saturation;
mod summary;
mod throughput;

use maud::{Markup, html};

use super::run::Run;

pub(super) use summary::summary;

/// A part of the report with a heading of its own.
#[derive(Debug)]
pub(super) struct Section {
    /// Where links to it lead.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) body: Markup,
}

impl Section {
    fn new(id: &'static str, title: &'static str, body: Markup) -> Option<Self> {
        Some(Section { id, title, body })
    }

    /// Whether it is short and of what had to hold; such sections stand beside each other.
    pub(super) fn is_promise(&self) -> bool {
        matches!(self.id, "thresholds" | "targets")
    }

    pub(super) fn markup(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-head" } {
                h2 id={ (self.id) "-head" } { (self.title) }
                (self.body)
            }
        }
    }
}

/// All sections of which there is something to say, in their order.
pub(super) fn all(run: &Run<'_>) -> Vec<Section> {
    let sections = [
        promises::thresholds(run),
        promises::targets(run),
        throughput::section(run),
        latency::section(run),
        queues::section(run),
        events::section(run),
        resources::section(run),
        saturation::section(run),
        errors::section(run),
        generator::section(run),
        baseline::section(run),
        agents::section(run),
        machine::section(run),
        raw::section(run),
    ];
    sections.into_iter().flatten().collect()
}
