//! The front door: bytes of a `.syn` or NIR file to a verified network, with every diagnostic of the run.

use crate::nir::{self, NirOptions};
use synfire_ir::network::{Array, Network, Symbolic, Verified, verify, verify_symbolic};
use synfire_ir::{Diagnostic, Diagnostics, SourceMap};
use synfire_lang::resolve::{self, Expectation, Loader, Results};

/// What the user chose beside the file.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Network parameters set from outside: (name, text of an expression).
    pub set: Vec<(String, String)>,
    /// What a NIR file does not say.
    pub nir: NirOptions,
    /// The experiment to follow; without one, a network's only experiment.
    pub experiment: Option<String>,
    /// What the experiment's run gave.
    pub results: Option<Results>,
}

/// A network, or why there is none.
pub struct Loaded<N = Network> {
    /// Texts that the diagnostics point into.
    pub sources: SourceMap,
    /// The verified network, or all errors.
    pub network: Result<Verified<N>, Diagnostics>,
    /// Worth knowing.
    pub warnings: Diagnostics,
    /// What the experiment expects.
    pub expectations: Vec<Expectation>,
}

/// Signature of an HDF5 file, and so of a NIR file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Reads a network; HDF5 by its signature or the name's ending, else text in our language.
pub fn load(name: &str, bytes: &[u8], loader: &dyn Loader, options: &LoadOptions) -> Loaded {
    loaded(name, bytes, loader, options, verify)
}

/// As [`load`], for those who keep populations and projections as rules: the network may have any number of units.
pub fn load_symbolic(
    name: &str,
    bytes: &[u8],
    loader: &dyn Loader,
    options: &LoadOptions,
) -> Loaded<Symbolic> {
    loaded(name, bytes, loader, options, verify_symbolic)
}

fn loaded<N>(
    name: &str,
    bytes: &[u8],
    loader: &dyn Loader,
    options: &LoadOptions,
    verify: fn(Network) -> Result<Verified<N>, Diagnostics>,
) -> Loaded<N> {
    if bytes.starts_with(HDF5) || name.ends_with(".nir") || name.ends_with(".h5") {
        return match nir::load(name, bytes, &options.nir) {
            Ok((net, warnings)) => Loaded {
                sources: SourceMap::default(),
                network: verify(net),
                warnings,
                expectations: vec![],
            },
            Err(e) => Loaded {
                sources: SourceMap::default(),
                network: Err(e),
                warnings: Diagnostics::new(),
                expectations: vec![],
            },
        };
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(t) => t,
        Err(e) => {
            let d = Diagnostic::error(
                "SYN0006",
                format!("the file is not UTF-8 text (byte {})", e.valid_up_to()),
            )
            .at(name)
            .hint("networks are `.syn` texts or NIR files in HDF5; save the text as UTF-8");
            return Loaded {
                sources: SourceMap::default(),
                network: Err(d.into()),
                warnings: Diagnostics::new(),
                expectations: vec![],
            };
        }
    };
    let (sources, resolved, warnings) = resolve::resolve(
        name,
        text,
        loader,
        &resolve::LoadOptions {
            network: None,
            set: options.set.clone(),
            experiment: options.experiment.clone(),
            results: options.results.clone(),
        },
    );
    let (network, expectations) = match resolved {
        Ok(r) => (verify(r.network), r.expectations),
        Err(e) => (Err(e), vec![]),
    };
    let network = network.map_err(|mut e| {
        e.sort();
        e
    });
    Loaded {
        sources,
        network,
        warnings,
        expectations,
    }
}

/// A loader for networks that name no other file.
pub struct NoFiles;

impl Loader for NoFiles {
    fn text(&self, path: &str, _: &str) -> Result<(String, String), String> {
        Err(format!("`{path}` cannot be read here"))
    }
    fn array(&self, path: &str, _: Option<&str>, _: &str) -> Result<Array, String> {
        Err(format!("`{path}` cannot be read here"))
    }
    fn events(&self, path: &str, _: &str) -> Result<Vec<(u32, u32, f32)>, String> {
        Err(format!("`{path}` cannot be read here"))
    }
    fn target_model(&self, target: &str) -> Option<String> {
        target_model(target)
    }
}

/// Text of a shipped chip's `model.syn`, for `use targets.NAME.Neuron`.
pub fn target_model(target: &str) -> Option<String> {
    synfire_targets::registry::by_name(target).map(|c| c.model.to_string())
}
