//! What a failed handshake means to its user: whose certificate is wrong, in what, and what to do.

use crate::engine::docker::transport::Refusal;
use crate::engine::endpoint::{Endpoint, Tls, host_of};
use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// The refusal that an error of TLS is; `None` for other errors.
pub fn refused(error: &io::Error, how: &Tls, host: &str) -> Option<io::Error> {
    let inner = error.get_ref()?.downcast_ref::<Error>()?;
    let (why, advice) = words(inner, how, host);
    Some(Refusal::error(why, advice))
}

/// The same for an error of a connection that seemed to stand: with TLS 1.3 an engine says only then
/// that it refuses our certificate.
pub fn refused_later(error: &(dyn StdError + 'static), endpoint: &Endpoint) -> Option<io::Error> {
    let Endpoint::Tls(address, how) = endpoint else {
        return None;
    };
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let found = refused(error, how, host_of(address));
            // The words of the engine may be lost where it closes the connection at once.
            return found.or_else(|| {
                let expired = how.certificate.as_deref().and_then(expired)?;
                Some(Refusal::error(expired, RENEW_OURS))
            });
        }
        current = error.source();
    }
    None
}

const RENEW: &str = "renew it on the engine's machine, and check the clock of this one (`date`)";
const RENEW_OURS: &str = "renew it, or name another one with --tlscert and --tlskey";
const PRESENT: &str =
    "give one with its key: DOCKER_CERT_PATH (cert.pem, key.pem), or --tlscert and --tlskey";

fn words(error: &Error, how: &Tls, host: &str) -> (String, String) {
    use AlertDescription as Alert;
    use CertificateError as Fault;
    let engines = "the engine's certificate";
    let own = how.certificate.as_deref();
    let ours = own.map_or("our certificate".to_owned(), |path| {
        format!("our certificate {}", path.display())
    });
    let (why, advice) = match error {
        Error::InvalidCertificate(fault) => match fault {
            Fault::ExpiredContext { not_after, .. } => (
                format!("{engines} has expired ({})", date(not_after.as_secs())),
                RENEW.to_owned(),
            ),
            Fault::Expired => (format!("{engines} has expired"), RENEW.to_owned()),
            Fault::NotValidYetContext { not_before, .. } => (
                format!("{engines} is valid only from {}", date(not_before.as_secs())),
                RENEW.to_owned(),
            ),
            Fault::NotValidYet => (format!("{engines} is not valid yet"), RENEW.to_owned()),
            Fault::UnknownIssuer | Fault::BadSignature => (
                match &how.authority {
                    Some(path) => format!("{engines} is not signed by {}", path.display()),
                    None => format!("{engines} is signed by none of this machine's authorities"),
                },
                "name the authority that has signed it with --tlscacert or DOCKER_CERT_PATH".into(),
            ),
            Fault::NotValidForNameContext { presented, .. } => (
                format!("{engines} is not for {host}, but for {}", names(presented)),
                "write the address as the certificate has it".into(),
            ),
            Fault::NotValidForName => (
                format!("{engines} is not for {host}"),
                "write the address as the certificate has it".into(),
            ),
            Fault::Revoked => (format!("{engines} is revoked"), RENEW.to_owned()),
            other => (format!("{engines} is refused: {other}"), RENEW.to_owned()),
        },
        Error::AlertReceived(Alert::CertificateRequired) => {
            ("the engine asks for a certificate of ours".into(), PRESENT.to_owned())
        }
        Error::AlertReceived(Alert::BadCertificate | Alert::HandshakeFailure)
            if own.is_none() =>
        {
            ("the engine asks for a certificate of ours".into(), PRESENT.to_owned())
        }
        Error::AlertReceived(Alert::CertificateExpired) => (
            own.and_then(expired)
                .unwrap_or_else(|| format!("the engine refuses {ours}: it has expired")),
            RENEW_OURS.to_owned(),
        ),
        Error::AlertReceived(Alert::UnknownCA) => (
            format!("the engine refuses {ours}: it does not know the authority that has signed it"),
            PRESENT.to_owned(),
        ),
        Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied
            | Alert::DecryptError),
        ) => (
            own.and_then(expired)
                .unwrap_or_else(|| format!("the engine refuses {ours} ({alert:?})")),
            PRESENT.to_owned(),
        ),
        Error::InvalidMessage(_) => (
            "what answers there does not speak TLS".into(),
            "leave out --tlsverify, --tls, DOCKER_TLS_VERIFY and DOCKER_TLS, or name the port with TLS (usually 2376)".into(),
        ),
        other => (
            format!("TLS does not come about: {other}"),
            "is it the engine's port, and does it speak TLS 1.2 or 1.3?".into(),
        ),
    };
    (why, advice)
}

