//! Where a board is: the URL after `--board`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Bits a second when the URL does not say.
pub const BAUD: u32 = 115_200;
/// Clock of the SPI when the URL does not say, in Hz: an eighth of a slow FPGA clock.
const HZ: u32 = 1_000_000;
/// How long a board may be silent when the URL does not say.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest patience, in milliseconds.
const LONGEST: u64 = 600_000;

/// A serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Device.
    pub path: String,
    /// Bits a second.
    pub baud: u32,
}

/// Where a board is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `serial:///dev/NAME?baud=N`: a UART.
    Serial(Line),
    /// `tcp://HOST:PORT`: a UART behind a socket.
    Tcp(String),
    /// `spi:///dev/spidevB.C?hz=N`: words over SPI; `&events=/dev/NAME&baud=N` names the line for events.
    Spi {
        /// Device.
        path: String,
        /// Clock in Hz.
        hz: u32,
        /// The line that carries events.
        events: Option<Line>,
    },
    /// `file:///DIR`: what a board's own flow reads.
    Folder(PathBuf),
    /// `bridge:PYTHON`: the vendor's package in that interpreter.
    Python(String),
}

/// An [`Address`] and how long its board may be silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub address: Address,
    /// Longest silence.
    pub patience: Duration,
}

impl Place {
    /// Reads a URL.
    ///
    /// Errors: `SYN0850`, of class usage, for everything that is none.
    pub fn parse(url: &str) -> Result<Place, Diagnostics> {
        let mut patience = PATIENCE;
        if let Some(python) = url.strip_prefix("bridge:") {
            let python = python.trim_start_matches("//").to_string();
            let address = match python.is_empty() {
                true => return Err(wrong(url, "it names no interpreter")),
                false => Address::Python(python),
            };
            return Ok(Place { address, patience });
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong(url, "it has no `://`"));
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() || path == "/" {
            return Err(wrong(url, "nothing stands behind `://`"));
        }
        let (mut baud, mut hz, mut events) = (BAUD, HZ, None);
        let mut known = vec!["timeout"];
        match scheme {
            "serial" => known.push("baud"),
            "spi" => known.extend(["hz", "events", "baud"]),
            _ => {}
        }
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !known.contains(&key) {
                let what = format!("`{key}` is none of its options: {}", known.join(", "));
                return Err(wrong(url, &what));
            }
            let number = value.parse::<u32>().ok().filter(|n| *n > 0);
            let whole =
                || number.ok_or_else(|| wrong(url, &format!("`{key}` must be a number above 0")));
            match key {
                "baud" => baud = whole()?,
                "hz" => hz = whole()?,
                "timeout" => patience = Duration::from_millis(u64::from(whole()?).min(LONGEST)),
                _ => events = Some(value.to_string()),
            }
        }
        let path = path.to_string();
        let address = match scheme {
            "serial" => Address::Serial(Line { path, baud }),
            "tcp" => Address::Tcp(path),
            "spi" => Address::Spi {
                path,
                hz,
                events: events.map(|path| Line { path, baud }),
            },
            "file" => Address::Folder(PathBuf::from(path)),
            _ => return Err(wrong(url, &format!("`{scheme}` is no kind of board"))),
        };
        Ok(Place { address, patience })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Serial(l) => write!(f, "{} at {} baud", l.path, l.baud),
            Address::Tcp(host) => write!(f, "{host}"),
            Address::Spi { path, hz, events } => match events {
                Some(l) => write!(f, "{path} at {hz} Hz and {} at {} baud", l.path, l.baud),
                None => write!(f, "{path} at {hz} Hz"),
            },
            Address::Folder(path) => write!(f, "{}", path.display()),
            Address::Python(python) => write!(f, "{python}"),
        }
    }
}

fn wrong(url: &str, why: &str) -> Diagnostics {
    Diagnostic::error("SYN0850", format!("`{url}` is no board: {why}"))
        .class(Class::Usage)
        .note("a board is named by a URL: serial:///dev/NAME?baud=N, spi:///dev/spidevB.C, tcp://HOST:PORT, file:///DIR or bridge:PYTHON")
        .hint("`synfire targets T` says which of them a chip has")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Address {
        Place::parse(url).expect(url).address
    }

    #[test]
    fn urls() {
        let line = |path: &str, baud| Line {
            path: path.into(),
            baud,
        };
        assert_eq!(
            of("serial:///dev/ttyUSB0?baud=9600"),
            Address::Serial(line("/dev/ttyUSB0", 9600))
        );
        assert_eq!(of("serial://COM3"), Address::Serial(line("COM3", BAUD)));
        let spi = of("spi:///dev/spidev0.1?hz=5000&events=/dev/ttyS1&baud=300");
        let events = Some(line("/dev/ttyS1", 300));
        let (path, hz) = ("/dev/spidev0.1".to_string(), 5000);
        assert_eq!(spi, Address::Spi { path, hz, events });
        assert_eq!(of("bridge:python3"), Address::Python("python3".into()));
        assert_eq!(of("file:///tmp/x"), Address::Folder("/tmp/x".into()));
        let slow = Place::parse("tcp://localhost:7?timeout=50").expect("legal");
        assert_eq!(slow.patience, Duration::from_millis(50));
    }

    #[test]
    fn what_is_no_url_is_refused_with_the_reason() {
        for url in [
            "",
            "/dev/ttyUSB0",
            "serial://",
            "usb://x",
            "bridge:",
            "serial:///dev/x?baud=0",
            "serial:///dev/x?hz=5",
            "tcp://x?timeout=a",
        ] {
            let d = Place::parse(url).expect_err(url).0.remove(0);
            assert_eq!(
                (d.code.as_str(), d.class),
                ("SYN0850", Class::Usage),
                "{url}"
            );
        }
    }
}
