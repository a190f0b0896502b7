//! Reading from a registry and writing to it: manifests and blobs, by the protocol of OCI's distribution
//! specification, with what it takes to be let in.

mod upload;

use super::challenge::Challenge;
use super::connection::{Place, goes_past_proxy, open};
use crate::engine::docker::images::{Credentials, Keyring};
use crate::value::image::Reference;
use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, LOCATION, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, Uri};
use serde::Deserialize;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// How often an answer may lead elsewhere.
const MAX_REDIRECTS: usize = 5;

/// The longest answer of a server that gives tokens, and the longest complaint.
const MAX_WORDS: usize = 256 << 10;

/// Why something was not read.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers, or the connection broke.
    Unreachable(String),
    /// The registry does not know us, or does not allow this.
    Unauthorized(String),
    /// It has no such thing.
    NotFound,
    /// Anything else.
    Other(String),
}

/// What is known of the way to registries.
#[derive(Default, Clone)]
pub struct Ways {
    /// `HTTPS_PROXY` and `NO_PROXY`.
    pub proxy: Option<String>,
    pub no_proxy: String,
    /// Registries to speak to without TLS.
    pub insecure: Vec<String>,
}

/// A registry, with one of its repositories.
pub struct Registry {
    place: Place,
    /// The path in it.
    repository: String,
    /// In full form, for the search for credentials.
    reference: String,
    ways: Ways,
    keyring: Option<Arc<dyn Keyring>>,
    /// `Authorization`, once asked for.
    pass: Option<String>,
    line: Option<(Place, SendRequest<Full<Bytes>>)>,
}

impl Registry {
    pub fn new(reference: &Reference, ways: Ways, keyring: Option<Arc<dyn Keyring>>) -> Self {
        let (host, repository) = reference.name.split_once('/').unwrap_or_default();
        let is_plain = is_loopback(host) || ways.insecure.iter().any(|name| name == host);
        // The public registry is served under another name.
        let served = match host {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            host => host,
        };
        Registry {
            place: place(served, !is_plain),
            repository: repository.to_owned(),
            reference: reference.to_string(),
            ways,
            keyring,
            pass: None,
            line: None,
        }
    }

    /// A manifest by tag or digest.
    pub async fn manifest(
        &mut self,
        name: &str,
        accept: &str,
        limit: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let path = format!("/v2/{}/manifests/{name}", self.repository);
        self.get(&path, accept, limit).await
    }

    /// Content by digest.
    pub async fn blob(&mut self, digest: &str, limit: usize) -> Result<Vec<u8>, Trouble> {
        let path = format!("/v2/{}/blobs/{digest}", self.repository);
        self.get(&path, "*/*", limit).await
    }

    async fn get(&mut self, path: &str, accept: &str, limit: usize) -> Result<Vec<u8>, Trouble> {
        let question = Question {
            method: Method::GET,
            headers: vec![(ACCEPT, accept.to_owned())],
            body: Bytes::new(),
        };
        let answer = self.exchange(path, &question).await?;
        read(answer, limit).await
    }

