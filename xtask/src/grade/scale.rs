//! How fast this machine is, so that a slow laptop is not a wrong solution.

use std::{hint::black_box, time::Instant};

/// The time of one piece of work on a common machine (two cores of a small cloud server), in milliseconds.
const COMMON_MS: f64 = 6.0;
const PIECES: u32 = 3;

/// Limits are generous already. A learner who waits for wrong code should not wait for minutes.
const MOST: f64 = 5.0;

/// How much slower than a common machine this one is now, from 1.0 to 5.0. The work of other programs
/// counts: a machine that is busy is slow.
pub fn measure() -> f64 {
    let began = Instant::now();
    for _ in 0..PIECES {
        piece_of_work();
    }
    let each = began.elapsed().as_secs_f64() * 1000.0 / f64::from(PIECES);
    (each / COMMON_MS).clamp(1.0, MOST)
}

fn piece_of_work() {
    let mut sum: u32 = 1;
    for n in 0..400_000_u32 {
        sum = black_box(sum.rotate_left(5) ^ n.wrapping_mul(0x9E37_79B9));
    }
    black_box(sum);
}
