//! Shapes that a node declares by itself, and output shapes of those that depend on their input.
//!
//! In: one node. Out: [`Declared`], or what is wrong with its arrays. Formulas are PyTorch's (`nir.md` section 4), each
//! axis with its own kernel length, and input channels times groups. Invariant: all arithmetic is checked, so absurd
//! lengths are errors.

use super::graph::{Conv, NirKind, Padding, Pool, shape_text};

/// A shape.
pub type Shape = Vec<usize>;

/// Why a shape cannot be had: the message and a remedy.
pub type Misfit = (String, String);

/// Most elements of one node.
const MAX_ELEMENTS: usize = i32::MAX as usize;

/// What a node says about its own shapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Shape of the input, if the parameters fix it.
    pub input: Option<Shape>,
    /// Shape of the output, if the parameters fix it.
    pub output: Option<Shape>,
}

impl Declared {
    fn both(shape: &[usize]) -> Self {
        Declared {
            input: Some(shape.to_vec()),
            output: Some(shape.to_vec()),
        }
    }
}

/// Number of elements; `None` when there are more than any node may have.
pub fn elements(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    (count <= MAX_ELEMENTS).then_some(count)
}

/// The shape without axes of length 1.
pub fn without_units(shape: &[usize]) -> Shape {
    shape.iter().copied().filter(|&d| d != 1).collect()
}

/// One number for all axes or one for each, at `axis`.
pub fn per_axis(list: &[usize], axis: usize) -> Option<usize> {
    match list {
        [one] => Some(*one),
        many => many.get(axis).copied(),
    }
}

/// Zeros (before, after) along `axis` for a kernel of `kernel` taps.
pub fn zeros(
    padding: &Padding,
    axis: usize,
    kernel: usize,
    dilation: usize,
) -> Option<(usize, usize)> {
    match padding {
        Padding::Valid => Some((0, 0)),
        Padding::Zeros(list) => per_axis(list, axis).map(|p| (p, p)),
        // PyTorch puts the odd zero behind.
        Padding::Same => {
            let total = dilation.checked_mul(kernel.checked_sub(1)?)?;
            Some((total / 2, total - total / 2))
        }
    }
}

/// floor((length + zeros - dilation (kernel - 1) - 1) / stride) + 1; `None` when no window fits.
pub fn windows(
    length: usize,
    zeros: (usize, usize),
    kernel: usize,
    dilation: usize,
    stride: usize,
) -> Option<usize> {
    let padded = length.checked_add(zeros.0)?.checked_add(zeros.1)?;
    let reach = dilation
        .checked_mul(kernel.checked_sub(1)?)?
        .checked_add(1)?;
    Some(padded.checked_sub(reach)?.checked_div(stride)? + 1)
}

/// What the node's parameters say. Types whose parameters all have the node's shape are not handled here.
pub fn declared(kind: &NirKind) -> Result<Declared, Misfit> {
    match kind {
        NirKind::Input { shape } | NirKind::Output { shape } => Ok(Declared::both(shape)),
        NirKind::Affine { weight, .. } | NirKind::Linear { weight } => {
            let [lead @ .., rows, columns] = weight.shape.as_slice() else {
                let found = shape_text(&weight.shape);
                return Err((
                    format!("`weight` has shape {found}"),
                    "it must be a matrix (out, in), or a stack of them (..., out, in)".into(),
                ));
            };
            let with = |last: &usize| Some(lead.iter().chain([last]).copied().collect());
            Ok(Declared {
                input: with(columns),
                output: with(rows),
            })
        }
        NirKind::Conv1d(conv) => declared_conv(conv, 1),
        NirKind::Conv2d(conv) => declared_conv(conv, 2),
        NirKind::Flatten {
            input_type: Some(shape),
            start_dim,
            end_dim,
        } => {
            let output = flattened(shape, *start_dim, *end_dim)?;
            Ok(Declared {
                input: Some(shape.clone()),
                output: Some(output),
            })
        }
        _ => Ok(Declared::default()),
    }
}

fn declared_conv(conv: &Conv, axes: usize) -> Result<Declared, Misfit> {
    let channels = conv_channels(conv, axes)?;
    let Some(spatial) = &conv.input_shape else {
        return Ok(Declared::default());
    };
    let input: Shape = [channels].iter().chain(spatial).copied().collect();
    let output = conv_output(conv, axes, &input)?;
    Ok(Declared {
        input: Some(input),
        output: Some(output),
    })
}

