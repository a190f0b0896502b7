//! Addresses of engines, and the files of Docker's client that may name one.

use regatta::engine::endpoint::{Surroundings, TlsWishes, Wishes, resolve};
use std::path::Path;

/// Every file of the client's configuration holds the input.
struct Same<'i>(&'i [u8]);

impl Surroundings for Same<'_> {
    fn read(&self, _: &Path) -> Option<Vec<u8>> {
        Some(self.0.to_vec())
    }
    fn exists(&self, path: &Path) -> bool {
        path.ends_with("podman.sock")
    }
}

pub fn run(input: &[u8]) {
    let around = Same(input);
    let home = Wishes {
        config_dir: Some("/h/.docker".into()),
        home: Some("/h".into()),
        ..Wishes::default()
    };
    let _ = resolve(&home, &around);
    let named = Wishes {
        context: Some("c".to_owned()),
        ..home.clone()
    };
    let _ = resolve(&named, &around);
    let Some(text) = super::text(input) else {
        return;
    };
    for tls in [false, true] {
        let host = |host: String| Wishes {
            host: Some(host),
            tls: TlsWishes {
                is_spoken: tls,
                ..TlsWishes::default()
            },
            ..home.clone()
        };
        match resolve(&host(text.to_owned()), &around) {
            Err(error) => assert!(!error.to_string().is_empty()),
            // An address as it is shown means the same.
            Ok(found) if !text.is_empty() && !text.starts_with("https:") => {
                assert_eq!(resolve(&host(found.to_string()), &around), Ok(found));
            }
            Ok(_) => {}
        }
    }
}
