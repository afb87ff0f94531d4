//! What a host says of itself.

use super::network::{addresses, routes};
use super::{Asked, reply};
use crate::model::{Answer, HostFacts, Reply};
use crate::remote::frame::Output;

/// Prints `key value` lines. The login user is whom sudo names, else the one who is here.
pub(super) const SCRIPT: &str = r#"
echo "clock $(date +%s)"
sed -n 's/^ID=/os /p; s/^VERSION_ID=/os-version /p' /etc/os-release
echo "machine $(uname -m)"
echo "hostname $(uname -n)"
echo "cpus $(nproc)"
sed -n 's/^MemTotal: *\([0-9]*\) kB$/memory \1/p' /proc/meminfo
p=/var/lib/rancher
while [ ! -d "$p" ]; do p=${p%/*}; p=${p:-/}; done
echo "disk $(df -B1 --output=avail -- "$p" | tail -n 1)"
echo "cgroup $(stat -f -c %T /sys/fs/cgroup)"
if [ -d /run/systemd/system ]; then echo "systemd yes"; fi
if grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && timeout --foreground 20 ufw status | grep -q '^Status: active'; then echo "ufw yes"; fi
if command -v firewall-cmd >/dev/null && timeout --foreground 20 firewall-cmd --state >/dev/null 2>&1; then echo "firewalld yes"; fi
echo "routes $(ip -j -4 route show table main)"
echo "routes $(ip -j -6 route show table main)"
echo "addresses $(ip -j address show)"
u=${SUDO_USER:-$(id -un)}
echo "passwd $(getent passwd "$u")"
echo "forwarding $(timeout --foreground 10 sshd -T -C "user=$u,host=localhost,addr=127.0.0.1" 2>/dev/null | sed -n 's/^disableforwarding yes/no/p; s/^allowtcpforwarding //p')"
"#;

pub(super) fn parse(output: &Output, asked: Asked) -> Answer {
    reply(output, |text| facts(text, asked).map(|facts| Reply::Facts(Box::new(facts))))
}

fn facts(text: &str, asked: Asked) -> Option<HostFacts> {
    let values = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' ').map(str::trim));
    let value = |key: &'static str| values(key).next();
    // os-release(5): values may be quoted.
    let unquoted = |key| value(key).map(|text| text.trim_matches(['"', '\'']).to_owned());
    let (default_route, routes) = routes(values("routes"))?;
    // passwd(5): name, password, uid, gid, comment, home, shell.
    let login: Vec<&str> = value("passwd")?.split(':').collect();
    let [user, _, uid, gid, _, home, _] = login[..] else { return None };
    Some(HostFacts {
        os: unquoted("os").unwrap_or_default(),
        os_version: unquoted("os-version").unwrap_or_default(),
        machine: value("machine")?.to_owned(),
        cpus: value("cpus")?.parse().ok()?,
        memory: value("memory")?.parse::<u64>().ok()?.checked_mul(1024)?,
        disk_free: value("disk")?.parse().ok()?,
        clock_skew: value("clock")?.parse::<i64>().ok()?.checked_sub(asked.now)?,
        hostname: value("hostname")?.to_owned(),
        default_route,
        routes,
        addresses: addresses(value("addresses")?)?,
        cgroup: match value("cgroup")? {
            "cgroup2fs" => 2,
            // Version 1 mounts its controllers below a tmpfs.
            "tmpfs" | "cgroupfs" => 1,
            _ => 0,
        },
        systemd: value("systemd").is_some(),
        forwarding: match value("forwarding") {
            // sshd_config(5): `local` forbids only what comes from the other side.
            Some("yes" | "all" | "local") => Some(true),
            Some("no" | "remote") => Some(false),
            _ => None,
        },
        ufw: value("ufw").is_some(),
        firewalld: value("firewalld").is_some(),
        user: user.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: home.to_owned(),
        privilege: asked.privilege,
    })
}

#[cfg(test)]
mod tests {
    use super::super::printed;
    use super::*;
    use crate::model::Privilege;

    const DEBIAN: &str = r#"clock 1795242871
os-version "12"
os debian
machine x86_64
hostname droplet
cpus 2
memory 2014172
disk  41943040000
cgroup cgroup2fs
systemd yes
routes [{"dst":"default","gateway":"203.0.113.1","dev":"eth0","flags":[]}]
routes 
addresses [{"ifname":"lo"},{"ifname":"eth0","addr_info":[{"family":"inet","local":"203.0.113.10"}]}]
passwd appuser:x:1000:1000:App,,,:/home/appuser:/usr/bin/fish
forwarding yes
"#;

    fn read(text: &str) -> Answer {
        parse(&printed(text), Asked { now: 1_795_242_868, privilege: Privilege::SudoPassword })
    }

    #[test]
    fn a_debian_droplet() {
        let Answer::Present(Reply::Facts(facts)) = read(DEBIAN) else { panic!() };
        assert_eq!((facts.os.as_str(), facts.os_version.as_str(), facts.cpus), ("debian", "12", 2));
        assert_eq!((facts.memory, facts.disk_free, facts.clock_skew), (2_062_512_128, 41_943_040_000, 3));
        assert_eq!((facts.default_route.as_deref(), facts.addresses.len()), (Some("eth0"), 1));
        assert_eq!((facts.cgroup, facts.systemd, facts.forwarding, facts.ufw), (2, true, Some(true), false));
        assert_eq!((facts.user.as_str(), facts.uid, facts.gid, facts.home.as_str()), ("appuser", 1000, 1000, "/home/appuser"));
        assert_eq!(facts.privilege, Privilege::SudoPassword);
    }

    #[test]
    fn what_cannot_be_told_stays_open() {
        let text = DEBIAN.replace("forwarding yes", "forwarding ").replace("cgroup2fs", "sysfs").replace("systemd yes\n", "");
        let Answer::Present(Reply::Facts(facts)) = read(&text) else { panic!() };
        assert_eq!((facts.forwarding, facts.cgroup, facts.systemd), (None, 0, false));
    }

    #[test]
    fn half_an_answer_is_none() {
        assert!(matches!(read(&DEBIAN.replace("memory 2014172\n", "")), Answer::Unreadable(_)));
    }
}
