//! Sentences. Marks such as `{i:in vitro}` and `{sub:2}` become inline elements in XML and plain text elsewhere.

use super::dice::Dice;
use super::words;

const FINDINGS: &[&str] = &[
    "Participants given {drug} improved more than those given placebo ({p}).",
    "The mean change from baseline was {n} points (95% CI, {a} to {b}; {p}).",
    "Adverse events were reported by {n}% of the {drug} group & {a}% of the control group.",
    "Serum CO{sub:2} and Ca{sup:2+} were measured {i:in vitro} at {n} °C.",
    "Patients with {condition} aged ≥ {a} years were randomly assigned 1:1 to {drug} or \"usual care\".",
    "No difference was seen in participants whose eGFR was < {n} mL/min/1.73 m{sup:2} (α = 0.05, β = 0.2).",
    "{i:Staphylococcus exempli} was isolated from {n} of {b} cultures; the others weren't evaluable.",
    "The trough concentration of {drug} stayed > {n} µg/mL for {a} weeks.",
    "The study's data monitoring committee recommended continuation after the interim analysis.",
    "Adherence, assessed by pill count, exceeded {n}% in both arms over {a} months.",
    "We estimated the dose–response relation of {drug} by a model that allowed for missing visits.",
    "These results don't support the routine use of {drug} in {condition}.",
];

const SECTIONS: &[&str] = &["BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS"];

/// One sentence about `drug` and `condition`, marked.
pub(super) fn sentence(dice: &mut Dice, drug: &str, condition: &str) -> String {
    let template = dice.pick(FINDINGS);
    fill(template, dice, drug, condition)
}

/// `count` sentences in a row, marked.
pub(super) fn paragraph(dice: &mut Dice, drug: &str, condition: &str, count: i64) -> String {
    let sentences: Vec<String> = (0..count).map(|_| sentence(dice, drug, condition)).collect();
    sentences.join(" ")
}

/// The labels of a structured abstract.
pub(super) fn sections() -> &'static [&'static str] {
    SECTIONS
}

/// The title of a study or an article, marked.
pub(super) fn title(dice: &mut Dice, drug: &str, condition: &str) -> String {
    let drug = words::capital(drug);
    let weeks = dice.range(4, 104);
    match dice.below(7) {
        0 => format!("{drug} Versus Placebo in Adults With {condition}: A {weeks}-Week Randomized Trial"),
        1 => format!("Safety & Efficacy of {drug} in {condition} (HbA{{sub:1c}} < {weeks})"),
        2 => format!("A Phase-Independent, \"Real-World\" Study of {drug} for {condition}"),
        3 => format!("Effect of {drug} on {{i:Helicobacter exempli}} Carriage in Patients With {condition}"),
        4 => format!("Long-Term Follow-up of {condition} After {drug}, {weeks} Weeks"),
        5 => format!("Pharmacokinetics of {{sup:14}}C-Labelled {drug} in Healthy Volunteers"),
        _ => format!("Patient-Reported Outcomes of {condition}: the {drug} Registry"),
    }
}

fn fill(template: &str, dice: &mut Dice, drug: &str, condition: &str) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((slot, after)) = rest[1..].split_once('}') else { break };
        match slot {
            "drug" => out.push_str(drug),
            "condition" => out.push_str(condition),
            "p" => {
                let sign = if dice.chance(50) { '<' } else { '=' };
                out.push_str(&format!("P {sign} 0.0{}", dice.range(1, 9)));
            }
            "n" => out.push_str(&format!("{}.{}", dice.range(1, 60), dice.below(10))),
            "a" => out.push_str(&dice.range(2, 20).to_string()),
            "b" => out.push_str(&dice.range(61, 140).to_string()),
            // A mark, not a slot: it stays.
            mark => out.push_str(&format!("{{{mark}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
