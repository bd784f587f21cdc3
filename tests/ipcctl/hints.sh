#!/bin/bash
# What ipcctl says when something is not there or not right: in the words of the command line, with
# what may have been meant, whose it is, and which daemon was asked.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

test_commands_options_methods_and_types_that_were_mistyped() {
    fails 2 'there is no command "descrbie" \(did you mean describe\?\); see' descrbie
    fails 2 'there is no command "dcit" \(did you mean dict\?\); see' dcit get
    fails 2 'there is no command "dict gte" \(did you mean dict get\?\); see' dict gte
    fails 2 'there is no command "nonsense"; see' nonsense
    fails 2 'get q: there is no option --rwa \(did you mean --raw\?\); see' get q --rwa
    fails 2 'there is no option --sokcet \(did you mean --socket\?\); see' --sokcet=x
    fails 2 'create x: there is no type "queu" \(did you mean queue\?\); see' create queu x
    fails 1 'ls: there is no type of that name \(did you mean queue\?\)$' ls --type queu
    fails 6 'call: the daemon has no method "queue.gett" \(did you mean queue.get\?\); ' call queue.gett
    fails 6 'methods: the daemon has no method "list.sotr" \(did you mean list.sort\?\); ' methods list.sotr
    fails 6 'help: there is no command and no method "quue.get" \(did you mean queue.get\?\)$' help quue.get
    fails 6 'help: there is no command and no method "sessiosn" \(did you mean sessions\?\)$' help sessiosn
    fails 6 'help: there is no command and no method "list sotr" \(did you mean list sort\?\)$' help list sotr
}

test_an_unknown_method_is_not_found_wherever_it_is_named() {
    fails 6 'call: the daemon has no method "no.such"; .ipcctl methods. lists' call no.such
    fails 6 'methods: the daemon has no method "no.such"; .ipcctl methods. lists' methods no.such
    fails 6 'help: there is no command and no method "no.such"$' help no.such
}

test_names_that_are_near_one_that_is_there() {
    ipcctl create queue jobs
    ipcctl create dict jobz
    fails 6 'get jbs: there is no object "jbs" \(did you mean "jobs"\?\)$' get jbs
    fails 6 'dict get jbz: there is no object "jbz" \(did you mean "jobz"\?\)$' dict get jbz k
    fails 6 'describe: there is no object "jobx" \(did you mean "jobs"\?\)$' describe jobx
    fails 6 'rm: there is no object "jobsx" \(did you mean "jobs"\?\)$' rm jobsx
    fails 6 'call: .*there is no object "jbos" \(did you mean "jobs"\?\)$' call queue.get '"jbos"'
    fails 6 "get mail: there is no object \"mail\"; 'ipcctl create queue' makes one\$" get mail
    fails 6 'rm: there is no object "a\\"b"$' rm 'a"b'
}

test_options_of_objects_are_those_of_the_command_line() {
    ipcctl create queue q --maxsize 5
    fails 1 'create v: a new value needs --typecode, one of' create value v
    fails 1 "create q: \"q\" is there with another --maxsize; 'ipcctl describe' shows" \
        create queue q --maxsize 6 --existing
    fails 1 'create d: --maxsize is no option; there are .*--initial' create dict d --maxsize 5
    fails 1 'create d: "maxsiz" is no option; there are .*--initial' create dict d -o maxsiz=5
    fails 1 'create j: --lease is for queues with --joinable$' create queue j --lease 5s
    fails 1 'create a: a new array needs --size or --initial' create array a --typecode d
    fails 6 'create c: there is no object "nope"; --lock must be the name' create condition c --lock nope
    fails 1 'call: value.open: a new value needs option typecode' call value.open '"v"'
}

test_users_and_groups_stand_with_name_and_number() {
    local user group
    user="$(id -un) \($(id -u)\)"
    group="$(id -gn) \($(id -g)\)"
    ipcctl create queue q
    shows "owner +$user"$'\n'" +group +$group" describe q
    shows "q .* $user +$group +0660" ls -l
    shows " $user " sessions
    same "in JSON" "$(id -un) $(id -gn)" "$(json '"{owner_name} {group_name}".format(**r)' describe q)"
    same "in JSON" "$(id -un) $(id -gn)" "$(json '"{owner_name} {group_name}".format(**r)' ls)"
    same "in JSON" "$(id -un) $(id -gn)" "$(json '"{user} {group_name}".format(**r)' sessions)"
}

# daemon_at SOCKET: a daemon that ends with the test.
daemon_at() {
    "$IPCD" --socket="$1" 2>>"$scratch/daemons" &
    await test -S "$1"
}

# Run where /run is a folder of one's own: a user's daemon and the system's.
two_daemons() {
    unset IPCD_SOCKET
    export XDG_RUNTIME_DIR=$scratch/user
    mkdir -p "$XDG_RUNTIME_DIR/ipcd" /run/ipcd
    daemon_at "$XDG_RUNTIME_DIR/ipcd/ipcd.sock"
    fails 6 'get mail: there is no object "mail"; .ipcctl create queue. makes one$' get mail
    daemon_at /run/ipcd/ipcd.sock
    fails 6 "get mail: there is no object \"mail\"; asked was the user's daemon \\($XDG_RUNTIME_DIR/ipcd/ipcd.sock\\), and the system's \\(--socket=/run/ipcd/ipcd.sock\\) has none either; 'ipcctl create" get mail
    ipcctl --socket=/run/ipcd/ipcd.sock create queue mail
    fails 6 "get mail: there .*, and the system's \\(--socket=/run/ipcd/ipcd.sock\\) has one\$" get mail
    fails 6 "rm: there .*, and the system's \\(--socket=/run/ipcd/ipcd.sock\\) has one\$" rm mail
    ipcctl create queue jobs
    fails 6 "get jobs: .*; asked was the system's daemon \\(/run/ipcd/ipcd.sock\\), and the user's \\(--socket=$XDG_RUNTIME_DIR/ipcd/ipcd.sock\\) has one\$" \
        get jobs --socket=/run/ipcd/ipcd.sock
}

test_another_daemon_that_has_the_name_is_told() {
    if ! unshare --user --map-root-user --mount mount -t tmpfs none /run 2>/dev/null; then
        echo "skipped: no folder of one's own can be mounted at /run"
        return 0
    fi
    export -f two_daemons daemon_at fails run same matches fail ipcctl await
    export scratch IPCCTL IPCD
    unshare --user --map-root-user --mount bash -c \
        'set -eu; mount -t tmpfs none /run; trap "kill \$(jobs -p)" EXIT; two_daemons'
}

run_tests
