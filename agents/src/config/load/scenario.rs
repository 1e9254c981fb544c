//! The scenario: its fields, `[[stage]]` and `[[mix]]`.

use std::time::Duration;

use statim::Priority;
use statim::load::{Arrivals, Kind, Scenario, Share, Stage, Threshold};
use statim::telemetry::names::Unit;

use super::breaking::breaking;
use crate::config::alerts::table::{Notes, Table};
use crate::config::reader::{advice, shorten};

/// Each priority, by its name.
const PRIORITIES: [(&str, Priority); 4] = [
    ("critical", Priority::Critical),
    ("high", Priority::High),
    ("normal", Priority::Normal),
    ("low", Priority::Low),
];

/// What [`Arrivals`] are written as.
#[derive(Clone, Copy, PartialEq)]
enum Model {
    Constant,
    Poisson,
    Closed,
}

pub(super) fn scenario<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>, kinds: &[Kind]) -> Scenario {
    const NAME: &str = "give it a name, such as \"light\"";
    let name = file.text(notes, "name", NAME).unwrap_or_default();
    file.require(notes, "name", NAME);
    let mut scenario = Scenario::new(&name, 0.0, Duration::ZERO);
    if let Some(title) = file.text(notes, "title", "say in a few words what it is") {
        scenario.title = title;
    }
    if let Some(seed) = file.whole(notes, "seed", 0..=i64::MAX.unsigned_abs()) {
        scenario.seed = seed;
    }
    scenario.arrivals = arrivals(notes, file);
    for (field, place) in [
        ("warm_up", &mut scenario.warm_up),
        ("drain", &mut scenario.drain),
        ("timeout", &mut scenario.timeout),
        ("generator_lag", &mut scenario.generator_lag),
    ] {
        if let Some(duration) = file.duration(notes, field) {
            *place = duration;
        }
    }
    if let Some(in_flight) = file.whole(notes, "in_flight", 1..=10_000_000) {
        scenario.in_flight = usize::try_from(in_flight).unwrap_or(usize::MAX);
    }
    scenario.thresholds = thresholds(notes, file, kinds);
    let (stages, mut stage_tables) = stages(notes, file);
    scenario.stages = stages;
    let (mix, mut mix_tables) = mix(notes, file, kinds);
    scenario.mix = mix;
    let (breaking, mut breaking_tables) = breaking(notes, file);
    scenario.breaking = breaking;
    judge(notes, file, &scenario, &mut stage_tables, &mut mix_tables, breaking_tables.as_mut());
    let tables = stage_tables.into_iter().chain(mix_tables);
    tables.for_each(|table| table.finish(notes));
    if let Some((table, cool_down)) = breaking_tables {
        cool_down.into_iter().chain([table]).for_each(|table| table.finish(notes));
    }
    scenario
}

fn arrivals<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> Arrivals {
    let models = [("poisson", Model::Poisson), ("constant", Model::Constant), ("closed", Model::Closed)];
    let model = file.choice(notes, "arrivals", &models).unwrap_or(Model::Poisson);
    let think = file.duration(notes, "think");
    match model {
        Model::Closed => Arrivals::Closed { think: think.unwrap_or_default() },
        _ if think.is_some() => {
            file.fault(notes, "think", "is for users who wait for their answers: arrivals = \"closed\"");
            Arrivals::Poisson
        }
        Model::Poisson => Arrivals::Poisson,
        Model::Constant => Arrivals::Constant,
    }
}

fn thresholds<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>, kinds: &[Kind]) -> Vec<Threshold> {
    const WANTED: &str = "give thresholds, such as [\"p99 < 50ms\", \"error_rate < 1%\"]";
    let names: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
    let mut thresholds = Vec::new();
    for (index, (text, span)) in
        file.texts(notes, "thresholds", WANTED).unwrap_or_default().into_iter().enumerate()
    {
        let field = format!("thresholds[{index}]");
        match Threshold::parse(&text) {
            Ok(threshold) => {
                if let Some(kind) = threshold.kind().filter(|kind| !names.contains(kind)) {
                    let advice = advice("there are", kind, &names);
                    let kind = shorten(kind);
                    notes.add(span, field, format!("kind {kind:?} is not known; {advice}"));
                }
                thresholds.push(threshold);
            }
            Err(error) => {
                let what = format!("{:?}, character {}: {}", shorten(&text), error.position, error.fault);
                notes.add(span, field, what);
            }
        }
    }
    thresholds
}

