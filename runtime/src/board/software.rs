//! Software boards: a chip's own wire protocol over a socket or a pseudo-terminal, an engine in place of the chip.
//!
//! One host at a time. A board on a pseudo-terminal has a speed, as a UART has: a host that sets another one hears, and is heard as, what a UART makes of that. Ends when the
//! caller's `stop` says so, or with what failed. Deliberately absent: what the bytes mean (the chip's).

use crate::engine::{self, Engine, Options, Record, Stimulus};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use synfire_ir::diag::Quiet;
use synfire_ir::program::Program;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::backend::NativeInput;
use synfire_targets::board::{Behind, Board, Device};

/// Time between two looks at `stop`.
const MOMENT: Duration = Duration::from_millis(20);

/// A CPU engine in place of the chip; each event is a step.
#[derive(Default)]
pub struct Emulator {
    engine: Option<Box<dyn Engine>>,
    program: Option<Arc<Program>>,
}

impl Behind for Emulator {
    fn load(&mut self, program: Program) -> Result<(), Diagnostics> {
        let program = Arc::new(program);
        let options = Options {
            threads: 1,
            ..Options::default()
        };
        self.engine = Some(engine::open("cpu", program.clone(), &options)?);
        self.program = Some(program);
        Ok(())
    }

    fn event(&mut self, event: NativeInput) -> Result<Vec<u32>, Diagnostics> {
        let (Some(engine), NativeInput::Serial(event)) = (&mut self.engine, event) else {
            return Ok(vec![]);
        };
        let stimulus = Stimulus {
            events: vec![],
            serial: vec![(engine.now(), 0, event)],
        };
        let mut record = Record::default();
        engine.advance(1, &stimulus, &mut record, &Quiet)?;
        Ok(record.serial.into_iter().map(|s| s.2).collect())
    }

    fn states(&mut self, group: u32) -> Result<Vec<Vec<u32>>, Diagnostics> {
        let (Some(engine), Some(program)) = (&mut self.engine, &self.program) else {
            return Ok(vec![]);
        };
        let model = program.model_of(group);
        let n = model.map_or(0, |m| m.states.len()) as u16;
        (0..n).map(|s| engine.state(group, s)).collect()
    }
}

/// What a software board tells and asks of who runs it.
pub trait Keeper {
    /// Is it to stop?
    fn stop(&self) -> bool;
    /// A host came, or something that it sent could not be done.
    fn tell(&self, what: &str);
}

/// Serves hosts that connect to a socket, one after another, each with a board fresh from power-up.
///
/// Errors: those of the socket.
pub fn serve(
    listener: &TcpListener,
    board: &dyn Board,
    keeper: &dyn Keeper,
) -> Result<(), Diagnostics> {
    let failed = |e: std::io::Error| closed(&e.to_string());
    listener.set_nonblocking(true).map_err(failed)?;
    while !keeper.stop() {
        match listener.accept() {
            Ok((stream, host)) => {
                keeper.tell(&format!("host {host}"));
                if let Err(e) = converse(stream, board, keeper) {
                    keeper.tell(&e);
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(MOMENT),
            Err(e) => return Err(failed(e)),
        }
    }
    Ok(())
}

/// One host on a socket, until it goes.
fn converse(mut stream: TcpStream, board: &dyn Board, keeper: &dyn Keeper) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    stream.set_nonblocking(false).map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    stream.set_read_timeout(Some(MOMENT)).map_err(text)?;
    let (mut device, mut chip) = (board.device(), Emulator::default());
    let mut buffer = [0; 4096];
    while !keeper.stop() {
        let n = match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(e) => return Err(text(e)),
        };
        let out = answer(
            &mut *device,
            &mut chip,
            buffer.get(..n).unwrap_or(&[]),
            keeper,
        );
        stream.write_all(&out).map_err(text)?;
    }
    Ok(())
}

/// What a device answers; what it cannot do is told, and not answered, as a chip would not.
fn answer(
    device: &mut dyn Device,
    chip: &mut Emulator,
    bytes: &[u8],
    keeper: &dyn Keeper,
) -> Vec<u8> {
    device.take(bytes, chip).unwrap_or_else(|wrong| {
        keeper.tell(&wrong.to_string());
        vec![]
    })
}

fn closed(why: &str) -> Diagnostics {
    Diagnostic::error("SYN0859", format!("the software board cannot go on: {why}"))
        .class(Class::Device)
        .hint("choose another port with --listen HOST:PORT, or --pty")
        .into()
}

/// A socket for hosts.
///
/// Errors: `SYN0859`, of class device.
pub fn listen(place: &str) -> Result<TcpListener, Diagnostics> {
    TcpListener::bind(place).map_err(|e| closed(&format!("{place}: {e}")))
}

#[cfg(unix)]
pub use pty::{Terminal, terminal};

#[cfg(unix)]
mod pty {
    use super::{Board, Diagnostics, Emulator, Keeper, MOMENT, answer, closed};
    use crate::board::uart::heard;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::Errno;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use std::os::fd::OwnedFd;

    /// A pseudo-terminal whose other end is a board.
    pub struct Terminal {
        master: OwnedFd,
        /// Kept open, so that the line stays when a host closes it.
        _line: OwnedFd,
        /// The device that a host opens.
        pub path: String,
        baud: u32,
    }

    /// A new pseudo-terminal for a board that speaks at `baud` bits a second.
    ///
    /// Errors: `SYN0859`, of class device.
    pub fn terminal(baud: u32) -> Result<Terminal, Diagnostics> {
        let made = || -> Result<Terminal, Errno> {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
            grantpt(&master)?;
            unlockpt(&master)?;
            let path = ptsname(&master, vec![])?.to_string_lossy().into_owned();
            let line = open(path.as_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
            let mut form = tcgetattr(&line)?;
            form.make_raw();
            form.set_speed(baud)?;
            tcsetattr(&line, OptionalActions::Now, &form)?;
            Ok(Terminal {
                master,
                _line: line,
                path,
                baud,
            })
        };
        made().map_err(|e| closed(&e.to_string()))
    }

    impl Terminal {
        /// Serves whatever host opens the device, until `stop`.
        ///
        /// Errors: `SYN0859`, of class device.
        pub fn serve(&self, board: &dyn Board, keeper: &dyn Keeper) -> Result<(), Diagnostics> {
            let (mut device, mut chip) = (board.device(), Emulator::default());
            let moment = Timespec::try_from(MOMENT).unwrap_or_default();
            let mut buffer = [0; 4096];
            while !keeper.stop() {
                let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
                match poll(&mut ready, Some(&moment)) {
                    Ok(0) | Err(Errno::INTR) => continue,
                    Ok(_) => {}
                    Err(e) => return Err(closed(&e.to_string())),
                }
                let n = match rustix::io::read(&self.master, &mut buffer) {
                    Ok(n) => n,
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(e) => return Err(closed(&e.to_string())),
                };
                let host = tcgetattr(&self.master).map_or(self.baud, |t| t.output_speed());
                let bytes = heard(buffer.get(..n).unwrap_or(&[]), host, self.baud);
                let out = answer(&mut *device, &mut chip, &bytes, keeper);
                self.write(&heard(&out, self.baud, host))?;
            }
            Ok(())
        }

        fn write(&self, mut bytes: &[u8]) -> Result<(), Diagnostics> {
            while !bytes.is_empty() {
                match rustix::io::write(&self.master, bytes) {
                    Ok(n) => bytes = bytes.get(n..).unwrap_or(&[]),
                    Err(Errno::INTR) => {}
                    Err(e) => return Err(closed(&e.to_string())),
                }
            }
            Ok(())
        }
    }
}
