//! `place`: cores on the mesh, in a meander over the smallest near-square grid.
//!
//! Neighbouring cores of the partition stay neighbours on the chip. Positions that the chip keeps for itself (an output bus) come
//! last and stay free.

/// A grid and a position for each core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Columns, rows.
    pub mesh: [u32; 2],
    /// (x, y) of each core.
    pub positions: Vec<(u32, u32)>,
}

/// Places `cores` cores on a mesh of at most `most` columns and rows (`resizable`) or exactly that, with `reserved` positions left
/// free at the end. `None` when they do not fit.
pub fn place(cores: usize, most: [u32; 2], resizable: bool, reserved: usize) -> Option<Placement> {
    let wanted = cores + reserved;
    let mesh = if resizable {
        let side = (1..=most[0])
            .find(|s| *s as usize * *s as usize >= wanted)
            .unwrap_or(most[0]);
        let rows = (wanted.div_ceil(side as usize) as u32).max(1);
        [side, rows]
    } else {
        most
    };
    if mesh[1] > most[1] || mesh[0] as usize * (mesh[1] as usize) < wanted {
        return None;
    }
    let positions = (0..cores as u32)
        .map(|i| {
            let (y, k) = (i / mesh[0], i % mesh[0]);
            (
                if y.is_multiple_of(2) {
                    k
                } else {
                    mesh[0] - 1 - k
                },
                y,
            )
        })
        .collect();
    Some(Placement { mesh, positions })
}
