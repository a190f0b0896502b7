//! Platforms: `os/architecture[/variant]`.

/// A platform taken apart, with the one name that each part has of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    /// `None` where only the operating system is named.
    pub architecture: Option<String>,
    /// `None` for the usual one of the architecture.
    pub variant: Option<String>,
}

impl Platform {
    /// Takes apart what a file, a variable or the engine says; never fails (the engine judges).
    /// An architecture alone means one of Linux.
    pub fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let mut parts = text.split('/').filter(|part| !part.is_empty());
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        let (os, architecture) = match (first, second) {
            (Some(word), None) if is_architecture(word) => ("linux", Some(word)),
            (os, architecture) => (os.unwrap_or_default(), architecture),
        };
        let os = match os {
            "macos" => "darwin",
            other => other,
        };
        let (architecture, variant) = match architecture {
            Some(architecture) => {
                let (architecture, variant) = one_name(architecture, third);
                (Some(architecture.to_owned()), variant.map(str::to_owned))
            }
            None => (None, None),
        };
        Platform {
            os: os.to_owned(),
            architecture,
            variant,
        }
    }

    /// Whether an image of the platform `have` is what is asked for.
    pub fn is_met_by(&self, have: &Platform) -> bool {
        self.os == have.os
            && match self.architecture {
                Some(_) => {
                    (&self.architecture, &self.variant) == (&have.architecture, &have.variant)
                }
                None => true,
            }
    }

    /// Whether an image of platform `have` serves where `wanted` is asked for.
    pub fn fits(wanted: &str, have: &str) -> bool {
        wanted == have || Platform::parse(wanted).is_met_by(&Platform::parse(have))
    }
}

/// Words that stand for an architecture where they stand alone.
fn is_architecture(word: &str) -> bool {
    matches!(
        one_name(word, None).0,
        "386"
            | "amd64"
            | "arm"
            | "arm64"
            | "loong64"
            | "mips64le"
            | "ppc64le"
            | "riscv64"
            | "s390x"
    )
}

/// An architecture has several names, and its usual variant is not named.
fn one_name<'a>(architecture: &'a str, variant: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    match architecture {
        "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
        "x86_64" | "x86-64" | "amd64" => ("amd64", variant.filter(|v| *v != "v1")),
        "aarch64" | "arm64" => ("arm64", variant.filter(|v| !matches!(*v, "8" | "v8"))),
        "armhf" => ("arm", None),
        "armel" => ("arm", Some("v6")),
        "arm" => (
            "arm",
            match variant {
                Some("5" | "v5") => Some("v5"),
                Some("6" | "v6") => Some("v6"),
                Some("8" | "v8") => Some("v8"),
                Some("7" | "v7") => None,
                other => other,
            },
        ),
        _ => (architecture, variant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_write_a_platform() {
        for (wanted, have) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("amd64", "linux/amd64"),
            ("Linux/AMD64", "linux/amd64"),
            ("linux/arm64", "linux/arm64/v8"),
            ("linux/arm64/v8", "linux/arm64"),
            ("aarch64", "linux/arm64/v8"),
            ("linux/arm", "linux/arm/v7"),
            ("armhf", "linux/arm/v7"),
            ("linux", "linux/riscv64"),
        ] {
            assert!(Platform::fits(wanted, have), "{wanted} {have}");
        }
        for (wanted, have) in [
            ("linux/amd64", "linux/arm64"),
            ("linux/amd64", "windows/amd64"),
            ("linux/arm/v6", "linux/arm/v7"),
            ("linux/arm", "linux/arm64"),
            ("linux/amd64/v3", "linux/amd64"),
            ("armel", "linux/arm/v7"),
            ("windows", "linux/amd64"),
        ] {
            assert!(!Platform::fits(wanted, have), "{wanted} {have}");
        }
    }
}
