//! One GET that begins on the host. Bash dials: a host may have no curl.

use std::net::IpAddr;

use httparse::{EMPTY_HEADER, Response, Status};
use url::Url;

use super::reply;
use crate::model::{Answer, Exchange, Reply};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// Headers that are read at most.
const HEADERS: usize = 64;
/// An answer in HTTP/1.0 ends with its connection and comes in no chunks.
const DIAL: &str = r#"exec 3<>"/dev/tcp/$1/$2" && printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$3" "$4" >&3 && head -c 65536 <&3"#;

/// Plain http only. An URL that is none asks for nothing.
pub(super) fn script(url: &str, address: IpAddr) -> String {
    let parsed = Url::parse(url).ok();
    let port = parsed.as_ref().and_then(Url::port_or_known_default).unwrap_or(80);
    let (host, path) = parsed.as_ref().map(|url| (url.host_str().unwrap_or_default(), url.path())).unwrap_or_default();
    let [address, port, path, host] = [address.to_string(), port.to_string(), path.to_owned(), host.to_owned()].map(|word| quote(&word));
    format!("timeout --foreground 5 bash -c {} get {address} {port} {path} {host}", quote(DIAL))
}

pub(super) fn parse(output: &Output) -> Answer {
    if output.status != 0 && output.stderr.contains("Connection refused") {
        return Answer::Unreadable("refused: Connection refused".into());
    }
    reply(output, |text| {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut response = Response::new(&mut headers);
        let Ok(Status::Complete(head)) = response.parse(text.as_bytes()) else { return None };
        let header = |name: &str| {
            let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).into_owned()).unwrap_or_default()
        };
        Some(Reply::Exchange(Exchange {
            status: response.code?,
            location: header("location"),
            server: header("server"),
            hsts: header("strict-transport-security"),
            body: text.get(head..)?.to_owned(),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_headers() {
        let text = "HTTP/1.0 301 Moved Permanently\r\nDate: now\r\nlocation: https://shop.example/a\r\n\r\nMoved\n";
        let expected = Exchange { status: 301, location: "https://shop.example/a".into(), body: "Moved\n".into(), ..Exchange::default() };
        assert_eq!(parse(&printed(text)), Answer::Present(Reply::Exchange(expected)));
    }

    #[test]
    fn silence_and_refusal_are_told_apart() {
        assert_eq!(parse(&failed(124, "")), Answer::Unreadable("no answer in time".into()));
        let refused = "get: connect: Connection refused\nget: line 1: /dev/tcp/203.0.113.10/80: Connection refused";
        assert_eq!(parse(&failed(1, refused)), Answer::Unreadable("refused: Connection refused".into()));
        assert!(matches!(parse(&printed("SSH-2.0-OpenSSH_9.2\r\n")), Answer::Unreadable(_)));
    }
}
