//! suite

mod check;
