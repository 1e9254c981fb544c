#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: statim_fuzz::plant("message"), |bytes: &[u8]| statim_fuzz::message(bytes));
