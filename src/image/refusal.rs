//! What a registry means by a refusal, as far as the engine passes its words on.

/// A refusal of a registry, by what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It wants another login, or does not let this one.
    Login,
    /// It has been asked too often.
    RateLimit,
    /// It may work in a moment: the registry, or the way to it, is disturbed.
    Passing,
    /// Anything else.
    Final,
}

impl Refusal {
    /// Reads the engine's words.
    pub fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["toomanyrequests", "too many requests", "rate limit", "429"]) {
            return Refusal::RateLimit;
        }
        if says(&[
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "access to the resource is denied",
            "requested access",
            "denied:",
            "401",
            "403 forbidden",
        ]) {
            return Refusal::Login;
        }
        match says(&[
            "connection reset",
            "unexpected eof",
            "broken pipe",
            "timeout",
            "timed out",
            "temporary failure",
            "500 internal server error",
            "502 bad gateway",
            "503 service unavailable",
            "504 gateway",
            "try again",
        ]) {
            true => Refusal::Passing,
            false => Refusal::Final,
        }
    }

    /// What to do about it, where it is an image of this registry.
    pub fn advice(self, registry: &str) -> Option<String> {
        match self {
            Refusal::Login => Some(format!(
                "{registry} refuses the login: `docker login {registry}`, as a user who may do this"
            )),
            Refusal::RateLimit => Some(format!(
                "{registry} limits how often it is asked: wait, or log in (`docker login {registry}`)"
            )),
            Refusal::Passing | Refusal::Final => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_registries() {
        for (message, expected) in [
            (
                "toomanyrequests: You have reached your unauthenticated pull rate limit.",
                Refusal::RateLimit,
            ),
            ("unauthorized: authentication required", Refusal::Login),
            ("no basic auth credentials", Refusal::Login),
            (
                "denied: requested access to the resource is denied",
                Refusal::Login,
            ),
            (
                "received unexpected HTTP status: 503 Service Unavailable",
                Refusal::Passing,
            ),
            ("read tcp: connection reset by peer", Refusal::Passing),
            (
                "dial tcp 127.0.0.1:1: connect: connection refused",
                Refusal::Final,
            ),
            (
                "An image does not exist locally with the tag: x",
                Refusal::Final,
            ),
        ] {
            assert_eq!(Refusal::of(message), expected, "{message}");
        }
    }
}
