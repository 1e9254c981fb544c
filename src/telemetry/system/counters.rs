//! `/proc/diskstats` and `/proc/net/dev`: bytes that went through.

/// Bytes in one direction and the other, added up over devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Read from disks, or received.
    pub(super) incoming: u64,
    /// Written to disks, or sent.
    pub(super) outgoing: u64,
}

impl Traffic {
    fn add(&mut self, incoming: u64, outgoing: u64) {
        self.incoming = self.incoming.saturating_add(incoming);
        self.outgoing = self.outgoing.saturating_add(outgoing);
    }
}

/// Most devices that are looked at.
const DEVICES: usize = 4096;

/// The kernel counts in sectors of this size, whatever the disk's are.
const SECTOR: u64 = 512;

/// Whole disks in `/proc/diskstats`: no partitions, and no devices made of other devices, whose bytes are counted there.
/// `None` if there is no line that can be read.
pub(super) fn disks(text: &str) -> Option<Traffic> {
    let mut total = None;
    let mut disk: Option<&str> = None;
    for line in text.lines().take(DEVICES) {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let Some(name) = fields.next() else { continue };
        let mut fields = fields.skip(2);
        let (Some(read), Some(written)) = (fields.next(), fields.nth(3)) else { continue };
        let (Ok(read), Ok(written)) = (read.parse::<u64>(), written.parse::<u64>()) else { continue };
        // A partition follows its disk.
        if is_made_of_others(name) || disk.is_some_and(|disk| is_partition(name, disk)) {
            continue;
        }
        disk = Some(name);
        total
            .get_or_insert_with(Traffic::default)
            .add(read.saturating_mul(SECTOR), written.saturating_mul(SECTOR));
    }
    total
}

fn is_made_of_others(name: &str) -> bool {
    ["loop", "ram", "zram", "dm-", "md"].iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    })
}

fn is_partition(name: &str, disk: &str) -> bool {
    name.strip_prefix(disk).is_some_and(|rest| {
        let number = rest.strip_prefix('p').unwrap_or(rest);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Interfaces in `/proc/net/dev`, but the loopback. `None` if there is no line that can be read.
pub(super) fn networks(text: &str) -> Option<Traffic> {
    let mut total = None;
    for line in text.lines().take(DEVICES) {
        // The bytes may follow the colon without a space.
        let Some((name, figures)) = line.split_once(':') else { continue };
        let mut figures = figures.split_ascii_whitespace();
        let (Some(received), Some(sent)) = (figures.next(), figures.nth(7)) else { continue };
        let (Ok(received), Ok(sent)) = (received.parse::<u64>(), sent.parse::<u64>()) else { continue };
        let total = total.get_or_insert_with(Traffic::default);
        if name.trim() != "lo" {
            total.add(received, sent);
        }
    }
    total
}
