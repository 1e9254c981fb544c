//! Agents are weighed in a process of their own, one for each figure.

use std::path::Path;

use statim_bench::footprint::scales;

#[test]
fn every_system_is_weighed_in_a_process_of_its_own() {
    for scale in scales() {
        let weighed = scale.weigh(Path::new(env!("CARGO_BIN_EXE_footprint")), 500);
        let weighed = weighed.unwrap_or_else(|fault| panic!("{}: {fault}", scale.system));
        assert_eq!(weighed.agents, 500);
        let plausible = 100.0..100_000.0;
        assert!(plausible.contains(&weighed.bytes_per_agent), "{}: {weighed:?}", scale.system);
    }
}

#[test]
fn a_program_that_does_not_count_weighs_nothing() {
    for scale in scales().iter().take(1) {
        let weighed = scale.weigh_here(1);
        assert!(weighed.is_err(), "{weighed:?}");
    }
}
