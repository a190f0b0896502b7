//! Writing to a registry: blobs and manifests.

use super::{Question, Registry, Trouble, location, no_place, pair, read};
use crate::remote::artifact::digest_of;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};

impl Registry {
    /// Brings content into the repository, unless it has it.
    pub async fn put_blob(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let digest = digest_of(bytes);
        if self.has_blob(&digest).await? {
            return Ok(());
        }
        let upload = self.begin_upload(None).await?;
        self.end_upload(&upload, &digest, Bytes::copy_from_slice(bytes))
            .await
    }

    /// Brings content of another repository into this one, in pieces of this size. Where both are in
    /// one registry, `near` names the other, and nothing is carried.
    pub async fn take_blob(
        &mut self,
        source: &mut Registry,
        near: Option<&str>,
        digest: &str,
        size: u64,
        piece: u64,
    ) -> Result<(), Trouble> {
        if self.has_blob(digest).await? {
            return Ok(());
        }
        let mut upload = self.begin_upload(near.map(|from| (from, digest))).await?;
        if upload.is_empty() {
            return Ok(());
        }
        let path = format!("/v2/{}/blobs/{digest}", source.repository);
        let mut from = 0;
        while from < size {
            let last = (from + piece).min(size) - 1;
            let question = Question {
                method: Method::GET,
                headers: vec![(RANGE, format!("bytes={from}-{last}"))],
                body: Bytes::new(),
            };
            let answer = source.exchange(&path, &question).await?;
            let limit = usize::try_from(size).unwrap_or(usize::MAX);
            // A registry without ranges sends all at once.
            let is_part = answer.status().as_u16() == 206;
            let bytes = read(answer, limit).await?;
            let count = bytes.len() as u64;
            if count == 0 || (is_part && count != last + 1 - from) {
                return Err(Trouble::Other(format!("sends something else for {digest}")));
            }
            let question = Question {
                method: Method::PATCH,
                headers: vec![
                    (CONTENT_TYPE, "application/octet-stream".to_owned()),
                    (CONTENT_RANGE, format!("{from}-{}", from + count - 1)),
                ],
                body: Bytes::from(bytes),
            };
            let answer = self.exchange(&upload, &question).await?;
            upload = location(&answer).ok_or_else(no_place)?;
            from += count;
        }
        self.end_upload(&upload, digest, Bytes::new()).await
    }

    async fn has_blob(&mut self, digest: &str) -> Result<bool, Trouble> {
        let path = format!("/v2/{}/blobs/{digest}", self.repository);
        let question = Question {
            method: Method::HEAD,
            ..Question::default()
        };
        match self.exchange(&path, &question).await {
            Ok(_) => Ok(true),
            Err(Trouble::NotFound) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Where to send content to; nothing where the registry has taken it from another repository.
    async fn begin_upload(&mut self, mount: Option<(&str, &str)>) -> Result<String, Trouble> {
        let mut path = format!("/v2/{}/blobs/uploads/", self.repository);
        if let Some((from, digest)) = mount {
            let mut form = String::new();
            pair(&mut form, "mount", digest);
            pair(&mut form, "from", from);
            path.push('?');
            path.push_str(&form);
        }
        let question = Question {
            method: Method::POST,
            ..Question::default()
        };
        let answer = self.exchange(&path, &question).await?;
        match answer.status().as_u16() {
            201 => Ok(String::new()),
            _ => location(&answer).ok_or_else(no_place),
        }
    }

    async fn end_upload(&mut self, upload: &str, digest: &str, body: Bytes) -> Result<(), Trouble> {
        let joint = if upload.contains('?') { '&' } else { '?' };
        let mut form = String::new();
        pair(&mut form, "digest", digest);
        let question = Question {
            method: Method::PUT,
            headers: vec![(CONTENT_TYPE, "application/octet-stream".to_owned())],
            body,
        };
        self.exchange(&format!("{upload}{joint}{form}"), &question)
            .await
            .map(drop)
    }

    /// Puts a manifest under a tag or its digest.
    pub async fn put_manifest(
        &mut self,
        name: &str,
        kind: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Trouble> {
        let path = format!("/v2/{}/manifests/{name}", self.repository);
        let question = Question {
            method: Method::PUT,
            headers: vec![(CONTENT_TYPE, kind.to_owned())],
            body: Bytes::from(bytes),
        };
        self.exchange(&path, &question).await.map(drop)
    }
}
