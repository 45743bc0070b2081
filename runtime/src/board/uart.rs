//! What a UART hears when the other end speaks at another speed.
//!
//! 8N1: a start bit (low), eight data bits, lowest first, a stop bit (high); the line rests high. The receiver waits for a falling edge and reads the line in the middle of
//! each of its own bits. At equal speeds everything is heard as it was said; a software board uses this when the host has set another speed than its own.

/// Bits of a frame.
const FRAME: u64 = 10;

/// The level of a line on which `bytes` are said without a pause, in bit `k` of the sender.
fn level(bytes: &[u8], k: u64) -> bool {
    let Some(byte) = usize::try_from(k / FRAME).ok().and_then(|i| bytes.get(i)) else {
        return true;
    };
    match k % FRAME {
        0 => false,
        9 => true,
        bit => byte >> (bit - 1) & 1 == 1,
    }
}

/// What is heard at `heard` bits a second of bytes said at `said` bits a second. Frames without a stop bit are heard all the same.
pub fn heard(bytes: &[u8], said: u32, heard: u32) -> Vec<u8> {
    if said == heard || said == 0 || heard == 0 {
        return bytes.to_vec();
    }
    // Time counts in halves of a bit at the product of the two speeds.
    let (sender, receiver) = (2 * u64::from(heard), 2 * u64::from(said));
    let end = bytes.len() as u64 * FRAME * sender;
    let at = |t: u64| level(bytes, t / sender);
    let mut out = vec![];
    let mut now = 0;
    while now < end {
        if at(now) {
            // Levels change at the sender's bits only.
            now = (now / sender + 1) * sender;
            continue;
        }
        let bit = |i: u64| u8::from(at(now + receiver / 2 + (i + 1) * receiver)) << i;
        out.push((0..8).fold(0, |byte, i| byte | bit(i)));
        now += receiver / 2 + 9 * receiver;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::heard;

    #[test]
    fn equal_and_nearly_equal_speeds_hear_what_is_said() {
        let text: Vec<u8> = (0..=255).collect();
        assert_eq!(heard(&text, 9600, 9600), text);
        // Two per cent are within what UARTs bear.
        assert_eq!(heard(&text, 9600, 9792), text);
        assert_eq!(heard(&text, 9600, 9408), text);
    }

    #[test]
    fn other_speeds_hear_something_else() {
        // At half the speed a receiver sees every second bit: start, 1 of 0x04's ... worked by hand:
        // 0x04 0x01 on the line: 0 00100000 1 | 0 10000000 1. Read at bits 1.5 x 2 = 3: bits 3, 5, 7, 9, 11, 13, 15, 17 of the sender.
        assert_eq!(heard(&[4, 1], 9600, 4800), [0b0001_1001]);
        let text = b"any text";
        for speed in [1200, 4800, 19_200, 115_200] {
            assert_ne!(heard(text, 9600, speed), text);
        }
        assert!(heard(text, 9600, 115_200).len() > text.len());
    }
}
