//! Linux spidev: words go straight to the chip, events over the bridge's line where there is one.
//!
//! The chip has no chip select and counts 40 clocks a word from its reset on; whoever holds the device holds the bus. Without a bridge there is no line for events and no
//! reset: pulse RST by hand before loading.

use super::link::{Framed, Left, Link};
use super::port::unreachable;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::board::Request;

/// Something that exchanges five bytes for five.
pub trait Bus: Send {
    /// Sends and receives at once.
    fn transfer(&mut self, word: &[u8; 5]) -> std::io::Result<[u8; 5]>;
}

/// See the module.
pub struct Spi {
    name: String,
    bus: Box<dyn Bus>,
    bridge: Option<Framed>,
}

impl Spi {
    /// A bus, and the line for events.
    pub fn new(name: String, bus: Box<dyn Bus>, bridge: Option<Framed>) -> Spi {
        Spi { name, bus, bridge }
    }
}

impl Link for Spi {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reset(&mut self) -> Result<(), Diagnostics> {
        self.bridge.as_mut().map_or(Ok(()), Framed::reset)
    }

    fn ask(&mut self, requests: &[Request], left: &mut Vec<Left>) -> Result<(), Diagnostics> {
        for r in requests {
            let Request::Word { bytes, expect } = r else {
                let Some(bridge) = &mut self.bridge else {
                    return Err(no_events(&self.name));
                };
                bridge.ask(&[*r], left)?;
                continue;
            };
            let back = self.bus.transfer(bytes);
            let back = back.map_err(|e| super::link::gone(&self.name, &e.to_string()))?;
            let [.., last] = back;
            if let Some(byte) = expect.filter(|b| *b != last) {
                return Err(super::link::differs(&self.name, bytes, byte, last));
            }
        }
        Ok(())
    }
}

fn no_events(name: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0856",
        format!("{name} carries words of configuration, and no events"),
    )
    .class(Class::Usage)
    .note("the chip's events have pins of their own; a bridge brings them to a serial line")
    .hint("name that line: spi:///dev/spidevB.C?events=/dev/NAME&baud=N")
    .hint("or load the chip alone: leave --input and --record away")
    .into()
}

/// The device as a bus: mode 0, eight bits, most significant bit first.
///
/// Errors: `SYN0851`, of class device.
#[cfg(target_os = "linux")]
pub fn open(path: &str, hz: u32) -> Result<Box<dyn Bus>, Diagnostics> {
    use spidev::{SpiModeFlags, Spidev, SpidevOptions};
    let device = Spidev::open(path).and_then(|mut device| {
        let options = SpidevOptions::new()
            .bits_per_word(8)
            .max_speed_hz(hz)
            .lsb_first(false)
            .mode(SpiModeFlags::SPI_MODE_0)
            .build();
        device.configure(&options)?;
        Ok(device)
    });
    let device = device.map_err(|e| unreachable(path, &e.to_string()))?;
    Ok(Box::new(Device(device)))
}

/// There is none.
#[cfg(not(target_os = "linux"))]
pub fn open(path: &str, _: u32) -> Result<Box<dyn Bus>, Diagnostics> {
    Err(unreachable(path, "spidev is a device of Linux"))
}

#[cfg(target_os = "linux")]
struct Device(spidev::Spidev);

#[cfg(target_os = "linux")]
impl Bus for Device {
    fn transfer(&mut self, word: &[u8; 5]) -> std::io::Result<[u8; 5]> {
        let mut back = [0; 5];
        let mut both = spidev::SpidevTransfer::read_write(word, &mut back);
        self.0.transfer(&mut both)?;
        Ok(back)
    }
}
