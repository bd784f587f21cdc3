# shellcheck shell=bash
# lib: what tools/demo and tools/check share: where the checkout is, how they speak, and how they
# get the packages that are missing. To be sourced by bash; it changes to the checkout's top.
#
# Nothing here reads standard input, and nothing needs a terminal.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root
cd "$root" || exit 1

# Meson, ninja and the tests write for a terminal only if there is one.
export LC_ALL=C.UTF-8

# For whoever sources this.
# shellcheck disable=SC2034
if [ -t 1 ]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' red='' green='' plain=''
fi

# say TEXT…: one line for whoever reads along.
say() {
    printf '%s\n' "$*"
}

# title TEXT…: a line that begins a new part.
title() {
    printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

# die TEXT…: says what was wrong and what would have been right, and ends the script.
die() {
    printf '%s: %s%s%s\n' "${0##*/}" "$red" "$*" "$plain" >&2
    exit 1
}

# missing_packages SET…: the names of the packages of these sets that are not installed.
missing_packages() {
    local name set wanted
    while read -r name set _; do
        for wanted in "$@"; do
            if [ "$set" = "$wanted" ] && [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" \
                2>/dev/null)" != installed ]; then
                printf '%s\n' "$name"
            fi
        done
    done < <(grep -E '^[a-z]' tools/packages)
}

# as_root COMMAND…: runs it as root, directly or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# apt_get ARGUMENT…: apt-get without questions; waits if another package manager is at work.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# install_packages SET…: installs what is missing of these sets, having said what and why.
install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        say "This is not a Debian system, so nothing is installed here. tools/packages lists what"
        say "is needed and why; it is taken to be there."
        return 0
    fi
    local missing log name
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        say "Every package that is needed is there (tools/packages is the list)."
        return 0
    fi
    say "These Debian packages are missing and will be installed with apt-get:"
    for name in $missing; do
        awk -v name="$name" '$1 == name {
            line = $0; sub(/^[^ ]+ +[^ ]+ +/, "", line); printf "    %-20s %s\n", name, line }' \
            tools/packages
    done
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        # shellcheck disable=SC2086
        die "installing needs root, and there is no sudo. As root: apt-get install" $missing
    fi
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { apt_get update && apt_get install --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        # shellcheck disable=SC2086
        die "apt-get failed; its last words are above. To try by hand: apt-get install" $missing
    fi
    rm -f "$log"
    say "Installed."
}

# configure DIRECTORY OPTION…: sets up a meson build there, anew or with changed options. What meson
# says goes to DIRECTORY.log.
configure() {
    local directory=$1
    shift
    mkdir -p "$(dirname "$directory")" || return 1
    if [ -f "$directory/build.ninja" ]; then
        meson setup --reconfigure "$directory" "$@" >"$directory.log" 2>&1 </dev/null && return 0
    fi
    rm -rf "$directory"
    meson setup "$directory" "$@" >"$directory.log" 2>&1 </dev/null
}
