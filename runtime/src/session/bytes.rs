//! Little-endian bytes of a checkpoint: written into a vector, read with every length checked against what is there.

/// Appends values.
#[derive(Default)]
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn u32(&mut self, x: u32) {
        self.0.extend_from_slice(&x.to_le_bytes());
    }

    pub fn u64(&mut self, x: u64) {
        self.0.extend_from_slice(&x.to_le_bytes());
    }

    pub fn f64(&mut self, x: f64) {
        self.u64(x.to_bits());
    }

    pub fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A number and as many words.
    pub fn words(&mut self, words: &[u32]) {
        self.u64(words.len() as u64);
        words.iter().for_each(|w| self.u32(*w));
    }

    /// 7 bits a byte, the lowest first; small numbers take one byte.
    pub fn short(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    /// A difference of either sign, short when it is small.
    pub fn signed(&mut self, x: i64) {
        self.short((x << 1 ^ x >> 63) as u64);
    }
}

/// Takes values from the front.
pub(super) struct Reader<'a>(pub &'a [u8]);

/// What is wrong when the bytes end too early or cannot be.
pub(super) type Read<T> = Result<T, String>;

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        match self.0.split_at_checked(n) {
            Some((front, rest)) => {
                self.0 = rest;
                Ok(front)
            }
            None => Err(format!("it ends {} bytes too early", n - self.0.len())),
        }
    }

    pub fn u32(&mut self) -> Read<u32> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    pub fn u64(&mut self) -> Read<u64> {
        Ok(u64::from(self.u32()?) | u64::from(self.u32()?) << 32)
    }

    pub fn f64(&mut self) -> Read<f64> {
        Ok(f64::from_bits(self.u64()?))
    }

    /// A number of things that take at least `each` bytes of what is left.
    pub fn count(&mut self, each: usize) -> Read<usize> {
        let n = self.u64()?;
        match usize::try_from(n) {
            Ok(n) if n <= self.0.len() / each.max(1) => Ok(n),
            _ => Err(format!("it says that {n} entries follow, and ends before")),
        }
    }

    pub fn text(&mut self) -> Read<String> {
        let n = self.count(1)?;
        let bytes = self.take(n)?.to_vec();
        String::from_utf8(bytes).map_err(|_| "a name is not UTF-8".into())
    }

    pub fn words(&mut self) -> Read<Vec<u32>> {
        let n = self.count(4)?;
        let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        Ok(self.take(4 * n)?.chunks_exact(4).map(word).collect())
    }

    pub fn byte(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    pub fn short(&mut self) -> Read<u64> {
        let mut x = 0;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            x |= u64::from(b & 0x7f) << shift;
            if b < 0x80 {
                return Ok(x);
            }
        }
        Err("a number has too many bytes".into())
    }

    pub fn signed(&mut self) -> Read<i64> {
        let x = self.short()?;
        Ok((x >> 1) as i64 ^ -((x & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(a in any::<u64>(), b in any::<i64>(), w in prop::collection::vec(any::<u32>(), 0..9)) {
            let mut out = Writer::default();
            out.short(a);
            out.signed(b);
            out.words(&w);
            out.text("é");
            let mut from = Reader(&out.0);
            prop_assert_eq!(from.short(), Ok(a));
            prop_assert_eq!(from.signed(), Ok(b));
            prop_assert_eq!(from.words(), Ok(w));
            prop_assert_eq!(from.text(), Ok("é".to_string()));
            prop_assert!(from.0.is_empty());
        }
    }
}
