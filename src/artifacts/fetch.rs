//! Fetching a file and knowing what was fetched.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use sha2::{Digest, Sha256};

use super::source::Place;
use crate::model::{Failure, chain};

/// What a fetched file is.
pub struct Fetched {
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// An HTTP client that gives up on a silent line. What begins over TLS is not led away from it.
fn client(place: &Place) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .https_only(place.trusted())
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(Duration::from_secs(30))
        .user_agent(concat!("bedplate/", env!("CARGO_PKG_VERSION")))
}

fn failed(place: &Place, seen: impl Into<String>) -> Failure {
    Failure::new(format!("fetch {place}"), seen, "check `source` and the version in the inventory, and the operator's line to it")
}

/// What can't be written on this machine.
pub(super) fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("write {}", path.display()), error.to_string(), "free some disk, or let the user who runs bedplate write there")
}

/// Fetches a small text.
///
/// # Errors
/// It can't be had, or is larger than 1 MiB.
pub async fn text(place: &Place) -> Result<String, Failure> {
    let mut into = Vec::new();
    let keep = |chunk: &[u8]| {
        into.extend_from_slice(chunk);
        Ok(())
    };
    stream(place, keep, 1 << 20, &|_, _| {}).await?;
    String::from_utf8(into).map_err(|_| failed(place, "it is not text"))
}

/// Fetches a file into `path`.
///
/// # Errors
/// It can't be had or written.
pub async fn file(place: &Place, path: &Path, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Fetched, Failure> {
    let unwritten = |error| unwritten(path, &error);
    let mut file = std::fs::File::create(path).map_err(unwritten)?;
    let write = |chunk: &[u8]| file.write_all(chunk).map_err(unwritten);
    let fetched = stream(place, write, u64::MAX, sent).await?;
    file.sync_all().map_err(unwritten)?;
    Ok(fetched)
}

/// The SHA-256 of a file on this machine, lower-case hex.
///
/// # Errors
/// It can't be read.
pub async fn digest(path: &Path) -> Result<String, Failure> {
    let fetched = stream(&Place::File(path.into()), |_| Ok(()), u64::MAX, &|_, _| {}).await;
    let unread = |failure: Failure| Failure::new(format!("read {}", path.display()), failure.seen, "remove it: it is fetched again");
    Ok(fetched.map_err(unread)?.sha256)
}

async fn stream(
    place: &Place,
    mut keep: impl FnMut(&[u8]) -> Result<(), Failure> + Send,
    cap: u64,
    sent: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Fetched, Failure> {
    let mut sum = Sha256::new();
    let mut size = 0;
    let mut take = |chunk: &[u8], total: u64| -> Result<(), Failure> {
        size += chunk.len() as u64;
        if size > cap {
            return Err(failed(place, format!("it is larger than {cap} bytes")));
        }
        sum.update(chunk);
        keep(chunk)?;
        sent(size, total);
        Ok(())
    };
    match place {
        Place::File(path) => {
            let mut file = tokio::fs::File::open(path).await.map_err(|error| failed(place, error.to_string()))?;
            let total = file.metadata().await.map_or(0, |meta| meta.len());
            let mut chunk = vec![0; 1 << 20];
            loop {
                let read = tokio::io::AsyncReadExt::read(&mut file, &mut chunk).await.map_err(|error| failed(place, error.to_string()))?;
                if read == 0 {
                    break;
                }
                take(&chunk[..read], total)?;
            }
        }
        Place::Url(url) => {
            let client = client(place).build().map_err(|error| Failure::new("set up HTTP", chain(&error), ""))?;
            let response = client.get(url).send().await.map_err(|error| failed(place, chain(&error)))?;
            let response = response.error_for_status().map_err(|error| failed(place, chain(&error)))?;
            let total = response.content_length().unwrap_or(0);
            let mut chunks = response.bytes_stream();
            while let Some(chunk) = chunks.next().await {
                take(&chunk.map_err(|error| failed(place, chain(&error)))?, total)?;
            }
        }
    }
    Ok(Fetched { size, sha256: format!("{:x}", sum.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::stand::{self_signed, serve_plain, serve_tls};

    #[tokio::test]
    async fn tls_does_not_lead_to_plain_http() {
        let plain = serve_plain("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".into()).await;
        let moved = || format!("HTTP/1.1 302 Found\r\nLocation: http://{plain}/\r\nContent-Length: 0\r\n\r\n");
        let (tls, http) = (serve_tls(self_signed("a"), moved()).await, serve_plain(moved()).await);
        let get = async |url: String| {
            let client = client(&Place::Url(url.clone())).tls_danger_accept_invalid_certs(true).build().unwrap();
            client.get(url).send().await.map_err(|error| chain(&error))
        };
        assert!(get(format!("http://{http}/")).await.is_ok());
        let refused = get(format!("https://{tls}/")).await.unwrap_err();
        assert!(refused.contains("URL scheme is not allowed"), "{refused}");
    }
}
