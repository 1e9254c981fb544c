//! Names at the ends of lines, moved apart so that none covers another.

/// Between the middles of two names.
const APART: f64 = 15.0;

/// Where names wanted at these heights go, from the top down and inside `height` where there is room for all.
pub(crate) fn spread(wanted: &[f64], height: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = vec![0.0; wanted.len()];
    let mut free_from = f64::NEG_INFINITY;
    for index in &order {
        places[*index] = wanted[*index].max(free_from);
        free_from = places[*index] + APART;
    }
    let mut free_to = height;
    for index in order.iter().rev() {
        places[*index] = places[*index].min(free_to);
        free_to = places[*index] - APART;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_far_apart_stay_where_they_are() {
        assert_eq!(spread(&[100.0, 10.0], 200.0), [100.0, 10.0]);
    }

    #[test]
    fn names_on_one_place_are_moved_apart_inside_the_plot() {
        let places = spread(&[199.0, 198.0, 200.0, 200.0], 200.0);
        let mut sorted = places.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= APART - 1e-9), "{places:?}");
        assert!(sorted[3] <= 200.0, "{places:?}");
        assert!(places[1] < places[0], "their order stays: {places:?}");
    }
}
