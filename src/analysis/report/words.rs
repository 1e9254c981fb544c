//! The report's words.

use super::document::{Block, number, text};
use crate::analysis::findings::{Analysis, Bottleneck};
use crate::analysis::limits::LONGEST_TABLE;
use crate::analysis::show;

pub(super) fn document(analysis: &Analysis) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(1, analysis.title())];
    summary(analysis, &mut blocks);
    responses(analysis, &mut blocks);
    resources(analysis, &mut blocks);
    bottlenecks(analysis, &mut blocks);
    recommendations(analysis, &mut blocks);
    forecast(analysis, &mut blocks);
    unjudged(analysis, &mut blocks);
    blocks
}

fn summary(analysis: &Analysis, blocks: &mut Vec<Block>) {
    let verdict = &analysis.verdict;
    blocks.push(Block::Heading(2, "Summary".to_owned()));
    blocks.push(Block::Paragraph(verdict.headline.clone()));
    let mut details = verdict.details.clone();
    details.push(format!("{} were looked at.", show::time(analysis.seconds)));
    blocks.push(Block::Paragraph(details.join(" ")));
    if !verdict.targets.is_empty() {
        let met = |met| match met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not told",
        };
        let rows = verdict
            .targets
            .iter()
            .map(|it| vec![it.wanted.clone(), it.observed.clone(), met(it.met).to_owned()]);
        table(blocks, vec![text("Target"), number("Measured"), text("Verdict")], rows.collect());
    }
}

fn responses(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Response times".to_owned()));
    if analysis.responses.is_empty() {
        blocks.push(Block::Paragraph("No latencies of agents are known.".to_owned()));
        return;
    }
    blocks.push(Block::Paragraph(
        "By agent and priority; where messages spent the most time comes first. Response is wait and service together.".to_owned(),
    ));
    let rows = analysis.responses.iter().map(|it| {
        let target = match (it.wanted_p99, it.met) {
            (Some(wanted), Some(met)) => {
                format!("{}, {}", show::time(wanted), if met { "met" } else { "missed" })
            }
            _ => "–".to_owned(),
        };
        vec![
            code(&it.agent),
            it.priority.to_string(),
            show::count(it.count),
            show::time(it.wait),
            show::time(it.service),
            show::time(it.response),
            show::time(it.response_p99),
            target,
        ]
    });
    let columns = vec![
        text("Agent"),
        text("Priority"),
        number("Messages"),
        number("Wait, mean"),
        number("Service, mean"),
        number("Response, mean"),
        number("Response, p99"),
        text("Target for p99"),
    ];
    table(blocks, columns, rows.collect());
}

fn resources(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Resources".to_owned()));
    if analysis.resources.is_empty() {
        blocks.push(Block::Paragraph("Nothing is known of the process, the store or the cache.".to_owned()));
    } else {
        let rows = analysis.resources.iter().map(|it| {
            vec![
                it.resource.clone(),
                it.used.clone(),
                it.limit.clone(),
                it.ratio.map_or_else(String::new, show::percent),
                it.note.clone(),
            ]
        });
        let columns = vec![text("Resource"), number("Used"), number("Limit"), number("Ratio"), text("Note")];
        table(blocks, columns, rows.collect());
    }
    if !analysis.headroom.is_empty() {
        blocks.push(Block::Paragraph("Closest to their limits:".to_owned()));
        let rows = analysis.headroom.iter().map(|it| {
            let times = if it.times <= 1.0 {
                "none".to_owned()
            } else {
                format!("{} times the load", show::three(it.times))
            };
            vec![it.resource.clone(), show::percent(it.used), show::percent(it.limit), times]
        });
        table(blocks, vec![text("What"), number("Used"), number("Limit"), number("Room")], rows.collect());
    }
}

fn bottlenecks(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Bottlenecks".to_owned()));
    if analysis.bottlenecks.is_empty() {
        blocks.push(Block::Paragraph("None was found in what was measured.".to_owned()));
    }
    for (place, found) in analysis.bottlenecks.iter().enumerate() {
        bottleneck(place + 1, found, blocks);
    }
}

fn bottleneck(place: usize, found: &Bottleneck, blocks: &mut Vec<Block>) {
    let kind = found.kind.as_str().replace('_', " ");
    blocks.push(Block::Heading(3, format!("{place}. {}: {kind}", code(&found.resource))));
    blocks.push(Block::Paragraph(found.summary.clone()));
    let rows = found.evidence.iter().map(|fact| vec![fact.what.clone(), fact.value.clone()]);
    table(blocks, vec![text("Evidence"), number("Figure")], rows.collect());
    blocks.push(Block::Paragraph(format!(
        "Estimated gain: {}. Assumed: {}.",
        found.gain.range(),
        found.gain.assumption
    )));
}

fn recommendations(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Recommendations".to_owned()));
    if analysis.recommendations.is_empty() {
        blocks.push(Block::Paragraph("Nothing has to be done.".to_owned()));
        return;
    }
    blocks.push(Block::Paragraph("In this order, one at a time, measuring in between:".to_owned()));
    let items = analysis.recommendations.iter().map(|it| format!("{} ({}.)", it.advice, it.gain.range()));
    blocks.push(Block::List { numbered: true, items: items.collect() });
}

fn forecast(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Capacity".to_owned()));
    if analysis.forecast.sentences.is_empty() {
        blocks.push(Block::Paragraph("Nothing can be forecast from what was measured.".to_owned()));
    } else {
        blocks.push(Block::List { numbered: false, items: analysis.forecast.sentences.clone() });
    }
}

fn unjudged(analysis: &Analysis, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(2, "Not judged".to_owned()));
    let rows = analysis.unjudged.iter().map(|it| vec![it.what.clone(), it.how.clone()]);
    table(blocks, vec![text("What"), text("How to have it judged")], rows.collect());
}

fn table(blocks: &mut Vec<Block>, columns: Vec<super::document::Column>, mut rows: Vec<Vec<String>>) {
    let more = rows.len().saturating_sub(LONGEST_TABLE);
    rows.truncate(LONGEST_TABLE);
    blocks.push(Block::Table { columns, rows });
    if more > 0 {
        blocks.push(Block::Paragraph(format!("… and {} more.", show::count(more as u64))));
    }
}

/// A name between backticks; one with backticks of its own loses them.
fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}
