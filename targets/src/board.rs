//! Boards: what is said between a host and a chip that takes one event after another, without any wire.
//!
//! A [`Board`] turns native images into [`Request`]s, requests into bytes, and bytes that come back into [`Reply`]s; its [`Device`] is the other side of the same
//! conversation, with an emulator ([`Behind`]) in place of the chip. Both are pure functions between bytes and meanings: nothing here opens, waits or times out. Any
//! bytes are answered with a reading or with what is wrong with them. Deliberately absent: transports and engines (the runtime's).

use crate::backend::NativeInput;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::program::Program;

/// Something that a host asks of a board. Each request is answered once, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The chip's reset pins are pulsed, and whatever the bridge still holds is forgotten.
    Reset,
    /// A word of configuration. `expect` is what the chip must answer, where it is a read.
    Word {
        /// As it is sent.
        bytes: [u8; 5],
        /// What must come back, if that matters.
        expect: Option<u8>,
    },
    /// A native event goes into the chip.
    Event(u64),
    /// Waits until the chip has been silent for so long (in units of the board) that nothing more comes.
    Drain(u16),
}

/// What came from a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The board has been reset.
    Reset,
    /// A word was taken; this byte came back.
    Word(u8),
    /// An event was taken.
    Event,
    /// The chip is silent.
    Drained,
    /// A native event left the chip; the board's clock at that time.
    Spike {
        /// The native event.
        word: u64,
        /// Clock cycles, modulo 2^32.
        clock: u32,
    },
}

impl Reply {
    /// Does this answer a request?
    pub fn answers(&self, request: &Request) -> bool {
        matches!(
            (self, request),
            (Reply::Reset, Request::Reset)
                | (Reply::Word(_), Request::Word { .. })
                | (Reply::Event, Request::Event(_))
                | (Reply::Drained, Request::Drain(_))
        )
    }
}

/// What the beginning of received bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Too short yet.
    More,
    /// A reply, in so many bytes.
    Reply(Reply, usize),
    /// No reply begins with this byte.
    Garbage(u8),
}

/// How an image gets onto a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// All words in order, those that read back among them. The first reset is not among them.
    pub requests: Vec<Request>,
    /// What follows every event.
    pub drain: Request,
}

/// The host's side of a chip's board.
pub trait Board: Sync {
    /// The words that load native images and read a sample of them back.
    ///
    /// Errors: those of the chip's decoder.
    fn loading(&self, sections: &[&Section]) -> Result<Loading, Diagnostics>;

    /// The request as the board takes it.
    fn frame(&self, request: &Request) -> Vec<u8>;

    /// What the received bytes begin with.
    fn read(&self, received: &[u8]) -> Reading;

    /// The board's own side, fresh from power-up.
    fn device(&self) -> Box<dyn Device>;
}

/// An emulator behind a software board.
pub trait Behind {
    /// Runs this program from its initial state from now on.
    fn load(&mut self, program: Program) -> Result<(), Diagnostics>;

    /// Gives it one event; what leaves the chip until it is silent again.
    fn event(&mut self, event: NativeInput) -> Result<Vec<u32>, Diagnostics>;

    /// Words of the states of a group, `[state][unit]`.
    fn states(&mut self, group: u32) -> Result<Vec<Vec<u32>>, Diagnostics>;
}

/// A software board's own side of the conversation.
pub trait Device: Send {
    /// Takes bytes that arrived, in whatever pieces; gives what goes back.
    ///
    /// Errors: those of the emulator, and of configurations that the chip cannot have.
    fn take(&mut self, bytes: &[u8], behind: &mut dyn Behind) -> Result<Vec<u8>, Diagnostics>;
}