fn stages<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> (Vec<Stage>, Vec<Table<'i>>) {
    let (mut stages, mut tables) = (Vec::new(), file.tables(notes, "stage"));
    for table in &mut tables {
        let duration = table.duration(notes, "duration").unwrap_or_default();
        table.require(notes, "duration", "say how long it takes, such as \"30s\"");
        let users = table.whole(notes, "users", 1..=10_000_000).unwrap_or(1);
        table.require(notes, "users", "say how many users there are");
        let per_user = table.quantity(notes, "rate_per_user", Unit::PerSecond);
        let all = table.quantity(notes, "rate", Unit::PerSecond);
        if per_user.is_some() && all.is_some() {
            table.fault(notes, "rate", "is there beside rate_per_user; give one of them");
        }
        let rate = per_user.map(|it| it * users as f64).or(all).unwrap_or_default();
        let ramp = table.flag(notes, "ramp").unwrap_or(false);
        stages.push(Stage { duration, users: u32::try_from(users).unwrap_or(u32::MAX), rate, ramp });
    }
    (stages, tables)
}

fn mix<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>, kinds: &[Kind]) -> (Vec<Share>, Vec<Table<'i>>) {
    let names: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
    let (mut mix, mut tables) = (Vec::new(), file.tables(notes, "mix"));
    if tables.is_empty() {
        file.require(notes, "mix", "say what is sent, each kind as [[mix]]");
    }
    for table in &mut tables {
        let wanted = format!("give one of {}", names.join(", "));
        let kind = table.text(notes, "kind", &wanted).unwrap_or_default();
        table.require(notes, "kind", &wanted);
        if !kind.is_empty() && !names.contains(&kind.as_str()) {
            let advice = advice("there are", &kind, &names);
            table.fault(notes, "kind", format!("{:?} is not known; {advice}", shorten(&kind)));
        }
        let weight = table.whole(notes, "weight", 0..=1_000_000).unwrap_or(1);
        let priority = table.choice(notes, "priority", &PRIORITIES);
        let batch_keys = table.whole(notes, "batch_keys", 0..=u64::from(u32::MAX)).unwrap_or(0);
        let (weight, batch_keys) = (weight as u32, batch_keys as u32);
        mix.push(Share { priority, ..Share { kind, weight, priority: None, batch_keys } });
    }
    (mix, tables)
}

/// What each by itself can be and together makes no sense. The scenario says so by its own names.
fn judge<'i>(
    notes: &mut Notes<'i>,
    file: &mut Table<'i>,
    scenario: &Scenario,
    stages: &mut [Table<'i>],
    mix: &mut [Table<'i>],
    mut breaking: Option<&mut (Table<'i>, Option<Table<'i>>)>,
) {
    for (field, fault) in scenario.faults() {
        if let Some((place, name)) = field.strip_prefix("stages[").and_then(|it| it.split_once("].")) {
            let table = place.parse().ok().and_then(|place: usize| stages.get_mut(place));
            if let Some(table) = table {
                // Whichever of the two the rate was given as.
                if !(table.is_wrong(name) || name == "rate" && table.is_wrong("rate_per_user")) {
                    table.fault(notes, name, fault);
                }
            }
        } else if let Some((place, name)) = field.strip_prefix("mix[").and_then(|it| it.split_once("].")) {
            let table = place.parse().ok().and_then(|place: usize| mix.get_mut(place));
            if let Some(table) = table.filter(|table| !table.is_wrong(name)) {
                table.fault(notes, name, fault);
            }
        } else if let Some(name) = field.strip_prefix("breaking.cool_down.") {
            if let Some((_, Some(table))) = breaking.as_deref_mut()
                && !table.is_wrong(name)
            {
                table.fault(notes, name, fault);
            }
        } else if let Some(name) = field.strip_prefix("breaking.") {
            if let Some((table, _)) = breaking.as_deref_mut()
                && !table.is_wrong(name)
            {
                table.fault(notes, name, fault);
            }
        } else {
            let name = match field.as_str() {
                "stages" => "stage",
                name => name,
            };
            if !file.is_wrong(name) {
                file.fault(notes, name, fault);
            }
        }
    }
}
