//! Charts as SVG inside the page. Lines are drawn on a canvas that stretches; text and marks keep their size, so one
//! drawing reads well from a telephone to a wide screen. No script is needed.

mod axis;
mod band;
mod label;
mod line;
mod scale;

use maud::{Markup, html};
use serde_json::json;

pub(crate) use axis::{Axis, nines};
pub(crate) use band::{Band, ROW, Row};
pub(crate) use line::Line;
pub(crate) use scale::Scale;

/// Height of an ordinary plot, in CSS pixels.
pub(crate) const HEIGHT: u32 = 210;

/// A chart: a title, what it says in a sentence, and the drawing.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// Unique on the page.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// What is to be seen, for everybody; also the description for those who cannot see it.
    pub(crate) says: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) stages: Vec<Band>,
    pub(crate) lines: Vec<Line>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) rules: Vec<Rule>,
    /// What a pointer reads off: path in an entry of the result's series, name, unit.
    pub(crate) reads: Vec<[String; 3]>,
}

/// A single point with a shape of its own.
#[derive(Debug, Clone)]
pub(crate) struct Dot {
    pub(crate) at: (f64, f64),
    pub(crate) class: &'static str,
    pub(crate) hollow: bool,
    pub(crate) says: String,
}

/// A line across the plot with a name: a bound, a knee.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) at: f64,
    pub(crate) upright: bool,
    pub(crate) class: &'static str,
    pub(crate) name: String,
}

impl Chart {
    pub(crate) fn new(
        id: &'static str,
        title: impl Into<String>,
        x: Axis,
        y: Axis,
        lines: Vec<Line>,
    ) -> Self {
        Chart {
            id,
            title: title.into(),
            says: String::new(),
            x,
            y,
            stages: Vec::new(),
            lines,
            dots: Vec::new(),
            rules: Vec::new(),
            reads: Vec::new(),
        }
    }

    pub(crate) fn says(mut self, says: impl Into<String>) -> Self {
        self.says = says.into();
        self
    }

    pub(crate) fn stages(mut self, stages: &[Band]) -> Self {
        self.stages = stages.to_vec();
        self
    }

    pub(crate) fn reads(mut self, reads: Vec<[String; 3]>) -> Self {
        self.reads = reads;
        self
    }

    pub(crate) fn figure(&self) -> Markup {
        let drawing = html! {
            (band::stages(&self.stages, &self.x.scale, HEIGHT))
            (self.y.vertical(HEIGHT, if self.stages.is_empty() { 0 } else { band::NAMES }))
            (self.x.horizontal(HEIGHT))
            (self.rules())
            svg.canvas width="100%" height=(HEIGHT) preserveAspectRatio="none"
                viewBox={ "0 0 " (line::CANVAS.0) " " (line::CANVAS.1) } {
                @for line in &self.lines { (line.markup(&self.x.scale, &self.y.scale)) }
            }
            (self.dots())
            (self.names())
        };
        let read = (!self.reads.is_empty()).then(|| self.readable());
        frame(self.id, &self.title, &self.says, HEIGHT, !self.stages.is_empty(), read, drawing)
    }

    fn readable(&self) -> Readable {
        let (from, to) = self.x.scale.bounds();
        Readable { from, to, reads: json!(self.reads).to_string() }
    }

    fn dots(&self) -> Markup {
        html! {
            @for dot in &self.dots {
                @if let (Some(x), Some(y)) = (self.x.scale.place(dot.at.0), self.y.scale.place(dot.at.1)) {
                    circle class={ @if dot.hollow { "dot hollow " } @else { "dot " } (dot.class) } r="4" cx={ (share(x * 100.0)) "%" }
                        cy=(share((1.0 - y) * f64::from(HEIGHT))) { title { (dot.says) } }
                }
            }
        }
    }

    fn rules(&self) -> Markup {
        html! {
            @for (index, rule) in self.rules.iter().enumerate() {
                @let scale = if rule.upright { &self.x.scale } else { &self.y.scale };
                @if let Some(place) = scale.place(rule.at) {
                    @if rule.upright {
                        @let x = format!("{}%", share(place * 100.0));
                        line class={ "rule " (rule.class) } x1=(x) x2=(x) y1="0" y2=(HEIGHT) {}
                        text class={ "rule-name " (rule.class) } x=(x) y=(12 + 15 * index)
                            dx=(if place > 0.6 { "-6" } else { "6" })
                            text-anchor=(if place > 0.6 { "end" } else { "start" }) { (rule.name) }
                    } @else {
                        @let y = share((1.0 - place) * f64::from(HEIGHT));
                        line class={ "rule " (rule.class) } x1="0" x2="100%" y1=(y) y2=(y) {}
                        text class={ "rule-name " (rule.class) } x="6" y=(y) dy=(if place > 0.85 { "14" } else { "-5" }) { (rule.name) }
                    }
                }
            }
        }
    }

    /// Names at the lines' ends, in a corner of their own at the right edge.
    fn names(&self) -> Markup {
        let high = f64::from(HEIGHT);
        let ends: Vec<(&Line, f64)> = self
            .lines
            .iter()
            .filter(|line| !line.name.is_empty())
            .filter_map(|line| {
                Some((line, (1.0 - self.y.scale.place(line.measured().next_back()?.1)?) * high))
            })
            .collect();
        let wanted: Vec<f64> = ends.iter().map(|(_, y)| *y).collect();
        html! {
            svg.names x="100%" width="1" height=(HEIGHT) {
                @for ((line, end), place) in ends.iter().zip(label::spread(&wanted, high)) {
                    path class={ "leader " (line.class) } d={ "M1 " (share(*end)) "L9 " (share(place)) } {}
                    text class={ "name " (line.class) } x="12" y=(share(place)) dy="0.32em" { (line.name) }
                }
            }
        }
    }
}

/// Rows of bars on the time axis of the other charts.
pub(crate) fn timeline(
    id: &'static str,
    title: &str,
    says: &str,
    x: &Axis,
    stages: &[Band],
    rows: &[Row],
) -> Markup {
    let height = 8 + ROW * rows.len() as u32;
    let drawing = html! {
        (band::stages(stages, &x.scale, height))
        (x.horizontal(height))
        svg.rows width="100%" height=(height) { (band::rows(rows, &x.scale)) }
    };
    frame(id, title, says, height, !stages.is_empty(), None, drawing)
}

struct Readable {
    from: f64,
    to: f64,
    reads: String,
}

fn frame(
    id: &str,
    title: &str,
    says: &str,
    height: u32,
    staged: bool,
    read: Option<Readable>,
    drawing: Markup,
) -> Markup {
    html! {
        figure {
            figcaption {
                h3 { (title) }
                p.says { (says) }
            }
            svg.plot.staged[staged] id=(id) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } height=(height)
                data-from=[read.as_ref().map(|it| it.from)] data-to=[read.as_ref().map(|it| it.to)]
                data-reads=[read.as_ref().map(|it| &it.reads)] {
                title id={ (id) "-title" } { (title) }
                desc id={ (id) "-desc" } { (says) }
                (drawing)
            }
            @if read.is_some() { output.read for=(id) {} } @else { div {} }
        }
    }
}

/// A coordinate or a percentage, to a hundredth.
pub(crate) fn share(value: f64) -> f64 {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}
