use super::*;
use crate::board::{Behind, Reading, Reply};
use proptest::prelude::*;

/// Remembers what was loaded; a row event leaves the chip as its own number.
#[derive(Default)]
struct Echo {
    loaded: usize,
    states: Vec<Vec<u32>>,
}

impl Behind for Echo {
    fn load(&mut self, _: Program) -> Result<(), Diagnostics> {
        self.loaded += 1;
        Ok(())
    }

    fn event(&mut self, event: NativeInput) -> Result<Vec<u32>, Diagnostics> {
        match event {
            NativeInput::Serial(synfire_ir::program::SerialEvent::Row { pre }) => Ok(vec![pre]),
            _ => Ok(vec![]),
        }
    }

    fn states(&mut self, _: u32) -> Result<Vec<Vec<u32>>, Diagnostics> {
        Ok(self.states.clone())
    }
}

fn word(bytes: [u8; 5]) -> Vec<u8> {
    request(&Request::Word {
        bytes,
        expect: None,
    })
}

#[test]
fn frames_are_those_of_the_table() {
    let w = [0x50, 0x20, 0x50, 0, 0x7f];
    assert_eq!(word(w), [1, 0x50, 0x20, 0x50, 0, 0x7f]);
    assert_eq!(request(&Request::Event(0x1_0203)), [2, 1, 2, 3]);
    assert_eq!(request(&Request::Drain(0x0102)), [3, 1, 2]);
    assert_eq!(request(&Request::Reset), [4, 1]);
    assert_eq!(reply(&Reply::Word(9)), [0x81, 9]);
    let spike = Reply::Spike {
        word: 7,
        clock: 258,
    };
    assert_eq!(reply(&spike), [0xC0, 7, 0, 0, 1, 2]);
    assert_eq!(read_reply(&[0x37, 1]), Reading::Garbage(0x37));
    assert_eq!(read_request(&[5]), Err(5));
    assert_eq!(read_request(&[4, 0]), Err(4));
}

#[test]
fn memory_keeps_the_bits_of_its_mask_and_obeys_the_gate() {
    let mut m = Memory::default();
    let write = 0x5_0205u64 << 20;
    assert_eq!(m.transfer(write | 0x7f), 0);
    assert_eq!(m.neuron(5)[2], 0, "the gate is open");
    m.transfer(1);
    m.transfer(write | 0x7f);
    m.transfer(write | 0x0F80);
    assert_eq!(m.neuron(5)[2], 0x8f);
    assert_eq!(m.transfer(0x9_0205 << 20), 0x8f);
    m.set_nibble(3, 9, 0xA);
    assert_eq!((m.nibble(3, 9), m.nibble(3, 8)), (0xA, 0));
    // Byte 0 of word 3 * 32 + 1 holds columns 8 and 9.
    assert_eq!(m.transfer(0xA_0061 << 20), 0xA0);
    assert_eq!(
        memory::read_back(write | 0x7f),
        Some((0x9_0205 << 20, 0x7f))
    );
    assert_eq!(memory::read_back(write | 0x0F80), None);
    assert_eq!(memory::read_back(1), None);
}

fn tiny() -> (Box<dyn crate::board::Device>, &'static dyn Board) {
    let chip = crate::registry::by_name("tinyodin").expect("shipped");
    let board = chip.backend().and_then(|b| b.board()).expect("a board");
    (board.device(), board)
}

/// One neuron with threshold 1 and the row 3 of weight 2.
fn configuration() -> Vec<u64> {
    let neuron = |b: u64, byte: u64| (0x5_0000 | b << 8) << 20 | byte;
    let threshold = (neuron(0, 0), neuron(1, 0x10), neuron(2, 0), neuron(3, 0));
    let row = (0x6_0000u64 | 3 << 5) << 20 | 2;
    let config = |r: u64, v: u64| r << 20 | v;
    vec![
        config(0, 1),
        config(1, 1),
        config(2, 0),
        config(3, 0),
        threshold.0,
        threshold.1,
        threshold.2,
        threshold.3,
        row,
        config(1, 1),
        config(0, 0),
    ]
}

