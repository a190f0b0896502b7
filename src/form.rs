//! The canonical form of a project: which attributes each object has, in which order they are
//! printed and hashed, and what kind of value each holds.
//!
//! One table for three users: [`crate::load`] brings values into this form, `config` prints it,
//! and [`crate::hash`] hashes it. The order and the rules on empty values are those of Docker
//! Compose's own structures, because its config hash depends on them.

pub mod json;
pub mod tables;
pub mod yaml;

/// What an attribute holds in canonical form, and which other spellings decode to it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text; numbers are taken as their digits. Empty text is no value.
    Str,
    /// True or false; false is no value.
    Bool,
    /// True or false, both said.
    OptBool,
    /// A switch that is on unless it says false; true is held where it is said, but not printed.
    OptOut,
    /// A number; zero is no value.
    Int,
    /// As [`Kind::Int`], not negative.
    Uint,
    /// As [`Kind::Uint`], of 32 bits.
    Uint32,
    /// A weight: as [`Kind::Uint`], of 16 bits, and never a text, as Docker Compose has it.
    Weight,
    /// A number, zero included.
    OptInt,
    /// As [`Kind::OptInt`], not negative.
    OptUint,
    /// A number with single precision; zero is no value.
    Float,
    /// A size, held as the decimal text of its bytes; zero is no value.
    Bytes,
    /// A duration in Go's spelling; zero is no value.
    Duration,
    /// A duration, zero included.
    OptDuration,
    /// A list of texts, or one text.
    StringList,
    /// A list of texts.
    Strings,
    /// A list of texts and numbers.
    Loose,
    /// Variables: text or null per name; from a mapping or a list of `K=V`.
    Environment,
    /// Texts per name, null meaning empty; from a mapping or a list of `K=V`.
    Labels,
    /// Texts per name, from a mapping only.
    Options,
    /// As [`Kind::Options`], without fractions.
    Texts,
    /// A list of texts per name.
    MultiOptions,
    /// `host=address` texts, sorted; from a mapping or a list with `=` or `:`.
    Hosts,
    /// Words: null inherits, an empty list clears; text is split as a shell would.
    Command,
    /// A health test: text means `CMD-SHELL`.
    Test,
    /// A file mode, held as octal text.
    Mode,
    /// A number, or `all` for −1; zero is no value.
    Count,
    /// Per name one number or a soft and a hard one.
    Ulimits,
    /// Keys of an SSH agent: `id` or `id: path`.
    Ssh,
    /// An object that is there or not, even when it is empty.
    Object(&'static Form),
    /// An object that is always there; JSON prints it when it is empty too.
    Struct(&'static Form),
    /// A list of objects.
    Objects(&'static Form),
    /// Objects by name; one may be null.
    ObjectMap(&'static Form),
    /// Whatever YAML can say.
    Any,
}

/// When an attribute is printed although it holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never.
    WhenSet,
    /// In JSON, and so in the hash.
    Json,
    /// In JSON and in YAML.
    Always,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name in files and in YAML output.
    pub name: &'static str,
    /// The name in JSON output.
    pub json: &'static str,
    pub kind: Kind,
    pub presence: Presence,
}

/// One kind of object: its attributes in order.
#[derive(Debug)]
pub struct Form {
    pub fields: &'static [Field],
    /// Whether `x-*` keys are kept (YAML prints them last, JSON and the hash leave them out).
    pub extensions: bool,
}

impl Form {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// Where in the order an attribute stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        // Lengths and last letters tell most names apart.
        let last = name.as_bytes().last();
        self.fields
            .iter()
            .position(|field| field.name.as_bytes().last() == last && field.name == name)
    }
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Field {
            name,
            json: name,
            kind,
            presence: Presence::WhenSet,
        }
    }

    const fn always(self) -> Self {
        Field {
            presence: Presence::Always,
            ..self
        }
    }

    const fn in_json(self) -> Self {
        Field {
            presence: Presence::Json,
            ..self
        }
    }

    const fn json(self, json: &'static str) -> Self {
        Field { json, ..self }
    }
}
