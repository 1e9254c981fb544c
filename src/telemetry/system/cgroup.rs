//! Control groups of version 2: where ours is, and what its files say.

use std::path::{Component, Path, PathBuf};

use super::sample::CgroupSample;

/// Deepest nesting that is followed upwards.
const DEEPEST: usize = 64;

/// Where the hierarchy of version 2 is mounted, by `/proc/self/mountinfo`: a line's mount point is its fifth field, and its
/// type the one after ` - `.
pub(super) fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let is_cgroup = kind.split(' ').next() == Some("cgroup2");
        let point = mount.split(' ').nth(4).filter(|_| is_cgroup)?;
        // The kernel writes spaces as \040; a mount point with one is not worth guessing at.
        (point.starts_with('/') && !point.contains('\\')).then(|| PathBuf::from(point))
    })
}

/// The path of our group below the mount point, by `/proc/self/cgroup`: the line that begins with `0::`. A path that leads
/// out of the hierarchy, as it does when the process was moved out of its namespace, is none.
pub(super) fn group(cgroup: &str) -> Option<&Path> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

/// Reads the group at `group` below `mount`, with `read` for a file's text. Limits hold for everything below them, so
/// those of the groups above count too.
pub(super) fn sample(mount: &Path, group: &Path, read: impl Fn(&Path) -> Option<String>) -> CgroupSample {
    let own = mount.join(group);
    let file = |name: &str| read(&own.join(name));
    let above: Vec<_> = own.ancestors().take_while(|it| it.starts_with(mount)).take(DEEPEST).collect();
    let limits = |name: &str| above.iter().filter_map(|it| read(&it.join(name))).collect::<Vec<_>>();
    let stat = file("cpu.stat").unwrap_or_default();
    let micros = |name| keyed(&stat, name).map(|micros| micros as f64 / 1e6);
    CgroupSample {
        memory_bytes: file("memory.current").and_then(|text| whole(&text)),
        memory_limit_bytes: limits("memory.max").iter().filter_map(|text| whole(text)).min(),
        oom_kills: file("memory.events").and_then(|text| keyed(&text, "oom_kill")),
        cpu_limit_cores: limits("cpu.max").iter().filter_map(|text| cores(text)).min_by(f64::total_cmp),
        cpu_seconds: micros("usage_usec"),
        periods: keyed(&stat, "nr_periods"),
        throttled_periods: keyed(&stat, "nr_throttled"),
        throttled_seconds: micros("throttled_usec"),
    }
}

/// A file of one number. `max` is no limit, and so is no number.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// `cpu.max`: a quota and a period in microseconds, or `max` and a period.
pub(super) fn cores(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.trim().parse().ok()?);
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// The number behind a name in a file of `name number` lines.
pub(super) fn keyed(text: &str, name: &str) -> Option<u64> {
    text.lines().take(256).find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}
