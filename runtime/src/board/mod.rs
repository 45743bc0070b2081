//! Boards: transports between a host and hardware, and boards in software.
//!
//! What is said is the chip's ([`synfire_targets::board`]); here it is carried. [`Place`] is the URL of a board, [`open`] makes a [`Link`] of it, [`Hosted`] puts an artefact onto the
//! board behind a link and then is an [`Engine`](crate::engine::Engine), so that a run on hardware is named, recorded and measured as any other. [`software`] is the other end of the line.
//! [`native_events`] serves boards that take the whole run at once: those that play a file, and those that only a vendor's
//! package reaches ([`python`]); what such a board gave back is [`Played`]. Deliberately absent: the bytes of those boards, which are not public.

mod address;
mod events;
mod host;
mod link;
mod played;
mod port;
pub mod python;
pub mod software;
mod spi;
#[cfg(test)]
mod tests;
#[cfg_attr(not(unix), allow(dead_code))]
mod uart;

pub use address::{Address, BAUD, Line, Place};
pub use events::native_events;
pub use host::{Hosted, no_board};
pub use link::{Framed, Left, Link, Port};
pub use played::Played;
pub use spi::{Bus, Spi};

use synfire_ir::Diagnostics;
use synfire_targets::board::Board;

/// Opens the line to a board that answers. `chip` is the chip's name, for messages.
///
/// Errors: `SYN0851` for a line that cannot be opened, `SYN0857` for places that are no lines.
pub fn open(
    place: &Place,
    board: &'static dyn Board,
    chip: &str,
) -> Result<Box<dyn Link>, Diagnostics> {
    let name = place.address.to_string();
    let framed = |port, name: &str| Framed::new(board, port, name.into(), place.patience);
    Ok(match &place.address {
        Address::Serial(line) => Box::new(framed(port::serial(line)?, &name)),
        Address::Tcp(host) => Box::new(framed(port::tcp(host)?, &name)),
        Address::Spi { path, hz, events } => {
            let bus = spi::open(path, *hz)?;
            let bridge = match events {
                Some(line) => Some(framed(port::serial(line)?, &line.path)),
                None => None,
            };
            Box::new(Spi::new(path.clone(), bus, bridge))
        }
        Address::Folder(_) | Address::Python(_) => return Err(host::no_board(chip)),
    })
}
