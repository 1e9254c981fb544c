//! Opening what a file is packed in.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::collector::Collector;
use super::meter::Meter;
use super::quarantine::{Position, Stop};
use super::sniff::{Content, Sniffer, is_gzip, is_zip};
use super::{Container, FileReport, Limits, Sink, json, pubmed, reason};

const BUFFER: usize = 128 << 10;

pub(super) fn read<R: Read + Seek>(
    name: &str,
    mut source: R,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> io::Result<FileReport> {
    let mut collector = Collector::new(name, sink);
    let magic = first_bytes(&mut source)?;
    source.seek(SeekFrom::Start(0))?;
    let outcome = if is_zip(&magic) {
        collector.report_mut().container = Container::Zip;
        read_zip(source, limits, &mut collector)
    } else if is_gzip(&magic) {
        collector.report_mut().container = Container::Gzip;
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, source));
        read_member(None, decoder, limits, &mut collector)
    } else {
        read_member(None, source, limits, &mut collector)
    };
    let told = match outcome {
        Ok(()) => collector.end_file(),
        Err(Stop::Fault(fault)) => collector.quarantine(fault).and_then(|()| collector.end_file()),
        stopped => stopped,
    };
    match told {
        Err(Stop::Disk(error)) => Err(error),
        _ => Ok(collector.finish()),
    }
}

fn first_bytes<R: Read>(source: &mut R) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(8);
    source.take(8).read_to_end(&mut magic)?;
    Ok(magic)
}

fn read_zip<R: Read + Seek>(source: R, limits: &Limits, collector: &mut Collector<'_>) -> Result<(), Stop> {
    let nowhere = Position::default();
    let mut archive = ZipArchive::new(source).map_err(|error| of_zip(error, nowhere))?;
    if archive.is_empty() {
        return Err(Stop::fault(nowhere, "the zip file has no members"));
    }
    let mut read = 0;
    for index in 0..archive.len() {
        if index == limits.zip_members {
            let reason = format!("the zip file has more than {} members", limits.zip_members);
            return Err(Stop::fault(nowhere, reason));
        }
        let name = archive.name_for_index(index).and_then(Result::ok);
        let name = Some(name.map_or_else(|| format!("member {index}"), |name| shown_name(&name)));
        let file = match archive.by_index(index) {
            Ok(file) if file.is_dir() => continue,
            Ok(file) => file,
            Err(error) => {
                read += 1;
                collector.begin_member(name);
                match of_zip(error, nowhere) {
                    Stop::Fault(fault) => collector.quarantine(fault)?,
                    stop => return Err(stop),
                }
                continue;
            }
        };
        read += 1;
        read_member(name, file, limits, collector)?;
    }
    if read == 0 {
        return Err(Stop::fault(nowhere, "the zip file holds directories only"));
    }
    Ok(())
}

/// A member's name as text that can be shown: control characters are escaped.
fn shown_name(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn of_zip(error: ZipError, position: Position) -> Stop {
    let reason = match error {
        ZipError::Io(error) => return reason::of_io(&error, position),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            "the zip member is encrypted or packed by a method that is not supported"
        }
        ZipError::InvalidPassword => "the zip member is encrypted",
        _ => "the zip file is damaged",
    };
    Stop::fault(position, reason)
}

/// Reads one stream of text. A fault in it is quarantined here, so that the next member is still read.
fn read_member<R: Read>(
    name: Option<String>,
    source: R,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    collector.begin_member(name);
    let before = collector.report_mut().bytes;
    let left = limits.file_bytes.saturating_sub(before);
    let (outcome, consumed) = read_text(source, limits, left, collector);
    collector.report_mut().bytes = before + consumed;
    match outcome {
        Err(Stop::Fault(fault)) => {
            collector.end_member()?;
            collector.quarantine(fault)
        }
        Ok(()) => collector.end_member(),
        stopped => stopped,
    }
}

fn read_text<R: Read>(
    source: R,
    limits: &Limits,
    left: u64,
    collector: &mut Collector<'_>,
) -> (Result<(), Stop>, u64) {
    let mut sniffer = Sniffer::new(source);
    let content = sniffer.sniff();
    let (head, skipped, rest) = sniffer.into_parts();
    let head_left = left.saturating_sub(skipped);
    let stream = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(rest));
    let mut meter = Meter::new(stream, limits.file_bytes, head_left, limits.record_bytes);
    let outcome = match content {
        Content::Json { lines } => json::read(&mut meter, skipped, lines, limits, collector),
        Content::Xml => pubmed::read(&mut meter, skipped, collector),
        Content::Other(name) => {
            collector.unsupported(name, Position::default());
            Ok(())
        }
        Content::Fault(reason) => Err(Stop::fault(Position::default(), reason)),
        Content::Broken(error) => Err(reason::of_io(&error, Position::default())),
    };
    (outcome, skipped + meter.consumed())
}
