use std::ops::Range;

use super::calendar::{day_between, packed};
use super::dice::{Dice, scatter};
use super::fault::Fault;
use super::options::Layout;
use super::sequence::{Again, Sequence};
use super::source::Source;
use super::truth::Truth;
use super::words::{self, STATES};

const COLUMNS: [&str; 12] = [
    "rec_id",
    "cluster",
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "address_2",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
    "soc_sec_id",
];
/// Where the columns that describe a person begin; the first two say who the row is about.
const FIRST: usize = 2;
const GIVEN: usize = 0;
const SURNAME: usize = 1;
const BIRTH: usize = 8;

const STREETS: &[&str] = &["street", "road", "avenue", "place", "crescent", "close", "lane", "terrace"];
const ANNEXES: &[&str] = &[
    "flat 2",
    "rear, upper floor",
    "rose cottage",
    "lot 14",
    "unit 3b",
    "the \"old mill\"",
    "c/- post office",
];

/// Pairs that sound alike, tried in order from a random one on.
const SOUNDS: &[(&str, &str)] = &[
    ("ph", "f"),
    ("ck", "k"),
    ("c", "k"),
    ("ie", "y"),
    ("ley", "lee"),
    ("gh", ""),
    ("th", "t"),
    ("z", "s"),
    ("sh", "sch"),
    ("w", "wh"),
    ("ea", "ee"),
    ("rr", "r"),
    ("ll", "l"),
    ("i", "y"),
    ("er", "or"),
];

/// People, as rows of the columns FEBRL uses.
pub(super) struct People {
    seed: u64,
}

impl People {
    pub(super) fn new(seed: u64) -> Self {
        People { seed }
    }

    fn person(&self, index: u64) -> [String; 10] {
        let mut dice = Dice::new(self.seed, b"person  ", index);
        let given = words::given_name(&mut dice).to_lowercase();
        // Some share surname and address with another, as families do.
        let home = if index > 0 && dice.chance(12) { index - 1 - dice.below(index.min(20)) } else { index };
        let born = packed(day_between(&mut dice, 1925, 2008));
        // Areas from 900 were never issued as social security numbers, nor groups below 50 there to taxpayers.
        let number = scatter(self.seed, index % 10_000_000, 10_000_000) * 5 + dice.below(5);
        let social = format!("9{:02}{:02}{:04}", number / 500_000, number / 10_000 % 50, number % 10_000);

        let mut dice = Dice::new(self.seed, b"home    ", home);
        let (_, state, zip) = STATES[dice.index(STATES.len())];
        let mut fields = [
            given,
            words::surname(&mut dice).to_lowercase(),
            dice.range(1, 299).to_string(),
            format!("{} {}", words::surname(&mut dice).to_lowercase(), dice.pick(STREETS)),
            if dice.chance(40) { dice.pick(ANNEXES).to_owned() } else { String::new() },
            words::town(&mut dice).to_lowercase(),
            format!("{zip:02}{:03}", dice.below(1_000)),
            state.to_lowercase(),
            born,
            social,
        ];
        if Dice::new(self.seed, b"gap     ", index).chance(4) {
            fields[BIRTH].clear();
        }
        fields
    }
}

impl Source for People {
    fn again(&self) -> Again {
        Again::Variants
    }

    fn faults(&self, _: Layout) -> &'static [Fault] {
        &[Fault::MissingId, Fault::NotARecord]
    }

    fn open(&self, _: Layout, _count: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(COLUMNS.join(",").as_bytes());
        out.push(b'\n');
    }

    fn between(&self, _: Layout) -> &'static [u8] {
        b""
    }

    fn close(&self, _: Layout, _: &Sequence, _: Range<u64>, _: &mut Vec<u8>, _: &mut Truth) {}

    fn record(&mut self, index: u64, edition: u32, out: &mut Vec<u8>, _: &mut Truth) {
        let mut fields = self.person(index);
        let id = if edition == 0 {
            format!("rec-{index}-org")
        } else {
            let mut dice = Dice::new(self.seed, b"corrupt ", index ^ (u64::from(edition) << 40));
            corrupt(&mut fields, &mut dice);
            format!("rec-{index}-dup-{}", edition - 1)
        };
        row(out, &[id.as_str(), &index.to_string()], &fields);
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        match fault {
            Fault::MissingId | Fault::WrongType => row(out, &["", ""], &self.person(index)),
            Fault::NotARecord | Fault::Truncated => row(out, &["rec-lost", "", "row cut short"], &[]),
        }
    }
}

