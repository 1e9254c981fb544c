//! The readers over small hand-written inputs.

mod ctgov;
mod discovery;
mod hostile;
mod openfda;
mod packed;
mod pubmed;

use std::io::Cursor;

use super::*;

/// Everything that a reading gave.
#[derive(Default)]
struct Gathered {
    records: Vec<Record>,
    positions: Vec<Position>,
    deleted: Vec<(String, u32)>,
    quarantined: Vec<Quarantined>,
    /// Break after so many calls.
    patience: Option<usize>,
}

impl Gathered {
    fn go_on(&mut self) -> ControlFlow<()> {
        match &mut self.patience {
            Some(0 | 1) => ControlFlow::Break(()),
            Some(left) => {
                *left -= 1;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Continue(()),
        }
    }
}

impl Sink for Gathered {
    fn item(&mut self, item: Item) -> ControlFlow<()> {
        match item {
            Item::Record { record, position } => {
                self.records.push(record);
                self.positions.push(position);
            }
            Item::Delete { pmid, version, .. } => self.deleted.push((pmid, version)),
        }
        self.go_on()
    }

    fn quarantine(&mut self, quarantined: Quarantined) -> ControlFlow<()> {
        self.quarantined.push(quarantined);
        self.go_on()
    }
}

fn read_within(bytes: &[u8], limits: &Limits) -> (FileReport, Gathered) {
    let mut sink = Gathered::default();
    let report = read_from("a file", Cursor::new(bytes), limits, &mut sink).unwrap();
    assert_eq!(report.records, sink.records.len() as u64);
    assert_eq!(report.quarantined, sink.quarantined.len() as u64);
    (report, sink)
}

fn read(bytes: impl AsRef<[u8]>) -> Gathered {
    read_within(bytes.as_ref(), &Limits::default()).1
}

/// The only entry of the quarantine.
fn only_fault(gathered: &Gathered) -> &Quarantined {
    assert_eq!(gathered.quarantined.len(), 1, "{:?}", gathered.quarantined);
    &gathered.quarantined[0]
}

fn study_text(id: &str, more: &str) -> String {
    format!(r#"{{"protocolSection":{{"identificationModule":{{"nctId":"{id}"}}{more}}}}}"#)
}

fn ids(gathered: &Gathered) -> Vec<String> {
    gathered.records.iter().map(|record| record.identity().id).collect()
}

#[test]
fn a_sink_that_has_enough_is_given_nothing_more() {
    let text = format!("[{0},{0},{0}]", study_text("NCT1", ""));
    let mut sink = Gathered { patience: Some(2), ..Gathered::default() };
    let report = read_from("f", Cursor::new(text), &Limits::default(), &mut sink).unwrap();
    assert!(report.stopped);
    assert_eq!(sink.records.len(), 2);
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_name() {
    let error = read_path(Path::new("/nonexistent/x.json"), &mut Gathered::default()).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/x.json"));
}
