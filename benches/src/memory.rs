//! What the process holds. The heap is known only to programs that count it, and no program that takes times does: a
//! counter shared by all threads would slow down those systems that allocate, and spare those that do not.

use std::fs;

use stats_alloc::INSTRUMENTED_SYSTEM;

/// Live bytes on the heap, as asked for by the program; `None` where the program does not count its allocations.
pub fn heap_bytes() -> Option<u64> {
    let stats = INSTRUMENTED_SYSTEM.stats();
    (stats.allocations > 0).then(|| stats.bytes_allocated.saturating_sub(stats.bytes_deallocated) as u64)
}

/// Bytes of physical memory the process occupies, with what the allocator keeps and what the threads' stacks hold;
/// `None` where the operating system does not say.
pub fn resident_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_set_is_read_as_the_kernel_writes_it() {
        assert_eq!(resident("VmPeak:\t  9 kB\nVmRSS:\t    2048 kB\n"), Some(2 * 1_024 * 1_024));
        assert_eq!(resident("VmPeak:\t  9 kB\n"), None);
    }
}