/// Between one and three of the errors that clerks and forms make; the copy always differs from the original.
fn corrupt(fields: &mut [String; 10], dice: &mut Dice) {
    let original = fields.clone();
    for _ in 0..dice.range(1, 3) {
        match dice.below(100) {
            0..35 => {
                let field = [GIVEN, SURNAME, 3, 5][dice.index(4)];
                mistype(&mut fields[field], dice);
            }
            35..50 => {
                let field = [GIVEN, SURNAME][dice.index(2)];
                mishear(&mut fields[field], dice);
            }
            50..62 => {
                let field = [2, 3, 4, 5, 6, 7, 9, GIVEN][dice.index(8)];
                fields[field].clear();
            }
            62..70 => fields.swap(GIVEN, SURNAME),
            70..82 => misdate(&mut fields[BIRTH], dice),
            82..90 => {
                let field = [2, 6, 9][dice.index(3)];
                swap_neighbours(&mut fields[field], dice);
            }
            90..95 => fields[GIVEN] = fields[GIVEN].chars().take(1).collect(),
            _ => fields.swap(3, 4),
        }
    }
    if *fields == original {
        fields[SURNAME].push('e');
    }
}

/// One slip of the fingers: a letter added, lost, replaced, or swapped with its neighbour.
fn mistype(field: &mut String, dice: &mut Dice) {
    let mut letters: Vec<char> = field.chars().collect();
    if letters.len() < 3 {
        return;
    }
    let (at, letter) = (1 + dice.index(letters.len() - 1), char::from(b'a' + dice.below(26) as u8));
    match dice.below(4) {
        0 => letters.insert(at, letter),
        1 => drop(letters.remove(at)),
        2 => letters[at] = letter,
        _ => letters.swap(at - 1, at),
    }
    *field = letters.into_iter().collect();
}

/// Another spelling of what sounds the same.
fn mishear(field: &mut String, dice: &mut Dice) {
    let from = dice.index(SOUNDS.len());
    for step in 0..SOUNDS.len() {
        let (heard, written) = SOUNDS[(from + step) % SOUNDS.len()];
        if field.contains(heard) {
            *field = field.replacen(heard, written, 1);
            return;
        }
    }
    field.push('e');
}

/// Day and month the other way round where that makes a date, else a wrong last digit of the year.
fn misdate(field: &mut String, dice: &mut Dice) {
    if field.len() != 8 {
        return;
    }
    let (year, month, day) = (&field[..4], &field[4..6], &field[6..]);
    *field = if day <= "12" && day != month {
        format!("{year}{day}{month}")
    } else {
        format!("{}{}{month}{day}", &year[..3], dice.below(10))
    };
}

fn swap_neighbours(field: &mut String, dice: &mut Dice) {
    let mut digits: Vec<char> = field.chars().collect();
    if digits.len() > 1 {
        let at = 1 + dice.index(digits.len() - 1);
        digits.swap(at - 1, at);
        *field = digits.into_iter().collect();
    }
}

/// Writes one row, quoting the fields that need it.
fn row(out: &mut Vec<u8>, head: &[&str], fields: &[String]) {
    debug_assert!(fields.is_empty() || head.len() == FIRST);
    let all = head.iter().copied().chain(fields.iter().map(String::as_str));
    for (place, field) in all.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if field.contains([',', '"', '\n']) {
            out.push(b'"');
            out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(field.as_bytes());
        }
    }
    out.push(b'\n');
}
