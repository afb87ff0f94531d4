#!/bin/sh
# operator.sh FOLDER USER PROGRAM …: becomes the operator. Runs as root in the rig's network namespace and a mount namespace
# of its own, where the system's resolver and roots are those of FOLDER.
set -eu
folder=$1 user=$2
shift 2
mount --bind "$folder/resolv.conf" /etc/resolv.conf
mount --bind "$folder/roots.pem" /etc/ssl/certs/ca-certificates.crt
exec setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs -- "$@"