    /// The name of the repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Asks, follows where reading is led elsewhere, and shows the pass that is asked for. Where the
    /// registry is disturbed, it is asked again.
    async fn exchange(
        &mut self,
        path: &str,
        question: &Question,
    ) -> Result<Response<Incoming>, Trouble> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.exchange_once(path, question).await {
                Err(Trouble::Other(why)) if is_passing(&why) => {
                    tracing::debug!(why, "registry, again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.exchange_once(path, question).await
    }

    async fn exchange_once(
        &mut self,
        path: &str,
        question: &Question,
    ) -> Result<Response<Incoming>, Trouble> {
        let home = self.place.clone();
        let (mut place, mut target) = follow(&home, path)?;
        let is_reading = question.method == Method::GET || question.method == Method::HEAD;
        let mut has_shown_pass = false;
        for _ in 0..=MAX_REDIRECTS + 1 {
            let mut request = Request::builder()
                .method(question.method.clone())
                .uri(&target);
            for (name, value) in &question.headers {
                request = request.header(name, value);
            }
            // The server that it leads to gets nothing that was meant for the registry.
            if let (Some(pass), true) = (&self.pass, place == home) {
                request = request.header(AUTHORIZATION, pass);
            }
            let answer = self.ask(&place, request, question.body.clone()).await?;
            match answer.status().as_u16() {
                200..=299 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 if is_reading => {
                    let value = answer.headers().get(LOCATION);
                    let location = value.and_then(|v| v.to_str().ok()).unwrap_or_default();
                    (place, target) = follow(&place, location)?;
                }
                401 if !has_shown_pass && place == home => {
                    has_shown_pass = true;
                    let challenge = answer
                        .headers()
                        .get_all(WWW_AUTHENTICATE)
                        .iter()
                        .find_map(|value| Challenge::parse(value.to_str().ok()?));
                    // The connection is free only when nobody holds the answer.
                    drop(answer);
                    self.pass = self.pass_for(challenge, is_reading).await?;
                }
                404 => return Err(Trouble::NotFound),
                status => {
                    let said = complaint(answer).await;
                    let words = format!("{status}{said}");
                    return Err(match status {
                        401 | 403 | 429 => Trouble::Unauthorized(words),
                        _ => Trouble::Other(format!("answers {words}")),
                    });
                }
            }
        }
        Err(Trouble::Other("leads in circles".into()))
    }

    /// What to show, as the registry asks for it.
    async fn pass_for(
        &mut self,
        challenge: Option<Challenge>,
        is_reading: bool,
    ) -> Result<Option<String>, Trouble> {
        let credentials = match &self.keyring {
            Some(keyring) => keyring.of_image(&self.reference).await,
            None => None,
        };
        match (challenge, credentials) {
            (Some(Challenge::Basic), Some(known)) if !known.username.is_empty() => {
                Ok(Some(basic(&known)))
            }
            (Some(Challenge::Basic), _) => Err(Trouble::Unauthorized(
                "it asks for a name and a password".into(),
            )),
            (
                Some(Challenge::Bearer {
                    realm,
                    service,
                    scope,
                }),
                credentials,
            ) => {
                let scope = match scope.as_str() {
                    "" => {
                        let actions = if is_reading { "pull" } else { "pull,push" };
                        format!("repository:{}:{actions}", self.repository)
                    }
                    _ => scope,
                };
                let token = self.token(&realm, &service, &scope, credentials).await?;
                Ok(Some(format!("Bearer {token}")))
            }
            (None, _) => Err(Trouble::Unauthorized(
                "it does not say how to log in".into(),
            )),
        }
    }

    async fn token(
        &mut self,
        realm: &str,
        service: &str,
        scope: &str,
        credentials: Option<Credentials>,
    ) -> Result<String, Trouble> {
        let (place, path) = follow(&self.place, realm)?;
        let mut form = String::new();
        for (key, value) in [("service", service), ("scope", scope)] {
            pair(&mut form, key, value);
        }
        let (request, body) = match &credentials {
            Some(known) if !known.identity_token.is_empty() => {
                pair(&mut form, "grant_type", "refresh_token");
                pair(&mut form, "client_id", "regatta");
                pair(&mut form, "refresh_token", &known.identity_token);
                let kind = "application/x-www-form-urlencoded";
                let request = Request::post(&path).header(CONTENT_TYPE, kind);
                (request, Bytes::from(form))
            }
            other => {
                let joint = if path.contains('?') { '&' } else { '?' };
                let mut request = Request::get(format!("{path}{joint}{form}"));
                if let Some(known) = other.as_ref().filter(|c| !c.username.is_empty()) {
                    request = request.header(AUTHORIZATION, basic(known));
                }
                (request, Bytes::new())
            }
        };
        let answer = self.ask(&place, request, body).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            let said = complaint(answer).await;
            return Err(Trouble::Unauthorized(format!(
                "{} gives no token: {status}{said}",
                place.authority()
            )));
        }
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let bytes = read(answer, MAX_WORDS).await?;
        let found: Option<Token> = serde_json::from_slice(&bytes).ok();
        found
            .and_then(|found| found.token.or(found.access_token))
            .ok_or_else(|| Trouble::Unauthorized(format!("{} gives no token", place.authority())))
    }

    /// One request, over the last connection where it leads there.
    async fn ask(
        &mut self,
        place: &Place,
        request: hyper::http::request::Builder,
        body: Bytes,
    ) -> Result<Response<Incoming>, Trouble> {
        let unreachable = |error: &dyn Display| {
            let port = place.port;
            Trouble::Unreachable(format!("{}, port {port}: {error}", place.host))
        };
        let request = request
            .header(HOST, place.authority())
            .header(USER_AGENT, concat!("regatta/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(|error| Trouble::Other(format!("cannot be asked: {error}")))?;
        tracing::debug!(host = %place.authority(), target = %request.uri(), "registry");
        let known = self.line.take().filter(|(to, _)| to == place);
        let mut waiting = None;
        if let Some((_, mut line)) = known
            && matches!(
                tokio::time::timeout(SILENCE, line.ready()).await,
                Ok(Ok(()))
            )
        {
            waiting = Some(line);
        }
        let mut line = match waiting {
            Some(line) => line,
            None => {
                let proxy =
                    self.ways.proxy.as_deref().filter(|_| {
                        place.is_secure && !goes_past_proxy(&self.ways.no_proxy, place)
                    });
                open(place, proxy).await.map_err(|e| unreachable(&e))?
            }
        };
        let answer = tokio::time::timeout(SILENCE, line.send_request(request)).await;
        self.line = Some((place.clone(), line));
        match answer {
            Ok(answer) => answer.map_err(|e| unreachable(&e)),
            Err(_) => Err(unreachable(&format!(
                "no answer within {} s",
                SILENCE.as_secs()
            ))),
        }
    }
}

/// A request to a registry.
#[derive(Default)]
struct Question {
    method: Method,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

/// How often a registry is asked that is disturbed.
const ATTEMPTS: u32 = 4;
/// Before the second attempt; twice as long before each one after.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a registry may answer otherwise in a moment.
fn is_passing(why: &str) -> bool {
    ["500", "502", "503", "504"]
        .iter()
        .any(|status| why.starts_with(&format!("answers {status}")))
}

/// Where an answer says that an upload goes on.
fn location(answer: &Response<Incoming>) -> Option<String> {
    let value = answer.headers().get(LOCATION)?;
    value.to_str().ok().map(str::to_owned)
}

fn no_place() -> Trouble {
    Trouble::Other("does not say where to send content to".into())
}

fn is_loopback(host: &str) -> bool {
    let place = place(host, false);
    let address = place.host.parse::<std::net::IpAddr>();
    place.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A host with or without a port.
fn place(text: &str, is_secure: bool) -> Place {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let usual = if is_secure { 443 } else { 80 };
    Place {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().unwrap_or(usual),
        is_secure,
    }
}

/// Where an address leads from a place. What came under TLS does not go on without.
fn follow(from: &Place, address: &str) -> Result<(Place, String), Trouble> {
    let wrong = || Trouble::Other(format!("leads to {address:?}, which is no address"));
    let uri: Uri = address.parse().map_err(|_| wrong())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(authority) = uri.authority() else {
        return match path.starts_with('/') {
            true => Ok((from.clone(), path.to_owned())),
            false => Err(wrong()),
        };
    };
    let is_secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if !from.is_secure => false,
        Some("http") => {
            return Err(Trouble::Other(format!(
                "leads to {address:?}, which is not encrypted"
            )));
        }
        _ => return Err(wrong()),
    };
    let authority = authority.as_str();
    let bare = authority.rsplit('@').next().unwrap_or(authority);
    Ok((place(bare, is_secure), path.to_owned()))
}

fn basic(known: &Credentials) -> String {
    let both = format!("{}:{}", known.username, known.password);
    let encoded = base64::engine::general_purpose::STANDARD.encode(both);
    format!("Basic {encoded}")
}

fn pair(form: &mut String, key: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(key);
    form.push('=');
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                form.push(byte as char);
            }
            _ => form.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The whole body, unless it is longer than it may be.
async fn read(answer: Response<Incoming>, limit: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame()).await;
        let frame = frame.map_err(|_| Trouble::Unreachable("it fell silent".into()))?;
        let Some(frame) = frame else { return Ok(bytes) };
        let frame = frame.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
        if bytes.len() > limit {
            return Err(Trouble::Other(format!("sends more than {limit} bytes")));
        }
    }
}

/// The registry's own words, where it has any: `: denied`.
async fn complaint(answer: Response<Incoming>) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Words>,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    let bytes = read(answer, MAX_WORDS).await.unwrap_or_default();
    let found: Option<Errors> = serde_json::from_slice(&bytes).ok();
    let first = found.and_then(|found| found.errors.into_iter().next());
    // Control characters are not for the terminal.
    first.map_or(String::new(), |words| {
        let plain: String = words
            .message
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect();
        format!(": {plain}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16, is_secure: bool) -> Place {
        let host = host.to_owned();
        Place {
            host,
            port,
            is_secure,
        }
    }

    #[test]
    fn places() {
        let ways = Ways {
            insecure: vec!["plain.example:5000".into()],
            ..Ways::default()
        };
        for (text, expected) in [
            ("app", at("registry-1.docker.io", 443, true)),
            ("r.example/app", at("r.example", 443, true)),
            ("r.example:5000/app", at("r.example", 5000, true)),
            ("plain.example:5000/app", at("plain.example", 5000, false)),
            ("localhost:5000/app", at("localhost", 5000, false)),
            ("127.0.0.1:5000/app", at("127.0.0.1", 5000, false)),
            ("[::1]:5000/app", at("::1", 5000, false)),
        ] {
            let reference = Reference::parse(text);
            let registry = Registry::new(&reference, ways.clone(), None);
            assert_eq!(registry.place, expected, "{text}");
        }
    }

    #[test]
    fn where_answers_lead() {
        let home = at("r.example", 443, true);
        let found = follow(&home, "/v2/x?a=b").expect("a path");
        assert_eq!(found, (home.clone(), "/v2/x?a=b".into()));
        let found = follow(&home, "https://cdn.example:8443/x").expect("an address");
        assert_eq!(found, (at("cdn.example", 8443, true), "/x".into()));
        for wrong in ["http://cdn.example/x", "ftp://a/b", "::", ""] {
            assert!(follow(&home, wrong).is_err(), "{wrong}");
        }
        let plain = at("127.0.0.1", 5000, false);
        assert!(follow(&plain, "http://127.0.0.1:5001/token").is_ok());
    }
}