/// Input channels, after checking weight and groups.
fn conv_channels(conv: &Conv, axes: usize) -> Result<usize, Misfit> {
    let found = shape_text(&conv.weight.shape);
    let (out, per_group) = match conv.weight.shape.as_slice() {
        [out, per_group, kernel @ ..] if kernel.len() == axes => (*out, *per_group),
        _ => {
            return Err((
                format!("`weight` has shape {found}"),
                format!("it must be (out channels, in channels / groups, {axes} kernel lengths)"),
            ));
        }
    };
    if conv.groups == 0 || out % conv.groups != 0 {
        return Err((
            format!(
                "`groups` is {} but `weight` {found} gives {out} channels",
                conv.groups
            ),
            "the number of out channels must be a multiple of `groups`".into(),
        ));
    }
    per_group.checked_mul(conv.groups).ok_or_else(|| {
        (
            format!("`groups` is {}", conv.groups),
            "write the number of channel groups".into(),
        )
    })
}

/// Output shape of a convolution for an input of that shape.
pub fn conv_output(conv: &Conv, axes: usize, input: &[usize]) -> Result<Shape, Misfit> {
    let channels = conv_channels(conv, axes)?;
    let ([found, spatial @ ..], Some(out)) = (input, conv.weight.shape.first()) else {
        return Err(rank_misfit(input, axes + 1));
    };
    if spatial.len() != axes {
        return Err(rank_misfit(input, axes + 1));
    }
    if *found != channels {
        return Err((
            format!(
                "it receives {found} channels {}, but its weight takes {channels}",
                shape_text(input)
            ),
            "the second axis of `weight` times `groups` must be the number of channels".into(),
        ));
    }
    let mut shape = vec![*out];
    for (axis, &length) in spatial.iter().enumerate() {
        let kernel = conv.weight.shape.get(axis + 2).copied().unwrap_or(1);
        let stride = per_axis(&conv.stride, axis).unwrap_or(1);
        let dilation = per_axis(&conv.dilation, axis).unwrap_or(1);
        if conv.padding == Padding::Same && stride != 1 {
            return Err((
                format!("`padding` is \"same\" with stride {stride}"),
                "\"same\" is defined for stride 1 only: give the number of zeros".into(),
            ));
        }
        let around = zeros(&conv.padding, axis, kernel, dilation);
        match around.and_then(|z| windows(length, z, kernel, dilation, stride)) {
            Some(n) => shape.push(n),
            None => return Err(too_small(axis, length, kernel)),
        }
    }
    Ok(shape)
}

/// Output shape of a pooling node for an input of that shape.
pub fn pool_output(pool: &Pool, input: &[usize]) -> Result<Shape, Misfit> {
    let [channels, spatial @ ..] = input else {
        return Err(rank_misfit(input, 3));
    };
    if spatial.len() != 2 {
        return Err(rank_misfit(input, 3));
    }
    let mut shape = vec![*channels];
    for (axis, &length) in spatial.iter().enumerate() {
        let kernel = per_axis(&pool.kernel_size, axis).unwrap_or(1);
        let stride = per_axis(&pool.stride, axis).unwrap_or(1);
        let pad = per_axis(&pool.padding, axis).unwrap_or(0);
        match windows(length, (pad, pad), kernel, 1, stride) {
            Some(n) => shape.push(n),
            None => return Err(too_small(axis, length, kernel)),
        }
    }
    Ok(shape)
}

/// Shape with the axes `start..=end` made one; negative numbers count from the end.
pub fn flattened(input: &[usize], start: i64, end: i64) -> Result<Shape, Misfit> {
    let rank = input.len() as i64;
    let axis = |dim: i64| {
        if dim < 0 {
            dim.saturating_add(rank)
        } else {
            dim
        }
    };
    let (first, last) = (axis(start), axis(end));
    let inside = |n: i64| usize::try_from(n).ok().filter(|&n| n < input.len());
    let (Some(a), Some(b)) = (inside(first), inside(last)) else {
        return Err(flatten_misfit(input, start, end));
    };
    if a > b {
        return Err(flatten_misfit(input, start, end));
    }
    let (Some(lead), Some(middle), Some(tail)) =
        (input.get(..a), input.get(a..=b), input.get(b + 1..))
    else {
        return Err(flatten_misfit(input, start, end));
    };
    let Some(product) = elements(middle) else {
        return Err(flatten_misfit(input, start, end));
    };
    Ok(lead.iter().chain([&product]).chain(tail).copied().collect())
}