fn names(presented: &[String]) -> String {
    match presented {
        [] => "no host at all (it has no subjectAltName)".to_owned(),
        names => names.join(", "),
    }
}

/// A day as it stands in a calendar.
fn date(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "long ago".into(), |t| t.to_string())
}

/// What is said of a certificate file that is too old now.
fn expired(path: &Path) -> Option<String> {
    let text = crate::file::read(path).ok()?;
    let certificate = CertificateDer::from_pem_slice(&text).ok()?;
    let end = not_after(&certificate)?;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    (end < now.as_secs()).then(|| {
        format!(
            "our certificate {} has expired ({})",
            path.display(),
            date(end)
        )
    })
}

/// The last moment of a certificate's validity, in seconds since the epoch (RFC 5280, 4.1).
fn not_after(certificate: &[u8]) -> Option<u64> {
    /// An element of DER: its tag, its content, and what follows it.
    fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match usize::from(first) {
            short @ 0..=127 => (short, rest),
            long => {
                let (digits, rest) = rest.split_at_checked(long & 127)?;
                if digits.len() > 4 {
                    return None;
                }
                let length = digits
                    .iter()
                    .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
                (length, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some((tag, content, rest))
    }
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    if let Some((VERSION, _, after)) = element(rest) {
        rest = after;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (_, _, end) = element(validity)?;
    let (tag, text, _) = element(end)?;
    let text = std::str::from_utf8(text).ok()?;
    // UTCTime has two digits of the year, of 1950 to 2049.
    let full = match (tag, text.get(..2)?) {
        (0x17, year) if year < "50" => format!("20{text}"),
        (0x17, _) => format!("19{text}"),
        _ => text.to_owned(),
    };
    let moment = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", full).ok()?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(moment.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(certificate: Option<&str>) -> Tls {
        Tls {
            authority: Some("/c/ca.pem".into()),
            certificate: certificate.map(Into::into),
            key: None,
            is_verified: true,
        }
    }

    #[test]
    fn every_fault_names_whose_certificate_it_is() {
        let name = CertificateError::NotValidForName;
        for (error, certificate, expected) in [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                None,
                "the engine's certificate is not signed by /c/ca.pem; name the authority",
            ),
            (
                Error::InvalidCertificate(CertificateError::Expired),
                None,
                "the engine's certificate has expired; renew it on the engine's machine",
            ),
            (
                Error::InvalidCertificate(name),
                None,
                "the engine's certificate is not for h; write the address",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                None,
                "the engine asks for a certificate of ours; give one",
            ),
            (
                Error::AlertReceived(AlertDescription::BadCertificate),
                None,
                "the engine asks for a certificate of ours; give one",
            ),
            (
                Error::AlertReceived(AlertDescription::BadCertificate),
                Some("/c/cert.pem"),
                "the engine refuses our certificate /c/cert.pem (BadCertificate); give one",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateExpired),
                Some("/c/cert.pem"),
                "the engine refuses our certificate /c/cert.pem: it has expired; renew it, or",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                Some("/c/cert.pem"),
                "does not know the authority that has signed it; give one",
            ),
            (
                Error::InvalidMessage(tokio_rustls::rustls::InvalidMessage::InvalidContentType),
                None,
                "what answers there does not speak TLS; leave out --tlsverify",
            ),
        ] {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            let refusal = refused(&error, &how(certificate), "h").expect("one of TLS");
            let text = refusal.to_string();
            assert!(text.contains(expected), "{text}");
        }
        let other = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(refused(&other, &how(None), "h").is_none());
    }

    #[test]
    fn the_end_of_a_certificate_is_read_from_it() {
        // Version, serial number, algorithm, issuer, then the validity, as far as it matters.
        let certificate = |time: &[u8]| {
            let validity = [b"\x17\x0d250101000000Z".as_slice(), time].concat();
            let mut tbs = b"\xa0\x03\x02\x01\x02\x02\x01\x07\x30\x00\x30\x00\x30".to_vec();
            tbs.push(u8::try_from(validity.len()).unwrap());
            tbs.extend(validity);
            let length = u8::try_from(tbs.len()).unwrap();
            [&[0x30, 0x81, length + 2, 0x30, length], tbs.as_slice()].concat()
        };
        for (time, expected) in [
            (b"\x17\x0d260101000000Z".as_slice(), Some(1_767_225_600)),
            (b"\x18\x0f20600101000000Z", Some(2_840_140_800)),
            (b"\x17\x0dnonsense00000", None),
            (b"\x17\x7f", None),
        ] {
            assert_eq!(not_after(&certificate(time)), expected);
        }
        assert_eq!(not_after(b""), None);
    }
}
