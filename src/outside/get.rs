//! One GET, as a visitor's browser makes it, without following redirects.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, LOCATION, SERVER, STRICT_TRANSPORT_SECURITY};
use reqwest::{Client, Response, Url, redirect};

use crate::model::{Answer, Exchange, Reply};

use super::PATIENCE;
use super::chain::Roots;
use super::refusal::told;

/// Bytes of a body that are read.
const BODY: usize = 64 << 10;

/// Asks `address`, whatever DNS says, or over a line that leads there. TLS must verify to one of the two sets of roots.
pub async fn get(roots: &Arc<Roots>, url: &str, address: IpAddr, through: Option<&Path>) -> Answer {
    match exchange(roots, url, address, through).await {
        Ok(exchange) => Answer::Present(Reply::Exchange(exchange)),
        // ssh ends a line behind which nobody answers.
        Err(_) if through.is_some() && url.starts_with("http:") => Answer::Absent,
        Err(reason) => Answer::Unreadable(reason),
    }
}

async fn exchange(roots: &Arc<Roots>, url: &str, address: IpAddr, through: Option<&Path>) -> Result<Exchange, String> {
    let url = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
    let host = url.host_str().ok_or_else(|| format!("{url} names no host"))?;
    let (tls, _) = roots.client().map_err(|error| told(&error))?;
    let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(redirect::Policy::none()).timeout(PATIENCE);
    let client = match through {
        // Port 0 leaves the URL's port in force.
        None => client.resolve(host, SocketAddr::new(address, 0)),
        Some(socket) => client.unix_socket(socket),
    };
    let client = client.build().map_err(|error| told(&error))?;
    let response = client.get(url).send().await.map_err(|error| told(&error.without_url()))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = body(response).await?;
    let header = |name| text(&headers, name);
    Ok(Exchange { status, location: header(&LOCATION), server: header(&SERVER), hsts: header(&STRICT_TRANSPORT_SECURITY), body })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

async fn body(mut response: Response) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| told(&error.without_url()))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= BODY {
            bytes.truncate(BODY);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[path = "get_tests.rs"]
mod tests;
