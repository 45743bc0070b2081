//! Which words begin a statement where, and what each place is called.
//!
//! Keywords are contextual: a word is one only where the grammar expects it, and a name everywhere else. Only [`RESERVED`] words are never
//! the name of a declaration, as they are read as operators or truth values inside expressions.

/// The places in which statements stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Top,
    Dyn,
    Block,
    Net,
    Exp,
}

/// Words that name nothing that is declared.
pub(crate) const RESERVED: [&str; 6] = ["and", "or", "xor", "not", "true", "false"];

/// Words that a statement may go on with after an expression.
pub(crate) const TAILS: [&str; 10] = [
    "refractory",
    "hold",
    "by",
    "every",
    "at",
    "for",
    "in",
    "from",
    "else",
    "as",
];

impl Place {
    pub(crate) const ALL: [Place; 5] =
        [Place::Top, Place::Dyn, Place::Block, Place::Net, Place::Exp];

    /// Words that begin a statement here.
    pub(crate) fn heads(self) -> &'static [&'static str] {
        match self {
            Place::Top => &[
                "import",
                "use",
                "let",
                "neuron",
                "synapse",
                "module",
                "network",
                "experiment",
            ],
            Place::Dyn => &["state", "input", "output", "let", "solve", "spike", "on"],
            Place::Block => &["let", "if", "repeat", "emit"],
            Place::Net => &[
                "let", "step", "seed", "port", "pop", "source", "part", "connect", "modulate",
                "record", "hint", "for",
            ],
            Place::Exp => &["run", "at", "feed", "expect"],
        }
    }

    /// What stands here, for a message.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Place::Top => "a statement of the file",
            Place::Dyn => "a statement of a `neuron` or `synapse`",
            Place::Block => "a statement of a block",
            Place::Net => "a statement of a `module` or `network`",
            Place::Exp => "a statement of an `experiment`",
        }
    }

    /// Where statements of this kind stand, for a message.
    pub(crate) fn home(self) -> &'static str {
        match self {
            Place::Top => "at the top level of a file",
            Place::Dyn => "directly inside a `neuron` or `synapse`",
            Place::Block => "inside the braces of `on` or `spike when`",
            Place::Net => "inside a `module` or `network`",
            Place::Exp => "inside an `experiment`",
        }
    }
}

/// Does the word begin a statement anywhere, continue one, or join operands?
pub fn is_keyword(word: &str) -> bool {
    RESERVED.contains(&word) || goes_on(word) || is_head(word)
}

/// May the word follow an expression inside a statement?
pub(crate) fn goes_on(word: &str) -> bool {
    TAILS.contains(&word) || matches!(word, "and" | "or" | "xor")
}

/// Does the word begin a statement anywhere?
pub(crate) fn is_head(word: &str) -> bool {
    Place::ALL.iter().any(|p| p.heads().contains(&word))
}
