mod files;
mod formats;
mod people;
mod sequence;

use serde_json::Value;

use super::*;

fn make(kind: Kind, options: &Options) -> (Vec<u8>, Truth) {
    let mut out = Vec::new();
    let truth = generate(kind, options, &mut out, &mut |_| {}).unwrap();
    (out, truth)
}

fn lines(kind: Kind, options: Options) -> (Vec<Value>, Truth) {
    let (bytes, truth) = make(kind, &Options { layout: Layout::Lines, ..options });
    let parsed = String::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or(Value::Null))
        .collect();
    (parsed, truth)
}

fn mixed(count: u64) -> Options {
    Options { duplicates: 0.3, bad: 0.1, ..Options::new(count, 11) }
}
