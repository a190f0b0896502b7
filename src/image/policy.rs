//! Where a service's image comes from: pure decisions over `pull_policy`, flags and what is there.

use crate::value::duration::Duration;

/// `--pull`, or `pull_policy` without its refresh forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullChoice {
    Always,
    #[default]
    Missing,
    Never,
    Build,
    /// Pull when the local image was tagged longer ago than this.
    Refresh(Duration),
}

/// `--build`, `--no-build` or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BuildChoice {
    #[default]
    IfMissing,
    Always,
    Never,
}

/// What has to happen before a service's image can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    Present,
    Pull {
        /// If that fails, it is built: only where there is no local one.
        or_build: bool,
        /// If that fails, the local one serves: it may have been built here, or was good enough a
        /// while ago. What only a registry can have must come from there when that is asked for.
        or_local: bool,
    },
    Build,
    /// Nothing may bring it; the words say why.
    Unavailable(&'static str),
}

/// What is known of a service's image.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation {
    /// The service has a `build`.
    pub buildable: bool,
    /// Another service builds the image of this name.
    pub built_by_another: bool,
    /// The service names its image itself (so that a registry may have it).
    pub named: bool,
    /// It is there, for the right platform.
    pub local: bool,
    /// Seconds since it was last tagged here, where that is known.
    pub age: Option<i64>,
}

/// Reads `pull_policy`: `always`, `never`, `missing`, `if_not_present`, `build`, `daily`,
/// `weekly`, `every_<duration>`. Anything else counts as `missing`, as with Compose.
pub fn pull_choice(policy: Option<&str>) -> PullChoice {
    match policy {
        Some("always") => PullChoice::Always,
        Some("never") => PullChoice::Never,
        Some("build") => PullChoice::Build,
        Some("daily") => PullChoice::Refresh(Duration::from_secs(24 * 3600)),
        Some("weekly") => PullChoice::Refresh(Duration::from_secs(7 * 24 * 3600)),
        Some(other) => other
            .strip_prefix("every_")
            .and_then(|span| Duration::parse(span).ok())
            .map_or(PullChoice::Missing, PullChoice::Refresh),
        None => PullChoice::Missing,
    }
}

/// Decides for one service.
pub fn supply(pull: PullChoice, build: BuildChoice, image: Situation) -> Supply {
    let can_build = image.buildable && build != BuildChoice::Never;
    if can_build && (build == BuildChoice::Always || pull == PullChoice::Build) {
        return Supply::Build;
    }
    let from_registry = |or_local| Supply::Pull {
        or_build: can_build && !image.local,
        or_local: or_local && image.local,
    };
    if image.built_by_another && !image.buildable && pull != PullChoice::Always {
        return Supply::Present;
    }
    if image.named {
        match pull {
            PullChoice::Always => {
                return from_registry(image.buildable || image.built_by_another);
            }
            PullChoice::Refresh(limit)
                if image.local && image.age.is_none_or(|age| age > limit.as_secs()) =>
            {
                return from_registry(true);
            }
            PullChoice::Missing | PullChoice::Refresh(_) if !image.local => {
                return from_registry(false);
            }
            _ => {}
        }
    }
    match (image.local, can_build) {
        (true, _) => Supply::Present,
        (false, true) => Supply::Build,
        (false, false) if image.buildable => {
            Supply::Unavailable("is missing, and --no-build forbids building it")
        }
        (false, false) => Supply::Unavailable("is missing, and its pull_policy forbids pulling it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        const HOUR: i64 = 3600;
        let image = |local| Situation {
            named: true,
            local,
            ..Situation::default()
        };
        let built = |local| Situation {
            buildable: true,
            local,
            ..Situation::default()
        };
        let both = |local| Situation {
            named: true,
            ..built(local)
        };
        let pull = Supply::Pull {
            or_build: false,
            or_local: false,
        };
        let or_build = Supply::Pull {
            or_build: true,
            or_local: false,
        };
        let or_local = Supply::Pull {
            or_build: false,
            or_local: true,
        };
        let anothers = |local| Situation {
            built_by_another: true,
            ..image(local)
        };
        use BuildChoice as B;
        for (policy, build, situation, expected) in [
            (None, B::IfMissing, image(true), Supply::Present),
            (None, B::IfMissing, image(false), pull),
            (Some("always"), B::IfMissing, image(true), pull),
            (None, B::IfMissing, built(false), Supply::Build),
            (None, B::IfMissing, built(true), Supply::Present),
            (None, B::Always, built(true), Supply::Build),
            (Some("build"), B::IfMissing, built(true), Supply::Build),
            (Some("every_12h"), B::IfMissing, image(true), or_local),
            (None, B::IfMissing, both(false), or_build),
            (None, B::Never, both(false), pull),
            // Away from the registry, a local image is not built anew.
            (Some("always"), B::IfMissing, both(false), or_build),
            (Some("always"), B::IfMissing, both(true), or_local),
            (Some("always"), B::Never, both(true), or_local),
            (Some("always"), B::Never, both(false), pull),
            (Some("always"), B::Always, both(true), Supply::Build),
            (Some("always"), B::IfMissing, built(true), Supply::Present),
            (Some("daily"), B::IfMissing, both(true), or_local),
            (Some("daily"), B::IfMissing, both(false), or_build),
            // So it is where the image is another service's to build.
            (None, B::IfMissing, anothers(false), Supply::Present),
            (
                Some("never"),
                B::IfMissing,
                anothers(false),
                Supply::Present,
            ),
            (Some("always"), B::IfMissing, anothers(true), or_local),
        ] {
            let got = supply(pull_choice(policy), build, situation);
            assert_eq!(got, expected, "{policy:?} {build:?} {situation:?}");
        }
        let young = Situation {
            age: Some(HOUR),
            ..image(true)
        };
        assert_eq!(
            supply(pull_choice(Some("daily")), B::IfMissing, young),
            Supply::Present
        );
        for (policy, build, situation) in [
            (Some("never"), B::IfMissing, image(false)),
            (None, B::Never, built(false)),
        ] {
            let got = supply(pull_choice(policy), build, situation);
            assert!(matches!(got, Supply::Unavailable(_)), "{policy:?} {got:?}");
        }
    }
}
