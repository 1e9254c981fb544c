#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: statim_fuzz::plant("round_trip"), |bytes: &[u8]| statim_fuzz::round_trip(bytes));
