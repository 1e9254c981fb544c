//! `[[silence]]`, and the matchers that rules have too.

use statim::alert::{Matcher, Moment, Silence};

use super::table::{Notes, Table};

pub(super) fn silences<'i>(notes: &mut Notes<'i>, file: &mut Table<'i>) -> Vec<Silence> {
    let mut silences: Vec<Silence> = Vec::new();
    for mut table in file.tables(notes, "silence") {
        let id = table.text(notes, "name", "give it a name").unwrap_or_default();
        table.require(notes, "name", "give it a name, by which it can be lifted");
        if silences.iter().any(|it| it.id == id && !id.is_empty()) {
            table.fault(notes, "name", "is the name of an earlier silence too; names are unique");
        }
        if !id.is_empty() {
            table.rename(format!("silence.{id}"));
        }
        let starts = table.time(notes, "starts");
        table.require(notes, "starts", "say from when, such as 2026-11-22T10:00:00Z");
        let ends = table.time(notes, "ends");
        table.require(notes, "ends", "say until when, such as 2026-11-22T12:00:00Z; a silence always ends");
        if let (Some(starts), Some(ends)) = (starts, ends)
            && ends <= starts
        {
            table.fault(notes, "ends", "is not after its beginning");
        }
        let by = table.text(notes, "by", "say who wants it").unwrap_or_default();
        let comment = table.text(notes, "comment", "say why").unwrap_or_default();
        let matchers = matchers(notes, &mut table);
        if matchers.is_empty() {
            table.require(notes, "where", "say which alerts, such as { alertname = \"MemoryHigh\" }");
        }
        table.finish(notes);
        let (starts, ends) = (moment(starts), moment(ends));
        silences.push(Silence { id, matchers, starts, ends, by, comment });
    }
    silences
}

fn moment(time: Option<jiff::Timestamp>) -> Moment {
    Moment::from_millis(time.map_or(0, |it| u64::try_from(it.as_millisecond()).unwrap_or(0)))
}

/// `where` and `where_not`.
pub(super) fn matchers<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for (field, negated) in [("where", false), ("where_not", true)] {
        for (name, values) in table.text_lists(notes, field) {
            let values = values.into_iter().map(|(value, _)| value).collect();
            matchers.push(Matcher { name, values, negated });
        }
    }
    matchers
}
