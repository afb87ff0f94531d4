//! Routes and addresses out of `ip -j` (iproute2 prints JSON since 4.14).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

#[derive(Deserialize)]
struct Route {
    #[serde(default)]
    dst: String,
    #[serde(default)]
    dev: Option<String>,
}

#[derive(Deserialize)]
struct Device {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: Option<IpAddr>,
}

/// Device of the default route, if there is one, and the other destinations.
pub(super) type Routes = (Option<String>, Vec<IpNet>);

/// Reads `ip -j route show table main` of both families. Routes over devices that a k3s made are left out: they are what a cluster's
/// own ranges look like from inside.
pub(super) fn routes<'a>(listings: impl Iterator<Item = &'a str>) -> Option<Routes> {
    let mut routes: Routes = (None, Vec::new());
    for listing in listings.filter(|listing| !listing.is_empty()) {
        for Route { dst, dev } in serde_json::from_str::<Vec<Route>>(listing).ok()? {
            if dev.as_deref().is_some_and(of_k3s) {
                continue;
            }
            if dst == "default" {
                routes.0 = routes.0.or(dev);
            } else if let Some(net) = dst.parse().ok().or_else(|| dst.parse::<IpAddr>().ok().map(IpNet::from)) {
                routes.1.push(net);
            }
        }
    }
    Some(routes)
}

/// Reads `ip -j address`, without loopback and k3s' own devices.
pub(super) fn addresses(listing: &str) -> Option<Vec<IpAddr>> {
    let devices: Vec<Device> = serde_json::from_str(listing).ok()?;
    let outer = devices.into_iter().filter(|device| device.ifname != "lo" && !of_k3s(&device.ifname));
    Some(outer.flat_map(|device| device.addr_info).filter_map(|address| address.local).collect())
}

/// Devices of flannel, the bridge CNI and kube-proxy (k3s: k3s-killall.sh deletes the same).
fn of_k3s(device: &str) -> bool {
    device == "cni0" || device == "kube-ipvs0" || device.starts_with("flannel") || device.starts_with("veth")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_without_those_of_k3s() {
        let four = r#"[{"dst":"default","gateway":"203.0.113.1","dev":"eth0","flags":[]},
            {"dst":"10.42.0.0/24","dev":"cni0","protocol":"kernel","scope":"link","prefsrc":"10.42.0.1","flags":[]},
            {"dst":"10.8.0.1","dev":"wg0","scope":"link","flags":[]},
            {"dst":"203.0.113.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"203.0.113.10","flags":[]}]"#;
        let six = r#"[{"dst":"fe80::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}]"#;
        let nets = ["10.8.0.1/32", "203.0.113.0/24", "fe80::/64"].map(|net| net.parse().unwrap()).to_vec();
        assert_eq!(routes([four, six].into_iter()), Some((Some("eth0".into()), nets)));
        assert_eq!(routes(["no json"].into_iter()), None);
    }

    #[test]
    fn addresses_without_loopback() {
        let listing = r#"[{"ifindex":1,"ifname":"lo","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
            {"ifindex":2,"ifname":"eth0","addr_info":[{"family":"inet","local":"203.0.113.10","prefixlen":24},{"family":"inet6","local":"fe80::1","prefixlen":64}]},
            {"ifindex":3,"ifname":"flannel.1","addr_info":[{"family":"inet","local":"10.42.0.0","prefixlen":32}]},{}]"#;
        let found = ["203.0.113.10", "fe80::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(addresses(listing), Some(found));
    }
}
