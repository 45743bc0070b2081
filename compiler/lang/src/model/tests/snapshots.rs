//! The step code of a few models, as text.

use super::{library, lower, print};

#[test]
fn lif_delta() {
    insta::assert_snapshot!(print::model(&library("std.neurons.LifDelta", 1e-4)));
}

#[test]
fn lif() {
    insta::assert_snapshot!(print::model(&library("std.neurons.Lif", 1e-3)));
}

#[test]
fn cuba_lif() {
    insta::assert_snapshot!(print::model(&library("std.neurons.CubaLif", 1e-3)));
}

#[test]
fn nir_cuba_lif() {
    insta::assert_snapshot!(print::model(&library("std.nir.CubaLif", 1e-4)));
}

#[test]
fn alif() {
    insta::assert_snapshot!(print::model(&library("std.neurons.Alif", 1e-3)));
}

#[test]
fn tiny_odin() {
    insta::assert_snapshot!(print::model(&lower(super::chips::TINY_ODIN)));
}
