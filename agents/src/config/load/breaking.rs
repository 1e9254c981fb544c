//! `[breaking]`: raising the rate until the target breaks.

use statim::load::{Breaking, CoolDown};
use statim::telemetry::names::Unit;

use crate::config::alerts::table::{Notes, Table};

/// The tables it was read from: its own, and that of the cool-down.
pub(super) type Tables<'i> = (Table<'i>, Option<Table<'i>>);

pub(super) fn breaking<'i>(
    notes: &mut Notes<'i>,
    file: &mut Table<'i>,
) -> (Option<Breaking>, Option<Tables<'i>>) {
    let Some(mut table) = file.table(notes, "breaking") else { return (None, None) };
    let default = Breaking::default();
    let number = |table: &mut Table<'i>, notes: &mut Notes<'i>, field, unit, default| {
        table.quantity(notes, field, unit).unwrap_or(default)
    };
    let start_rate = number(&mut table, notes, "start_rate", Unit::PerSecond, default.start_rate);
    let factor = number(&mut table, notes, "factor", Unit::Count, default.factor);
    let step = table.duration(notes, "step").unwrap_or(default.step);
    let most_rate = number(&mut table, notes, "most_rate", Unit::PerSecond, default.most_rate);
    let users = table.whole(notes, "users", 1..=10_000_000).map_or(default.users, |it| it as u32);
    let completed_ratio = number(&mut table, notes, "completed_ratio", Unit::Ratio, default.completed_ratio);
    let p99 = table.duration(notes, "p99");
    let error_rate =
        table.quantity(notes, "error_rate", Unit::Ratio).map_or(default.error_rate, |it| it * 100.0);
    let beyond = table.whole(notes, "beyond", 0..=100).map_or(default.beyond, |it| it as u32);
    let critical_bound = table.duration(notes, "critical_bound");
    let (cool_down, cool_down_table) = cool_down(notes, &mut table, default.cool_down);
    let breaking = Breaking {
        start_rate,
        factor,
        step,
        most_rate,
        users,
        completed_ratio,
        p99,
        error_rate,
        beyond,
        critical_bound,
        cool_down,
    };
    (Some(breaking), Some((table, cool_down_table)))
}

fn cool_down<'i>(
    notes: &mut Notes<'i>,
    breaking: &mut Table<'i>,
    default: CoolDown,
) -> (CoolDown, Option<Table<'i>>) {
    let Some(mut table) = breaking.table(notes, "cool_down") else { return (default, None) };
    let rate = table.quantity(notes, "rate", Unit::PerSecond).unwrap_or(default.rate);
    let longest = table.duration(notes, "longest").unwrap_or(default.longest);
    let factor = table.quantity(notes, "factor", Unit::Count).unwrap_or(default.factor);
    let hold = table.whole(notes, "hold", 1..=3_600).map_or(default.hold, |it| it as u32);
    (CoolDown { rate, longest, factor, hold }, Some(table))
}
