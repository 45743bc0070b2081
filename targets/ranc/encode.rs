//! Configuration to native files, exactly as the simulator and the Verilog take them.
//!
//! A legal [`Config`] goes in, named sections come out: the image of a network without its input. Input packets become sections of their own with
//! [`encode_packets`]. Same input, same bytes. Deliberately absent: writing to disk.

mod rtl;
mod sim;

use super::{Config, Dialect, Packet, validate, validate_packets};
use synfire_ir::Diagnostics;

pub use rtl::parameters;

/// Native images by name, in a fixed order.
pub type Sections = Vec<(String, Vec<u8>)>;

/// The native image of a configuration.
///
/// `sim`: `config.json` and `input.json` (with one empty list of packets). `rtl`: `ranc_parameters.vh`, then `csram_NNN.mem` and `tc_NNN.mem` for
/// every core in order. Errors: those of [`validate`].
pub fn encode(config: &Config) -> Result<Sections, Diagnostics> {
    validate(config).result(())?;
    Ok(match config.dialect {
        Dialect::Sim => sim::image(config),
        Dialect::Rtl => rtl::image(config),
    })
}

/// The sections that carry input packets; `packets[k]` enters so that its axons fire in tick `k + tick`.
///
/// `sim`: `input.json`, which replaces that of the image. `rtl`: `data.bin` and `count.bin`. Errors: those of [`validate`] and [`validate_packets`].
pub fn encode_packets(config: &Config, packets: &[Vec<Packet>]) -> Result<Sections, Diagnostics> {
    let mut found = validate(config);
    found.extend(validate_packets(config, packets));
    found.result(())?;
    Ok(match config.dialect {
        Dialect::Sim => vec![sim::input(config, packets)],
        Dialect::Rtl => rtl::streams(config, packets),
    })
}
