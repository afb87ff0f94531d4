#!/bin/sh
# boot.sh NAME DIR ROOT: becomes a throwaway host. Runs as root in the rig's network namespace and a mount namespace of its
# own, so the mounts below go with the last process of the host.
#   DIR   the host's own disk: upper, work, var; and the places `root` and `cgroup` to mount on
#   ROOT  the cached root file system, never written
set -eu
name=$1 dir=$2 root=$3

mount -t overlay overlay -o "lowerdir=$root,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
# /var is a plain folder: containerd's overlays cannot lie on an overlay.
mount --bind "$dir/var" "$dir/root/var"

# A cgroup of the host's own in every hierarchy, and a tree that shows nothing else. Hosts that shared one tree would share
# the names of their units, and each kubelet would remove the pods of the others.
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" = cgroup2fs ]; then
  # Version 2: nspawn shows the host its own cgroup by itself. Seen to boot; no kubelet has run here yet.
  mkdir -p "/sys/fs/cgroup/bedplate-rig/$name"
  for up in /sys/fs/cgroup /sys/fs/cgroup/bedplate-rig; do
    for controller in $(cat "$up/cgroup.controllers"); do echo "+$controller" >"$up/cgroup.subtree_control"; done
  done
  echo $$ >"/sys/fs/cgroup/bedplate-rig/$name/cgroup.procs"
  set --
else
  mount -t tmpfs -o mode=755 cgroup "$dir/cgroup"
  for from in /sys/fs/cgroup/*; do
    mountpoint -q "$from" || continue
    own=$from/bedplate-rig/$name
    mkdir -p "$own"
    # A new cpuset is empty, and an empty one takes no process.
    for file in bedplate-rig "bedplate-rig/$name"; do
      [ -e "$from/cpuset.cpus" ] || break
      cat "$from/cpuset.mems" >"$from/$file/cpuset.mems"
      cat "$from/cpuset.cpus" >"$from/$file/cpuset.cpus"
    done
    echo $$ >"$own/cgroup.procs"
    mkdir "$dir/cgroup/${from##*/}"
    # In systemd's own two hierarchies nspawn moves the host one level down.
    case ${from##*/} in systemd | unified) own=$own/payload && mkdir -p "$own" ;; esac
    mount --bind "$own" "$dir/cgroup/${from##*/}"
  done
  set -- --bind="$dir/cgroup:/sys/fs/cgroup"
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
fi

# nspawn clears what an earlier host of that name left here, and refuses to where /run is on a disk.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=755 nspawn /run/systemd/nspawn

# API_VFS_WRITABLE: kubelet and kube-proxy write /proc/sys. --register=no: there is no machined to ask. The kernel log is
# kubelet's. With --keep-unit a reboot from inside ends in status 133: whoever booted the host boots it again.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=1
exec systemd-nspawn --boot --machine="$name" --directory="$dir/root" --network-bridge=br0 --resolv-conf=off --register=no \
  --keep-unit --capability=all --system-call-filter=@known --bind=/dev/kmsg --console=read-only "$@"
