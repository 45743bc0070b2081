//! Kernels that are not square, as square ones.
//!
//! The chip has square kernels alone. A kernel is filled up with zeros on its shorter axis and the padding grows by what stands before it, so that every output sees the same taps. In: a layer. Out: the same layer with a square kernel, or as it was where the number of outputs would change.

use crate::layers::Layer;
use std::borrow::Cow;

/// The layer with a square kernel, where there is one that gives the same outputs.
pub fn square(l: &Layer) -> Cow<'_, Layer> {
    let size = l.kernel[0].max(l.kernel[1]);
    if l.kernel == [size; 2] {
        return Cow::Borrowed(l);
    }
    let mut made = l.clone();
    let mut before = [0; 2];
    for (axis, before) in before.iter_mut().enumerate() {
        let Some(room) = (u64::from(l.input[axis + 1]) + 2 * u64::from(l.padding[axis]))
            .checked_sub(l.kernel[axis].into())
        else {
            return Cow::Borrowed(l);
        };
        let missing = size - l.kernel[axis];
        *before = missing.div_ceil(2);
        made.padding[axis] = l.padding[axis].saturating_add(*before);
        // Padding is the same on both sides: an odd number of zeros leaves one element too many, which must not make an output.
        let stride = u64::from(l.stride[axis].max(1));
        if missing % 2 == 1 && room % stride == stride - 1 {
            if room >= stride {
                return Cow::Borrowed(l);
            }
            made.stride[axis] = 2 * l.stride[axis].max(1);
        }
    }
    made.kernel = [size; 2];
    made.weights = spread(l, size as usize, before.map(|b| b as usize));
    Cow::Owned(made)
}

/// Weights in planes of `size` by `size`, with the kernel's own `before` rows and columns in.
fn spread(l: &Layer, size: usize, before: [usize; 2]) -> Vec<f64> {
    let [rows, columns] = l.kernel.map(|k| k as usize);
    let planes = l.features as usize * l.input[0] as usize;
    let mut out = vec![0.0; planes.saturating_mul(size * size)];
    for (plane, to) in out.chunks_mut(size * size).enumerate() {
        for y in 0..rows {
            let from = (plane * rows + y) * columns;
            let at = (y + before[0]) * size + before[1];
            let row = l.weights.get(from..from + columns);
            if let (Some(row), Some(to)) = (row, to.get_mut(at..at + columns)) {
                to.copy_from_slice(row);
            }
        }
    }
    out
}