#[test]
fn a_gated_chip_does_not_acknowledge_events_and_is_silent_about_rubbish() {
    let (mut device, _) = tiny();
    let mut echo = Echo::default();
    let mut say = |bytes: &[u8]| device.take(bytes, &mut echo).expect("runs");
    assert_eq!(say(&request(&Request::Event(3))), Vec::<u8>::new());
    assert_eq!(say(&[0x99, 0x00, 0xFF, 4]), Vec::<u8>::new());
    assert_eq!(say(&[1]), [0x84]);
    for w in configuration() {
        assert_eq!(say(&word(bytes(w)))[0], 0x81);
    }
    let out = say(&request(&Request::Event(3)));
    assert_eq!((out[0], &out[1..3]), (0x82, &[0xC0, 3][..]));
    assert_eq!(echo.loaded, 1);
}

#[test]
fn final_potentials_are_read_back_through_the_gate() {
    let (mut device, _) = tiny();
    let mut echo = Echo {
        states: vec![vec![(-5i32) as u32]],
        ..Echo::default()
    };
    for w in configuration() {
        device.take(&word(bytes(w)), &mut echo).expect("runs");
    }
    let mut say = |w: u64| device.take(&word(bytes(w)), &mut echo).expect("runs");
    say(1);
    // -5 in twelve bits is 0xFFB; the threshold follows from bit 12 on.
    assert_eq!(say(0x9_0000 << 20), [0x81, 0xFB]);
    assert_eq!(say(0x9_0100 << 20), [0x81, 0x1F]);
}

#[test]
fn an_image_is_sent_in_its_order_and_sampled_before_the_gate_opens() {
    let (_, board) = tiny();
    let stream: Vec<u8> = configuration().into_iter().flat_map(bytes).collect();
    let section = Section {
        kind: synfire_ir::artifact::SectionKind::Native,
        name: "config.spi".into(),
        bytes: stream.clone(),
    };
    let loading = board.loading(&[&section]).expect("a legal image");
    let (mut sent, mut reads) = (Vec::<u8>::new(), 0);
    for r in &loading.requests {
        match r {
            Request::Word {
                bytes,
                expect: None,
            } => sent.extend(bytes),
            Request::Word {
                expect: Some(_), ..
            } => {
                reads += 1;
                assert_eq!(sent.len(), stream.len() - 10, "before the last two words");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sent, stream);
    assert_eq!(reads, 2, "the first of five memory words, and the last");
    assert_eq!(loading.drain, Request::Drain(2), "2 x 10 clocks");
}

proptest! {
    #[test]
    fn frames_come_back(bytes in any::<[u8; 5]>(), event in 0u64..1 << 24, n in any::<u16>(), clock in any::<u32>(), more in any::<Vec<u8>>()) {
        for r in [Request::Reset, Request::Word { bytes, expect: None }, Request::Event(event), Request::Drain(n)] {
            let mut text = request(&r);
            let len = text.len();
            for short in 0..len {
                prop_assert_eq!(read_request(&text[..short]), Ok(None));
            }
            text.extend(&more);
            prop_assert_eq!(read_request(&text), Ok(Some((r, len))));
        }
        for r in [Reply::Reset, Reply::Word(bytes[0]), Reply::Event, Reply::Drained, Reply::Spike { word: bytes[1].into(), clock }] {
            let mut text = reply(&r);
            let len = text.len();
            for short in 0..len {
                prop_assert_eq!(read_reply(&text[..short]), Reading::More);
            }
            text.extend(&more);
            prop_assert_eq!(read_reply(&text), Reading::Reply(r, len));
        }
    }

    #[test]
    fn a_device_survives_any_bytes(text in proptest::collection::vec(prop_oneof![0u8..5, any::<u8>()], 0..400)) {
        let (mut device, _) = tiny();
        let mut echo = Echo::default();
        let whole = device.take(&text, &mut echo);
        let (mut device, _) = tiny();
        let pieces: Result<Vec<Vec<u8>>, _> = text.iter().map(|b| device.take(&[*b], &mut echo)).collect();
        prop_assert_eq!(whole.ok(), pieces.ok().map(|p| p.concat()));
    }
}
