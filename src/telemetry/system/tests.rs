//! Real samples of the kernel's files, and hostile ones.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::counters::{Traffic, disks, networks};
use super::*;

const DISKS: &str = "\
   7       0 loop0 9 0 9 9 9 9 9 9 0 9 9 0 0 0 0 0 0
 254       0 vda 4180507 134062 242670450 8010247 894142 384604 304614264 1593991 0 398824 9651898 194904 64 162759712 36188 99058 11471
 254       1 vda1 4180000 134062 242670000 8010247 894142 384604 304614000 1593991 0 398824 9651898 0 0 0 0 0 0
 259       0 nvme0n1 10 0 100 1 10 0 200 1 0 1 1
 259       1 nvme0n1p1 10 0 100 1 10 0 200 1 0 1 1
 253       0 zram0 0 0 4 0 0 0 4 0 0 0 0 0 0 0 0 0 0
   8       0 dm-0 10 0 100 1 10 0 200 1 0 1 1
";

const NETWORKS: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 17792949   14159    0    0    0     0          0         0 17792949   14159    0    0    0     0       0          0
  eth0: 780865577   42554    0    0    0     0          0         0  2738128   26517    0    0    0     0       0          0
  eth1:3 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
";

#[test]
fn disks_are_counted_once_and_in_bytes() {
    let sectors = Traffic { incoming: (242_670_450 + 100) * 512, outgoing: (304_614_264 + 200) * 512 };
    assert_eq!(disks(DISKS), Some(sectors));
}

#[test]
fn the_loopback_is_not_a_network() {
    assert_eq!(networks(NETWORKS), Some(Traffic { incoming: 780_865_580, outgoing: 2_738_132 }));
    let alone: String = NETWORKS.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert_eq!(networks(&alone), Some(Traffic::default()));
}

#[test]
fn pressure_is_a_part_of_the_time() {
    let text = "some avg10=12.50 avg60=0.05 avg300=0.01 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    let found: Vec<_> = pressure::parse(text, Scope::Cgroup, Resource::Io).collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].stall, found[0].ratio, found[0].stalled_seconds), (Stall::Some, 0.125, 1.5));
    assert_eq!(found[1].stall, Stall::Full);
}

#[test]
fn threads_are_counted_behind_any_program_name() {
    let stat = |name: &str| {
        format!(
            "5274 ({name}) R 5211 5211 26439 0 -1 4194304 109 0 0 0 0 0 0 0 20 0 17 0 2463589 3133440 390 18446744073709551615"
        )
    };
    for name in ["cat", "a) R 1 2 3", "(", ""] {
        assert_eq!(threads::count(&stat(name)), Some(17), "{name}");
    }
}

#[test]
fn the_cgroup_is_found_where_both_versions_are_mounted() {
    let mounts = "\
30 23 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
";
    assert_eq!(cgroup::mount_point(mounts).as_deref(), Some(Path::new("/sys/fs/cgroup/unified")));
    let groups = "4:memory:/process_api/1\n1:cpu:/\n0::/system.slice/statim.service\n";
    assert_eq!(cgroup::group(groups), Some(Path::new("system.slice/statim.service")));
    assert_eq!(cgroup::group("0::/\n"), Some(Path::new("")));
    for none in ["", "4:memory:/a\n", "0::/../../etc\n", "0::relative\n"] {
        assert_eq!(cgroup::group(none), None, "{none}");
    }
}

