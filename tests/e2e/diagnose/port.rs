//! What is amiss with port 80 concerns all sites: one after the other, each for as long as it takes.

use anyhow::Result;

use super::super::Context;
use super::super::flow::served;
use super::scene::alone;

/// A firewall drops what comes to port 80.
pub fn port_closed(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let rule = "PREROUTING -p tcp -d 203.0.113.10 --dport 80 -j DROP";
    let (shut, open) = (format!("iptables -w -t raw -I {rule}"), format!("iptables -w -t raw -D {rule}"));
    let words =
        ["the challenge of closed.example does not get on", "port 80 of 203.0.113.10 does not answer", "let TCP 80 in to 203.0.113.10"];
    alone(context.rig, bench, "closed", (&shut, &open), &words)?;
    served(bench)
}

/// Another web server has port 80.
pub fn other_server(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let rule = "PREROUTING -p tcp -d 203.0.113.10 --dport 80 -j REDIRECT --to-ports 8881";
    let answer = r"HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let start = format!(
        "printf '%b' '{answer}' >/run/other-server
         systemd-run --quiet --unit=other-server socat TCP-LISTEN:8881,fork,reuseaddr SYSTEM:'cat /run/other-server; timeout 1 cat >/dev/null'
         iptables -w -t nat -I {rule}"
    );
    let stop = format!("iptables -w -t nat -D {rule}; systemctl stop other-server; rm /run/other-server");
    let words =
        ["wrong status code '404'", "another web server (nginx/1.22.1) answers on port 80 of 203.0.113.10", "so that Traefik gets port 80"];
    alone(context.rig, bench, "other", (&start, &stop), &words)?;
    served(bench)
}
