//! A conversation with a board: requests go out, replies come back in order, spikes at any time.
//!
//! In: requests of a [`Board`] over a byte stream ([`Port`]). Out: the spikes, or what went wrong: silence, rubbish, a reply to another request, a byte that reads back
//! differently, a line that is gone. Several requests are under way at once, for a line's delay is longer than a frame. Deliberately absent: opening ports.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::board::{Board, Reading, Reply, Request};

/// Requests under way at once; the bridge's smallest buffer holds them.
const WINDOW: usize = 32;
/// Bytes that begin no frame: they end whatever frame a host left unfinished.
const QUIET: [u8; 6] = [0; 6];

/// A byte stream whose reads and writes end after a short while with [`ErrorKind::TimedOut`] or [`ErrorKind::WouldBlock`].
pub trait Port: Read + Write + Send {}

impl<T: Read + Write + Send> Port for T {}

/// A native event that left the chip, and the board's clock.
pub type Left = (u64, u32);

/// A board that answers.
pub trait Link: Send {
    /// How messages call the line.
    fn name(&self) -> String;

    /// Brings the chip and the line into a known state, whatever a host before left there.
    fn reset(&mut self) -> Result<(), Diagnostics>;

    /// Asks for all of these, in order; what left the chip meanwhile is appended.
    ///
    /// Errors, all of class device: `SYN0852` silence, `SYN0853` the line is gone, `SYN0854` rubbish, `SYN0855` a byte that reads back differently.
    fn ask(&mut self, requests: &[Request], left: &mut Vec<Left>) -> Result<(), Diagnostics>;
}

/// Frames over a byte stream.
pub struct Framed {
    board: &'static dyn Board,
    port: Box<dyn Port>,
    /// How messages call the line.
    name: String,
    patience: Duration,
    received: Vec<u8>,
}

impl Framed {
    /// The board at the other end of `port`; a silence longer than `patience` is an error.
    pub fn new(
        board: &'static dyn Board,
        port: Box<dyn Port>,
        name: String,
        patience: Duration,
    ) -> Framed {
        Framed {
            board,
            port,
            name,
            patience,
            received: vec![],
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Diagnostics> {
        let done = self.port.write_all(bytes);
        let done = done.and_then(|()| self.port.flush());
        done.map_err(|e| match e.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                silent(&self.name, self.patience, "a request to be taken")
            }
            _ => gone(&self.name, &e.to_string()),
        })
    }

