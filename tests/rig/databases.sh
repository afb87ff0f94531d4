#!/bin/sh
# databases.sh TAR: makes the root file system of the image in which the rig's databases run: Debian's own servers with their clients, and
# a shell. Keyed by this file's digest, so a change here makes a new one.
set -eu
mmdebstrap --quiet --variant=essential --include=postgresql-15,mariadb-server-core,mariadb-client-core \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=*/libLLVM-*' --dpkgopt='path-exclude=*/libz3.*' --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
  --customize-hook='rm -rf "$1"/var/lib/postgresql/* "$1"/var/cache/* "$1"/var/lib/apt/lists/*' \
  bookworm "$1"