#[test]
fn the_tightest_limit_above_counts_and_what_is_absent_is_not_zero() {
    let files: HashMap<&str, &str> = HashMap::from([
        ("/cg/a/memory.max", "536870912\n"),
        ("/cg/a/b/memory.max", "max\n"),
        ("/cg/a/b/memory.current", "1048576\n"),
        ("/cg/a/b/memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n"),
        ("/cg/a/cpu.max", "150000 100000\n"),
        ("/cg/a/b/cpu.max", "max 100000\n"),
        (
            "/cg/a/b/cpu.stat",
            "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 250000\n",
        ),
    ]);
    let read = |path: &Path| files.get(path.to_str()?).map(ToString::to_string);
    let sample = cgroup::sample(Path::new("/cg"), Path::new("a/b"), read);
    let expected = CgroupSample {
        memory_bytes: Some(1 << 20),
        memory_limit_bytes: Some(512 << 20),
        oom_kills: Some(2),
        cpu_limit_cores: Some(1.5),
        cpu_seconds: Some(2.5),
        periods: Some(10),
        throttled_periods: Some(4),
        throttled_seconds: Some(0.25),
    };
    assert_eq!(sample, expected);
    let nothing = cgroup::sample(Path::new("/cg"), Path::new("a/b"), |_| None);
    assert_eq!(nothing, CgroupSample::default());
    assert_eq!(nothing.memory_limit_bytes, None);
}

#[test]
fn the_memory_ratio_is_of_the_cgroup_before_the_host() {
    let mut sample = SystemSample::default();
    assert_eq!(sample.memory_ratio(), None);
    sample.process.resident_bytes = Some(50);
    sample.host.memory_bytes = Some(1000);
    assert_eq!(sample.memory_ratio(), Some(0.05));
    sample.cgroup.memory_limit_bytes = Some(100);
    assert_eq!(sample.memory_ratio(), Some(0.5));
    // The kernel's way to say that a cgroup of version 1 has no limit.
    sample.cgroup.memory_limit_bytes = Some(u64::MAX - 4095);
    assert_eq!(sample.memory_ratio(), Some(0.05));
}

#[test]
fn what_is_not_known_is_not_exposed() {
    assert_eq!(SystemSample::default().samples().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_is_sampled_and_its_processor_use_is_that_of_the_interval() {
    let mut probe = SystemProbe::new();
    let first = probe.sample();
    assert!(first.process.resident_bytes.unwrap() > 1 << 20);
    assert!(first.process.threads.unwrap() >= 1);
    assert!(first.process.open_files.unwrap() >= 3);
    assert_eq!((first.process.cpu_percent, first.host.cpu_percent), (None, None));
    // Too early to tell anything: the same again.
    assert_eq!(probe.sample(), first);
    let began = Instant::now();
    let mut work = 0_u64;
    while began.elapsed() < Duration::from_millis(400) {
        work = std::hint::black_box(work.wrapping_mul(31).wrapping_add(1));
    }
    let second = probe.sample();
    let used = second.process.cpu_seconds.unwrap() - first.process.cpu_seconds.unwrap();
    let percent = second.process.cpu_percent.unwrap();
    assert!(used > 0.0 && percent > 0.0, "{used} s, {percent} %");
    // Other tests of this process may be running.
    assert!(percent <= 110.0 * second.host.cpus.unwrap() as f64, "{percent}");
    assert!(second.host.cpu_percent.unwrap() > 0.0);
}

proptest! {
    #[test]
    fn any_text_is_survived(text: String) {
        let _ = (disks(&text), networks(&text), threads::count(&text), cgroup::mount_point(&text));
        let _ = (cgroup::group(&text), cgroup::cores(&text), cgroup::whole(&text), cgroup::keyed(&text, "a"));
        pressure::parse(&text, Scope::Host, Resource::Cpu).for_each(drop);
    }

    #[test]
    fn a_damaged_file_is_survived(text in prop_oneof![Just(DISKS), Just(NETWORKS)], at: prop::sample::Index, junk in "[ -~\u{e9}]{0,8}") {
        let at = text.floor_char_boundary(at.index(text.len()));
        let damaged = format!("{}{junk}{}", &text[..at], &text[at..]);
        let _ = (disks(&damaged), networks(&damaged), disks(&damaged[..at]), networks(&damaged[..at]));
    }
}