    /// Waits for more bytes; false when none came in the port's own short while.
    fn more(&mut self) -> Result<bool, Diagnostics> {
        let mut buffer = [0; 512];
        match self.port.read(&mut buffer) {
            Ok(0) => Err(gone(&self.name, "it was closed at the other end")),
            Ok(n) => {
                self.received.extend(buffer.iter().take(n));
                Ok(true)
            }
            Err(e) => match e.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(false),
                _ => Err(gone(&self.name, &e.to_string())),
            },
        }
    }

    /// The next reply; nothing when none is due before `until`.
    fn reply(&mut self, until: Instant) -> Result<Option<Result<Reply, u8>>, Diagnostics> {
        loop {
            match self.board.read(&self.received) {
                Reading::Reply(reply, length) => {
                    self.received.drain(..length);
                    return Ok(Some(Ok(reply)));
                }
                Reading::Garbage(byte) => {
                    self.received.remove(0);
                    return Ok(Some(Err(byte)));
                }
                Reading::More => {
                    if !self.more()? && Instant::now() >= until {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

impl Link for Framed {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reset(&mut self) -> Result<(), Diagnostics> {
        self.received.clear();
        let reset = self.board.frame(&Request::Reset);
        self.write(&[&QUIET[..], &reset].concat())?;
        let until = Instant::now() + self.patience;
        let mut rubbish = None;
        loop {
            match self.reply(until)? {
                Some(Ok(Reply::Reset)) => return Ok(()),
                // What a chip said before it was reset.
                Some(Ok(_)) => {}
                Some(Err(byte)) => rubbish = rubbish.or(Some(byte)),
                None => {
                    let Some(byte) = rubbish else {
                        return Err(silent(&self.name, self.patience, "the reset"));
                    };
                    return Err(garbage(
                        &self.name,
                        &format!("{byte:#04x} where a reply begins"),
                    ));
                }
            }
            if Instant::now() >= until && rubbish.is_some() {
                let byte = rubbish.unwrap_or(0);
                return Err(garbage(
                    &self.name,
                    &format!("{byte:#04x} where a reply begins"),
                ));
            }
        }
    }

    fn ask(&mut self, requests: &[Request], left: &mut Vec<Left>) -> Result<(), Diagnostics> {
        let mut next = requests.iter();
        let mut waiting: VecDeque<Request> = VecDeque::new();
        let mut until = Instant::now() + self.patience;
        loop {
            let room = WINDOW - waiting.len();
            let sent: Vec<Request> = next.by_ref().take(room).copied().collect();
            let frames: Vec<u8> = sent.iter().flat_map(|r| self.board.frame(r)).collect();
            if !frames.is_empty() {
                self.write(&frames)?;
            }
            waiting.extend(sent);
            let Some(front) = waiting.front() else {
                return Ok(());
            };
            match self.reply(until)? {
                None => return Err(silent(&self.name, self.patience, what(front))),
                Some(Err(byte)) => {
                    let text = format!("{byte:#04x} where the answer to {} begins", what(front));
                    return Err(garbage(&self.name, &text));
                }
                Some(Ok(Reply::Spike { word, clock })) => left.push((word, clock)),
                Some(Ok(reply)) if reply.answers(front) => {
                    if let (
                        Request::Word {
                            bytes,
                            expect: Some(byte),
                        },
                        Reply::Word(got),
                    ) = (front, reply)
                        && got != *byte
                    {
                        return Err(differs(&self.name, bytes, *byte, got));
                    }
                    waiting.pop_front();
                }
                Some(Ok(reply)) => {
                    let text = format!("{reply:?} instead of the answer to {}", what(front));
                    return Err(garbage(&self.name, &text));
                }
            }
            until = Instant::now() + self.patience;
        }
    }
}

/// A request in words.
pub(super) fn what(r: &Request) -> &'static str {
    match r {
        Request::Reset => "the reset",
        Request::Word { .. } => "a word of configuration",
        Request::Event(_) => "an event",
        Request::Drain(_) => "the wait for silence",
    }
}

fn silent(name: &str, patience: Duration, what: &str) -> Diagnostics {
    let text = format!(
        "the board at {name} is silent: it let {} ms pass over {what}",
        patience.as_millis()
    );
    Diagnostic::error("SYN0852", text)
        .class(Class::Device)
        .note("every request is answered; spikes may come in between")
        .hint("check that the board has power, that this is its line, and that the bridge runs at this speed; ?timeout=MS waits longer")
        .into()
}

pub(super) fn gone(name: &str, why: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0853",
        format!("the line to the board at {name} is gone: {why}"),
    )
    .class(Class::Device)
    .note("nothing of this run was written")
    .hint("plug the board in again and repeat the command: it loads the chip from the beginning")
    .into()
}

fn garbage(name: &str, what: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0854",
        format!("the board at {name} sent rubbish: {what}"),
    )
    .class(Class::Device)
    .note("no frame of its protocol begins so; nothing of this run was written")
    .hint("check the baud rate (?baud=N), and that this is the line of the board's bridge")
    .into()
}

pub(super) fn differs(name: &str, word: &[u8; 5], expected: u8, got: u8) -> Diagnostics {
    let hex: String = word.iter().map(|b| format!("{b:02x}")).collect();
    let text = format!(
        "the chip at {name} does not hold what was written: {hex} reads {got:#04x}, {expected:#04x} was written"
    );
    Diagnostic::error("SYN0855", text)
        .class(Class::Device)
        .note("a sample of all words is read back before the chip starts")
        .hint("lower the SPI clock to at most an eighth of the chip's, and check that RST resets the word counter")
        .field("expected", expected)
        .field("got", got)
        .into()
}
