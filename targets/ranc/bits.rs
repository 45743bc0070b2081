//! A matrix of bits: the connections of a core, one row a neuron, one column an axon.
//!
//! Rows are packed into 64-bit words, axon 0 in the lowest bit, so that a row and the axons that fire can be ANDed word by word. Bits
//! beyond the last column are always zero.

/// Rows of equal length, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitMatrix {
    rows: usize,
    columns: usize,
    words: Vec<u64>,
}

impl BitMatrix {
    /// A matrix of zeros.
    pub fn new(rows: usize, columns: usize) -> Self {
        BitMatrix {
            rows,
            columns,
            words: vec![0; rows * columns.div_ceil(64)],
        }
    }

    /// Number of rows (neurons).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns (axons).
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Words of a row.
    fn stride(&self) -> usize {
        self.columns.div_ceil(64)
    }

    /// The words of a row; no words for a row that does not exist.
    pub fn row(&self, row: usize) -> &[u64] {
        if row >= self.rows {
            return &[];
        }
        let at = row * self.stride();
        &self.words[at..at + self.stride()]
    }

    /// The bit; false outside the matrix.
    pub fn get(&self, row: usize, column: usize) -> bool {
        column < self.columns
            && self
                .row(row)
                .get(column / 64)
                .is_some_and(|w| w >> (column % 64) & 1 == 1)
    }

    /// Sets a bit. Outside the matrix nothing happens.
    pub fn set(&mut self, row: usize, column: usize, bit: bool) {
        if row >= self.rows || column >= self.columns {
            return;
        }
        let at = row * self.stride() + column / 64;
        if bit {
            self.words[at] |= 1 << (column % 64);
        } else {
            self.words[at] &= !(1 << (column % 64));
        }
    }

    /// Overwrites a row with packed words; what lies beyond the last column, and words beyond the row, are dropped.
    pub fn set_row(&mut self, row: usize, words: &[u64]) {
        let stride = self.stride();
        if row >= self.rows {
            return;
        }
        for k in 0..stride {
            let valid = (self.columns - k * 64).min(64);
            let mask = if valid == 64 {
                u64::MAX
            } else {
                (1 << valid) - 1
            };
            self.words[row * stride + k] = words.get(k).copied().unwrap_or(0) & mask;
        }
    }

    /// Columns of the ones of a row, ascending.
    pub fn ones(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        self.row(row).iter().enumerate().flat_map(|(k, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(k * 64 + bit)
            })
        })
    }

    /// Number of ones in the whole matrix.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// Adds rows of zeros until there are `rows`.
    pub fn grow(&mut self, rows: usize) {
        if rows > self.rows {
            self.rows = rows;
            self.words.resize(rows * self.stride(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_apart_and_clean() {
        let mut m = BitMatrix::new(3, 70);
        m.set(1, 0, true);
        m.set(1, 69, true);
        m.set(1, 70, true);
        m.set_row(2, &[u64::MAX, u64::MAX, 7]);
        assert_eq!(m.ones(1).collect::<Vec<_>>(), [0, 69]);
        assert_eq!(m.ones(2).count(), 70);
        assert_eq!(
            (m.count(), m.get(0, 0), m.get(1, 69), m.get(9, 1)),
            (72, false, true, false)
        );
        m.set(1, 69, false);
        assert_eq!(m.ones(1).collect::<Vec<_>>(), [0]);
        m.grow(4);
        assert_eq!((m.rows(), m.row(3).len(), m.row(4).len()), (4, 2, 0));
    }
}
