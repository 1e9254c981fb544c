use std::io::Write;

use super::dice::mix;
use super::error::GenerateError;
use super::fault::Planted;
use super::kind::Kind;
use super::options::{Layout, Options};
use super::sequence::Sequence;
use super::source::Source;
use super::truth::Truth;
use super::{articles, consents, drugs, events, labels, people, studies};

/// How many records pass between two reports of progress.
const PROGRESS_EVERY: u64 = 512;

/// Writes `options.count` records of `kind` to `out`, one at a time, and says what is in them.
///
/// `progress` is called with the number of records written so far, every few hundred records and at the end. Memory
/// does not grow with the count, except for [`Truth::bad`]. Writes are as large as a record; wrap a file or a socket
/// in a `BufWriter`. The writer is flushed at the end.
///
/// # Errors
/// When a ratio is out of bounds, when more records are asked for than there are ids, or when the writer fails, in
/// which case what was written so far is not a whole document.
pub fn generate(
    kind: Kind,
    options: &Options,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Truth, GenerateError> {
    options.check(kind)?;
    let seed = options.seed;
    match kind {
        Kind::Studies => run(studies::Studies::new(seed), kind, options, out, progress),
        Kind::Articles => run(articles::Articles::new(seed), kind, options, out, progress),
        Kind::Labels => run(labels::Labels::new(seed), kind, options, out, progress),
        Kind::Applications => run(drugs::Applications::new(seed), kind, options, out, progress),
        Kind::Products => run(drugs::Products::new(seed), kind, options, out, progress),
        Kind::Events => run(events::Events::new(seed), kind, options, out, progress),
        Kind::People => run(people::People::new(seed), kind, options, out, progress),
        Kind::Consents => run(consents::Consents::new(seed), kind, options, out, progress),
    }
}

fn run(
    mut source: impl Source,
    kind: Kind,
    options: &Options,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Truth, GenerateError> {
    let layout: Layout = options.layout_for(kind);
    // Each kind draws its duplicates and faults anew: files of one seed would else all be alike.
    let sequence = Sequence::new(
        mix(options.seed, kind as u64, 0),
        options.duplicates,
        options.bad,
        source.again(),
        source.deletes(),
        source.faults(layout),
    );
    let positions = options.first..options.first + options.count;
    let mut truth = Truth::default();
    let mut buffer = Vec::with_capacity(16 * 1024);

    source.open(layout, options.count, &mut buffer);
    for position in positions.clone() {
        if truth.records > 0 {
            buffer.extend_from_slice(source.between(layout));
        }
        if let Some(fault) = source.at(&sequence, position, &mut buffer, &mut truth) {
            truth.bad.push(Planted { position: truth.records, fault });
        }
        out.write_all(&buffer)?;
        buffer.clear();
        truth.records += 1;
        if truth.records.is_multiple_of(PROGRESS_EVERY) {
            progress(truth.records);
        }
    }
    if truth.records > 0 && layout == Layout::Lines {
        buffer.extend_from_slice(source.between(layout));
    }
    source.close(layout, &sequence, positions, &mut buffer, &mut truth);
    out.write_all(&buffer)?;
    out.flush()?;
    progress(truth.records);
    Ok(truth)
}
