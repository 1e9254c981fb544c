//! Many rows to a statement.

mod insert;
mod update;

pub use self::insert::BulkInsert;
pub use self::update::{BulkKey, BulkUpdate};

/// Most rows to a statement, a power of four.
const MOST_ROWS: usize = 1_024;

/// How many rows the next statement takes when so many are left. Powers of four, so that few different texts have to be
/// prepared, however many rows there are.
fn rows_of_next(left: usize, parameters: usize, most_parameters: usize) -> usize {
    let most = (most_parameters / parameters.max(1)).clamp(1, MOST_ROWS).min(left.max(1));
    1 << (most.ilog2() & !1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_take_powers_of_four_within_the_limit_and_nothing_is_left() {
        assert_eq!(rows_of_next(5_000, 3, 32_766), 1_024);
        assert_eq!(rows_of_next(5_000, 100, 32_766), 256);
        assert_eq!(rows_of_next(3, 1, 32_766), 1);
        assert_eq!(rows_of_next(5_000, 40_000, 32_766), 1);
        let (mut left, mut statements) = (4_095, 0);
        while left > 0 {
            left -= rows_of_next(left, 4, 65_535);
            statements += 1;
        }
        assert_eq!(statements, 3 * 6);
    }
}
