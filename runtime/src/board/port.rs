//! Opening lines: UARTs and sockets.

use super::address::Line;
use super::link::Port;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// A read or write that gives nothing comes back after this time, so that a host can look at its clock.
const MOMENT: Duration = Duration::from_millis(20);
/// Patience of a write.
const WRITE: Duration = Duration::from_secs(2);

/// A UART, 8 data bits, no parity, one stop bit, no flow control.
///
/// Errors: `SYN0851`, of class device.
pub fn serial(line: &Line) -> Result<Box<dyn Port>, Diagnostics> {
    let opened = serialport::new(&line.path, line.baud)
        .timeout(MOMENT)
        .open();
    let port = opened.map_err(|e| unreachable(&line.path, &e.to_string()))?;
    Ok(Box::new(port))
}

/// A socket that carries the bytes of a UART.
///
/// Errors: `SYN0851`, of class device.
pub fn tcp(host: &str) -> Result<Box<dyn Port>, Diagnostics> {
    let open = || {
        let places: Vec<_> = host.to_socket_addrs()?.collect();
        let mut last = std::io::Error::other("the name stands for no address");
        for place in places {
            match TcpStream::connect_timeout(&place, WRITE) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(MOMENT))?;
                    stream.set_write_timeout(Some(WRITE))?;
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    };
    match open() {
        Ok(stream) => Ok(Box::new(stream)),
        Err(e) => Err(unreachable(host, &e.to_string())),
    }
}

pub(super) fn unreachable(name: &str, why: &str) -> Diagnostics {
    Diagnostic::error("SYN0851", format!("no board can be reached at {name}: {why}"))
        .class(Class::Device)
        .hint("check the name, that the board is plugged in, and that you may use the device (on Linux often the group `dialout`, or `spi`)")
        .into()
}
