#![no_main]

use libfuzzer_sys::fuzz_target;
use statim::wire::Format;

fuzz_target!(init: statim_fuzz::plant("header_json"), |bytes: &[u8]| statim_fuzz::header(Format::Json, bytes));
