//! The bytes of a file behind a counter.
//!
//! In: the whole file. Out: an `hdf5_reader` storage that lends ranges of it until more bytes have been lent than an
//! honest file of that size needs. Object tables of HDF5 may point to one another freely, so a small crafted file
//! can ask for the same region again and again; the counter turns that into an error instead of a long wait and a
//! large heap. Invariant: the sum of all lent ranges is at most [`Meter::limit`].

use hdf5_reader::error::{Error, Result};
use hdf5_reader::{Storage, StorageBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often each byte of an honest file may be read: object headers are parsed once, link tables twice (once to
/// admit the group, once to list it), data once. Files written by h5py need less than 3.
const READS_PER_BYTE: u64 = 8;

/// Allowance that does not depend on the size, so that small files are not refused for fixed-size look-aheads.
const FLOOR: u64 = 1 << 20;

/// Random-access bytes with a budget.
pub struct Meter {
    bytes: Arc<[u8]>,
    used: AtomicU64,
    limit: u64,
}

impl Meter {
    /// Takes the file's bytes; the budget follows from their number.
    pub fn new(bytes: &[u8]) -> Self {
        let limit = (bytes.len() as u64)
            .saturating_mul(READS_PER_BYTE)
            .saturating_add(FLOOR);
        Meter {
            bytes: Arc::from(bytes),
            used: AtomicU64::new(0),
            limit,
        }
    }

    /// Bytes lent so far.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Most bytes that may be lent.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}

impl Storage for Meter {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_range(&self, offset: u64, len: usize) -> Result<StorageBuffer> {
        let start = usize::try_from(offset).map_err(|_| Error::OffsetOutOfBounds(offset))?;
        let lent = StorageBuffer::from_shared(self.bytes.clone(), start, len)?;
        let used = self
            .used
            .fetch_add(len as u64, Ordering::Relaxed)
            .saturating_add(len as u64);
        if used > self.limit {
            return Err(Error::ResourceLimit(format!(
                "the object tables refer to more than {} bytes of a file of {} bytes",
                self.limit,
                self.bytes.len()
            )));
        }
        Ok(lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_ranges_until_the_budget_is_spent() {
        let meter = Meter::new(&[7u8; 1000]);
        assert_eq!(meter.read_range(10, 5).unwrap().as_ref(), &[7u8; 5]);
        assert_eq!(meter.used(), 5);
        assert!(meter.read_range(999, 2).is_err());
        assert!(meter.read_range(u64::MAX, 2).is_err());
        let mut lent = 5;
        while meter.read_range(0, 1000).is_ok() {
            lent += 1000;
            assert!(lent <= meter.limit());
        }
        assert!(lent + 1000 > meter.limit());
    }
}
