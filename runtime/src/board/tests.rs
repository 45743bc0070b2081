use super::link::{Framed, Left, Link};
use super::spi::{Bus, Spi};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synfire_ir::{Class, Diagnostics};
use synfire_targets::board::{Board, Request};

/// What a scripted line does next.
#[derive(Clone)]
enum Turn {
    Bytes(Vec<u8>),
    Silence,
    Closed,
    Broken,
}

#[derive(Clone, Default)]
struct Script {
    turns: Arc<Mutex<VecDeque<Turn>>>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut turns = self.turns.lock().expect("one thread");
        match turns.pop_front() {
            Some(Turn::Bytes(b)) => {
                buffer[..b.len()].copy_from_slice(&b);
                Ok(b.len())
            }
            Some(Turn::Silence) | None => {
                std::thread::sleep(Duration::from_millis(1));
                Err(Error::from(ErrorKind::TimedOut))
            }
            Some(Turn::Closed) => Ok(0),
            Some(Turn::Broken) => Err(Error::from(ErrorKind::BrokenPipe)),
        }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.heard.lock().expect("one thread").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Any chip with a board that takes one event after another.
fn board() -> &'static dyn Board {
    let chips = synfire_targets::all().iter();
    let mut boards = chips.filter_map(|c| c.backend()?.board());
    boards.next().expect("a chip with a board")
}

fn link(turns: &[Turn]) -> (Framed, Script) {
    let script = Script::default();
    *script.turns.lock().expect("one thread") = turns.iter().cloned().collect();
    let patience = Duration::from_millis(20);
    let port = Box::new(script.clone());
    (
        Framed::new(board(), port, "a line".into(), patience),
        script,
    )
}

fn read(expect: u8) -> Request {
    Request::Word {
        bytes: [0x90, 0, 0, 0, 0],
        expect: Some(expect),
    }
}

fn code(r: Result<(), Diagnostics>) -> (String, Class) {
    let d = r.expect_err("an error").0.remove(0);
    assert!(!d.hints.is_empty());
    (d.code, d.class)
}

fn device(code: &str) -> (String, Class) {
    (code.into(), Class::Device)
}

#[test]
fn replies_may_come_in_pieces_and_spikes_between_them() {
    let (mut l, script) = link(&[
        Turn::Bytes(vec![0xC0, 7, 0, 0]),
        Turn::Silence,
        Turn::Bytes(vec![1, 2, 0x82]),
        Turn::Bytes(vec![0xC0, 8, 0, 0, 0, 9, 0x83]),
    ]);
    let mut left: Vec<Left> = vec![];
    l.ask(&[Request::Event(5), Request::Drain(3)], &mut left)
        .expect("answered");
    assert_eq!(left, [(7, 258), (8, 9)]);
    assert_eq!(
        *script.heard.lock().expect("one thread"),
        [2, 0, 0, 5, 3, 0, 3]
    );
}

#[test]
fn what_goes_wrong_has_a_name() {
    let ask = |turns: &[Turn]| code(link(turns).0.ask(&[read(5)], &mut vec![]));
    assert_eq!(ask(&[Turn::Silence]), device("SYN0852"));
    assert_eq!(
        ask(&[Turn::Bytes(vec![0x81])]),
        device("SYN0852"),
        "half a frame"
    );
    assert_eq!(ask(&[Turn::Closed]), device("SYN0853"));
    assert_eq!(
        ask(&[Turn::Bytes(vec![0x81]), Turn::Broken]),
        device("SYN0853")
    );
    assert_eq!(ask(&[Turn::Bytes(vec![0x37, 0x81, 5])]), device("SYN0854"));
    assert_eq!(
        ask(&[Turn::Bytes(vec![0x82])]),
        device("SYN0854"),
        "another answer"
    );
    assert_eq!(ask(&[Turn::Bytes(vec![0x81, 4])]), device("SYN0855"));
    link(&[Turn::Bytes(vec![0x81, 5])])
        .0
        .ask(&[read(5)], &mut vec![])
        .expect("as written");
}

#[test]
fn a_reset_outlasts_what_a_host_before_left_on_the_line() {
    let old = [0x82, 0xC0, 0x84, 0, 0, 0, 1, 0x33, 0x84];
    let (mut l, script) = link(&[Turn::Bytes(old.to_vec())]);
    l.reset().expect("reset");
    assert!(script.heard.lock().expect("one thread").ends_with(&[4, 1]));
    assert_eq!(
        code(link(&[Turn::Bytes(vec![0x33, 0x44])]).0.reset()),
        device("SYN0854")
    );
    assert_eq!(code(link(&[]).0.reset()), device("SYN0852"));
    // A line that never stops talking is rubbish, not a reason to wait for ever.
    let noise = vec![Turn::Bytes(vec![0x55; 64]); 100_000];
    assert_eq!(code(link(&noise).0.reset()), device("SYN0854"));
}

/// A bus that answers every word with its last byte.
struct Mirror(Arc<Mutex<Vec<[u8; 5]>>>);

impl Bus for Mirror {
    fn transfer(&mut self, word: &[u8; 5]) -> std::io::Result<[u8; 5]> {
        self.0.lock().expect("one thread").push(*word);
        Ok(*word)
    }
}

#[test]
fn words_go_over_the_bus_and_events_over_the_line() {
    let seen = Arc::new(Mutex::new(vec![]));
    let word = |byte, expect| Request::Word {
        bytes: [0x90, 0, 0, 0, byte],
        expect,
    };
    let bus = || Box::new(Mirror(seen.clone()));
    let mut alone = Spi::new("a bus".into(), bus(), None);
    alone.reset().expect("nothing to reset");
    alone
        .ask(&[word(3, Some(3)), word(4, None)], &mut vec![])
        .expect("mirrored");
    assert_eq!(seen.lock().expect("one thread").len(), 2);
    assert_eq!(
        code(alone.ask(&[word(3, Some(4))], &mut vec![])),
        device("SYN0855")
    );
    let usage = ("SYN0856".to_string(), Class::Usage);
    assert_eq!(code(alone.ask(&[Request::Event(1)], &mut vec![])), usage);
    let (line, script) = link(&[Turn::Bytes(vec![0x82])]);
    let mut both = Spi::new("a bus".into(), bus(), Some(line));
    both.ask(&[Request::Event(1)], &mut vec![])
        .expect("over the line");
    assert_eq!(*script.heard.lock().expect("one thread"), [2, 0, 0, 1]);
}

#[test]
fn devices_that_are_no_boards_are_said_so() {
    let open = |url: &str| {
        let place = super::Place::parse(url).expect("a URL");
        code(super::open(&place, board(), "chip").map(|_| ()))
    };
    assert_eq!(
        open("serial:///dev/there-is-no-such-line"),
        device("SYN0851")
    );
    assert_eq!(open("tcp://127.0.0.1:1"), device("SYN0851"));
    assert_eq!(open("spi:///dev/spidev9.9"), device("SYN0851"));
    assert_eq!(open("spi:///dev/null"), device("SYN0851"));
    assert_eq!(open("file:///tmp").0, "SYN0857");
}
