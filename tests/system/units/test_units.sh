#!/bin/sh
# The unit files as systemd sees them, without a running systemd:
# test_units.sh verify|engine|security FOLDER-OF-UNITS IPCD [--user]
# The units are checked in a copy in which ExecStart= is the program that was just built, since
# systemd-analyze looks whether it is there.
set -eu

check=$1
units=$2
ipcd=$(readlink -f "$3")
shift 3
drop_in=$(dirname "$0")/../../../daemon/systemd/engine.conf

command -v systemd-analyze >/dev/null || exit 77 # skipped

copy=$(mktemp -d)
trap 'rm -r "$copy"' EXIT
export XDG_RUNTIME_DIR="$copy" HOME="$copy"
cp "$units/ipcd.socket" "$copy"
sed "s|^ExecStart=[^ ]*|ExecStart=$ipcd|" "$units/ipcd.service" >"$copy/ipcd.service"
grep -q "^ExecStart=$ipcd" "$copy/ipcd.service"

case $check in
verify | engine)
    # With the drop-in of those who have an engine, too.
    if [ "$check" = engine ]; then
        mkdir "$copy/ipcd.service.d"
        sed 's/^;//' "$drop_in" >"$copy/ipcd.service.d/engine.conf"
    fi
    # It must find nothing to say.
    said=$(systemd-analyze verify "$@" --man=no "$copy/ipcd.service" "$copy/ipcd.socket" 2>&1) || {
        echo "$said"
        exit 1
    }
    if [ -n "$said" ]; then
        echo "$said"
        exit 1
    fi
    ;;
security)
    # At most 1.0; the threshold is in tenths.
    systemd-analyze security --offline=true --threshold=10 --no-pager "$copy/ipcd.service"
    # Users must not be mapped: peers would all look alike.
    ! grep -q '^PrivateUsers=' "$copy/ipcd.service"
    ;;
*)
    echo "test_units.sh: verify, engine or security, not \"$check\"" >&2
    exit 2
    ;;
esac
