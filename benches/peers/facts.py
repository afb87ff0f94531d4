"""What bedplate asks a host's shell, as facts of pyinfra: one a question. Nothing is changed."""

from pyinfra import host
from pyinfra.facts.files import Directory, File, FileContents, Link, Sha256File
from pyinfra.facts.server import Arch, Command, Date, Hostname, Kernel, LinuxDistribution, Mounts, User
from pyinfra.facts.systemd import SystemdEnabled, SystemdStatus

K3S = "/var/lib/rancher/k3s"

for fact in (LinuxDistribution, Arch, Hostname, Kernel, Date, User, Mounts, SystemdStatus, SystemdEnabled):
    host.get_fact(fact)
for command in (
    "nproc; cat /proc/meminfo; df -B1 --output=avail /var/lib",
    "ip -j -4 route; ip -j -6 route; ip -j address",
    "sshd -T",
    "stat -f -c %T /sys/fs/cgroup",
    "ss -H -tlnp",
    "getent -A ahosts shop.example || true",
    "getent -A ahosts www.shop.example || true",
):
    host.get_fact(Command, command=command)
for path in (
    "/etc/rancher/k3s/config.yaml",
    "/etc/rancher/k3s/registries.yaml",
    "/etc/systemd/system/k3s.service",
    "/etc/systemd/system/k3s-agent.service",
    "/usr/local/bin/k3s",
    f"{K3S}/agent/images/k3s-airgap-images-amd64.tar",
):
    host.get_fact(File, path=path)
    host.get_fact(Sha256File, path=path)
for path in ("kubectl", "crictl", "ctr"):
    host.get_fact(Link, path=f"/usr/local/bin/{path}")
host.get_fact(Directory, path=f"{K3S}/server")

if host.name == host.data.server:
    for command in ("k3s --version", "k3s crictl images -o json", "helm version --short"):
        host.get_fact(Command, command=command)
    host.get_fact(Link, path="/usr/local/bin/helm")
    host.get_fact(Directory, path="/root/.kube")
    host.get_fact(FileContents, path="/etc/rancher/k3s/k3s.yaml")
    for path in ("/root/.kube/config", "/root/.bashrc"):
        host.get_fact(File, path=path)
        host.get_fact(FileContents, path=path)
