//! `/proc/self/stat`: how many threads.

/// The 20th field. The second is the program's name in brackets, and may hold spaces and brackets itself.
pub(super) fn count(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // What follows the name begins with the third field.
    after_name.split_ascii_whitespace().nth(17)?.parse().ok().filter(|threads| *threads > 0)
}
