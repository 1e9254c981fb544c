//! What it was measured on.

use maud::html;

use super::Section;
use crate::load::html::number;
use crate::load::html::run::Run;
use crate::load::html::table::foreign;

pub(super) fn section(run: &Run<'_>) -> Option<Section> {
    let machine = &run.result.machine;
    let bytes = |bytes: u64| number::bytes(bytes as f64);
    let lines = [
        ("Processor", Some(machine.cpu.clone())),
        ("Threads at once", Some(number::count(machine.cores as u64))),
        ("Processor limit", machine.cgroup_cpu_limit.map(|it| format!("{} processors", number::figure(it)))),
        ("Memory", machine.memory_bytes.map(bytes)),
        ("Memory limit", machine.cgroup_memory_limit_bytes.map(bytes)),
        ("Load average at the start", machine.load_average.map(number::figure)),
        ("Kernel", Some(machine.kernel.clone())),
        ("Target", Some(machine.target.clone())),
        ("Compiler", Some(machine.rustc.clone())),
        (
            "Build",
            Some(if machine.debug_assertions { "with debug assertions" } else { "release" }.to_owned()),
        ),
    ];
    Section::new(
        "machine",
        "Machine",
        html! {
            p.says { "Figures of two runs compare only on one machine." }
            dl.pairs {
                @for (name, value) in lines.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
                    @if !value.is_empty() { dt { (name) } dd { (foreign(value)) } }
                }
            }
        },
    )
}