fn flatten_misfit(input: &[usize], start: i64, end: i64) -> Misfit {
    (
        format!(
            "axes {start} to {end} of {} cannot be flattened",
            shape_text(input)
        ),
        "`start_dim` and `end_dim` count the axes of one sample from 0, without a batch axis"
            .into(),
    )
}

fn rank_misfit(input: &[usize], rank: usize) -> Misfit {
    let axes = if rank == 2 {
        "(channels, length)"
    } else {
        "(channels, height, width)"
    };
    (
        format!(
            "it receives {}, which has {} axes",
            shape_text(input),
            input.len()
        ),
        format!("its input must have {rank} axes {axes}, without a batch axis"),
    )
}

fn too_small(axis: usize, length: usize, kernel: usize) -> Misfit {
    (
        format!("the kernel of {kernel} does not fit into {length} along spatial axis {axis}"),
        "use more padding or a smaller kernel or dilation".into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nir::graph::Array;

    fn conv(weight: &[usize], groups: usize, padding: Padding, stride: Vec<usize>) -> Conv {
        let count = weight.iter().product();
        Conv {
            input_shape: None,
            weight: Array::new(weight, vec![0.0; count]).unwrap(),
            stride,
            padding,
            dilation: vec![1],
            groups,
            bias: Array::scalar(0.0),
        }
    }

    #[test]
    fn every_axis_has_its_own_kernel_length() {
        let c = conv(&[4, 1, 3, 5], 1, Padding::Valid, vec![1]);
        assert_eq!(conv_output(&c, 2, &[1, 8, 8]).unwrap(), [4, 6, 4]);
    }

    #[test]
    fn groups_multiply_the_input_channels() {
        let c = conv(&[4, 1, 3, 3], 2, Padding::Zeros(vec![1]), vec![1]);
        assert_eq!(conv_output(&c, 2, &[2, 8, 8]).unwrap(), [4, 8, 8]);
        assert!(conv_output(&c, 2, &[1, 8, 8]).is_err());
    }

    #[test]
    fn same_needs_stride_1() {
        let c = conv(&[4, 1, 4, 3], 1, Padding::Same, vec![1]);
        assert_eq!(conv_output(&c, 2, &[1, 8, 8]).unwrap(), [4, 8, 8]);
        let c = conv(&[4, 1, 3, 3], 1, Padding::Same, vec![2]);
        assert!(conv_output(&c, 2, &[1, 8, 8]).is_err());
        assert_eq!(zeros(&Padding::Same, 0, 4, 1), Some((1, 2)));
    }

    #[test]
    fn absurd_lengths_are_errors() {
        assert_eq!(windows(usize::MAX, (1, 1), 3, 1, 1), None);
        assert_eq!(windows(8, (0, 0), 3, usize::MAX, 1), None);
        assert_eq!(windows(8, (0, 0), 9, 1, 1), None);
        assert_eq!(windows(8, (0, 0), 3, 1, 0), None);
        assert_eq!(elements(&[usize::MAX, 2]), None);
        assert!(flattened(&[usize::MAX, 3], 0, -1).is_err());
        assert!(flattened(&[2, 3], i64::MIN, i64::MAX).is_err());
        assert!(flattened(&[], 0, -1).is_err());
    }

    #[test]
    fn flatten_takes_axes_from_both_ends() {
        assert_eq!(flattened(&[8, 4, 4], 0, -1).unwrap(), [128]);
        assert_eq!(flattened(&[8, 4, 4], 1, -1).unwrap(), [8, 16]);
        assert_eq!(flattened(&[8, 4, 4], 0, 1).unwrap(), [32, 4]);
        assert_eq!(flattened(&[8, 4, 4], -2, -2).unwrap(), [8, 4, 4]);
        assert!(flattened(&[8, 4, 4], 2, 1).is_err());
    }
}
