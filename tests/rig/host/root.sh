#!/bin/sh
# root.sh ROOT: makes the root file system that every throwaway host starts from: Debian with systemd, sshd and sudo, and
# nothing that bedplate should bring. Keyed by this file's digest, so a change here makes a new one.
set -eu
packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,ca-certificates,curl,openssl
packages=$packages,iproute2,ifupdown,iptables,nftables,ipset,conntrack,ethtool,socat,procps,kmod,mount,util-linux
packages=$packages,fish,tcsh

mmdebstrap --quiet --variant=minbase --include="$packages" \
  --customize-hook='chroot "$1" useradd --uid 1000 --create-home --shell /bin/bash --groups sudo appuser' \
  --customize-hook='chroot "$1" useradd --uid 1001 --create-home --shell /bin/bash ops' \
  --customize-hook='echo "ops ALL=(ALL:ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/ops"; chmod 440 "$1/etc/sudoers.d/ops"' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_*; : >"$1/etc/machine-id"' \
  --customize-hook='chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service e2scrub_all.timer fstrim.timer' \
  bookworm "$1"
