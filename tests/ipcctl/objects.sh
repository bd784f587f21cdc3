#!/bin/bash
# ls, create, describe, rm, chmod, chown, chgrp.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

test_ls_of_no_objects_is_a_head_line() {
    gives 'NAME  TYPE  SIZE  WAITING  BYTES  STATE' ls
    gives '' ls --json
    gives '' ls --names
}

test_ls_shows_each_object_on_a_line() {
    gives '' create queue jobs --maxsize 2
    gives '' create dict config --initial '{"a": 1}'
    gives '' create list log
    gives '' put jobs 1 2
    run ipcctl ls
    same "the first columns" "NAME    TYPE   SIZE  WAITING
jobs    queue     2        0
config  dict      1        0
log     list      0        0" "$(cut -c 1-28 <<<"$output" | sed 's/ *$//')"
    matches "the state of a full queue" 'jobs .* full' "$output"
}

test_ls_selects_by_pattern_and_type() {
    ipcctl create queue jobs.a
    ipcctl create queue jobs.b
    ipcctl create dict jobs.c
    gives $'jobs.a\njobs.b' ls 'jobs.*' --type queue --names
    gives 'jobs.c' ls --type=dict --names
    gives 'jobs.b' ls '*b' --names
    fails 1 'ls: .*type' ls --type nonsense
}

test_ls_goes_on_after_the_first_answer() {
    python3 -c '
import os, socket
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ["IPCD_SOCKET"])
for i in range(1200):
    daemon.sendall(b"\x94\0\xcd" + i.to_bytes(2, "big") + b"\xa9dict.open\x91\xa5" + b"d%04d" % i)
daemon.shutdown(socket.SHUT_WR)
while daemon.recv(65536):
    pass'
    same "the number of names" 1200 "$(ipcctl ls 'd*' --names | sort -u | wc -l)"
}

test_ls_long_shows_owner_mode_and_lifetime() {
    ipcctl create queue jobs --mode 0640
    shows "jobs +queue +0 .* $(id -un) \($(id -u)\) +$(id -gn) \($(id -g)\) +0640 +daemon +20[0-9-]+ [0-9:]+" ls -l
}

test_names_that_are_not_a_word_are_quoted() {
    ipcctl create queue 'my "jobs"'
    ipcctl create queue 'größer'
    ipcctl create queue '工作'
    run ipcctl ls
    same "the lines" 'NAME           TYPE
"my \"jobs\""  queue
größer         queue
工作           queue' "$(sed -E 's/ +(0 .*|SIZE.*)//' <<<"$output")"
    gives $'my "jobs"\ngrößer\n工作' ls --names
    same "the names in JSON" $'my "jobs"\ngrößer\n工作' "$(json 'r["name"]' ls)"
    gives '' put 'my "jobs"' 1
    fails 3 'get größer: the queue is empty' get größer
    fails 6 'get "no\\nsuch \\"queue\\"": ' get $'no\nsuch "queue"'
}

test_create_refuses_a_name_that_is_taken() {
    ipcctl create queue jobs --maxsize 5
    fails 1 'create jobs: .*there' create queue jobs
    fails 1 'create jobs: .*maxsize' create queue jobs --existing --maxsize 6
    fails 1 'create jobs: .*queue' create dict jobs --existing
    gives '' create queue jobs --existing --maxsize 5
}

test_create_passes_every_option_on() {
    gives '' create queue dead
    gives '' create queue jobs -m 7 --order priority --joinable --on-disconnect discard \
        --lease 1.5s --max-deliveries 3 --dead-letter dead --mode 0600 --lifetime daemon
    same "the options" \
        "7 priority True discard 1500 3 dead 384 daemon" \
        "$(json '" ".join(str(r[k]) for k in ("maxsize", "order", "joinable", "on_disconnect",
            "lease_ms", "max_deliveries", "dead_letter", "mode", "lifetime"))' describe jobs)"
    gives '' create queue other --option maxsize=3 -o 'order="lifo"'
    same "the options" "3 lifo" "$(json '"%s %s" % (r["maxsize"], r["order"])' describe other)"
    gives '' create list log --initial '[1, {"$bin": "AA=="}]'
    gives $'1\n{"$bin": "AA=="}' list slice log
    same "the name in JSON" "third" "$(json 'r["name"]' create queue third)"
}

test_create_refuses_what_is_wrong() {
    fails 2 'create jobs: --maxsize must be an integer, not "many"' create queue jobs --maxsize many
    fails 2 'create jobs: --order must be one of: fifo lifo priority, not "random"' \
        create queue jobs --order=random
    fails 2 'create jobs: --mode must be a mode' create queue jobs --mode 888
    fails 2 'create jobs: --lease must be milliseconds' create queue jobs --lease 5x
    fails 2 'create jobs: --initial is not JSON' create dict jobs --initial '{'
    fails 2 'create jobs: --option must be KEY=JSON' create queue jobs --option maxsize
    fails 2 'create jobs: .*not JSON' create queue jobs --option order=lifo
    fails 1 'create jobs: .*maxsize' create dict jobs --maxsize 5
    fails 2 'create jobs: there is no type "nonsense"; .*help create' create nonsense jobs
    fails 2 'create: the NAME is missing' create queue
    fails 2 'create: the TYPE is missing' create
}

test_numbers_that_are_too_large_are_told_how_large_they_can_be() {
    fails 2 'create jobs: --maxsize must be from -9223372036854775808 to 9223372036854775807, not' \
        create queue jobs --maxsize 9223372036854775808
    fails 2 'create jobs: --lease must be at most 1000000000000000 milliseconds, 11574074d, not' \
        create queue jobs --lease 99999999999d
    fails 2 'create jobs: --mode must be a mode in octal, from 0 to 0777, not' create queue jobs --mode 1000
    fails 2 'create jobs: --initial: 1e400 is out of range: a float goes from' \
        create list jobs --initial 1e400
    fails 2 'kill: SESSION must be from 0 to 9223372036854775807, not' kill 18446744073709551616
    ipcctl create dict d
    gives '{"$uint": "18446744073709551615"}' dict incr d n 18446744073709551615
    fails 2 'dict incr d: DELTA must be an integer from .* to 18446744073709551615, or a float' \
        dict incr d n 18446744073709551616
}

# What is advised works; where nothing can be done, nothing is advised.
test_integers_above_int64_in_json_are_shown_how_they_are_written() {
    ipcctl create list l
    fails 2 'list append l: .* is written \{"\$uint": "18446744073709551615"\}; see' \
        list append l '[1, 18446744073709551615]'
    gives '' list append l '[1, {"$uint": "18446744073709551615"}]'
    fails 2 'list append l: 18446744073709551616 is out of range: an integer goes from .* to' \
        list append l 18446744073709551616
    fails 2 'list append l: -9223372036854775809 is out of range' \
        list append l '{"a": -9223372036854775809}'
    gives '[1, {"$uint": "18446744073709551615"}]' list slice l
}

test_characters_that_are_not_seen_are_shown_escaped() {
    local name=$'user\u202egpj.\u200bexe'
    ipcctl create queue "$name"
    shows '"user\\u202egpj\.\\u200bexe"' ls
    shows '^"user\\u202egpj\.\\u200bexe": queue' describe "$name"
    shows '"name": "user\\u202egpj\.\\u200bexe"' --json ls
    same "the name in JSON" "$name" "$(json 'r["name"]' ls)"
    gives "$name" ls --names
    fails 6 'get a\\u2066b: .*"a\\u2066b"|get "a\\u2066b": .*"a\\u2066b"' get $'a\u2066b'
}

test_rm_deletes_and_reports_what_is_not_there() {
    ipcctl create queue a
    ipcctl create dict b
    gives '' rm a b
    gives '' ls --names
    ipcctl create queue c
    fails 6 'rm: .*"a"' rm a c
    gives '' ls --names
    gives '' rm -f a b c
}

test_create_gives_the_group() {
    local name
    name=$(id -gn)
    gives '' create queue jobs --group "$name"
    same "the group" "$(id -g)" "$(json 'r["group"]' describe jobs)"
    gives '' create queue jobs --existing --group "$(id -g)"
    fails 1 'create jobs: .* another --group' create queue jobs --existing --group 4294967294
    fails 2 'create jobs: --group must be a group that there is, or a number, not "no group"' \
        create queue jobs --group 'no group'
    fails 2 'create jobs: --group must be a group .*"4294967295"' create queue jobs --group 4294967295
    fails 2 'create jobs: --group must be a group .*"-1"' create queue jobs --group=-1
}

test_chown_and_chgrp_give_an_object_away() {
    local user group
    user=$(id -un) group=$(id -gn)
    ipcctl create queue jobs
    gives '' chgrp "$group" jobs
    gives '' chgrp "$(id -g)" jobs
    gives '' chown "$user" jobs
    gives '' chown ":$group" jobs
    gives '' chown "$user:$group" jobs
    gives '' chown "$(id -u):$(id -g)" jobs
    fails 2 'chown: OWNER must be USER, USER:GROUP or :GROUP, .*, not "no:body"' chown no:body jobs
    for wrong in '' ':' "$user:" "$user:$group:" "$user:x y" 4294967295 ":-1"; do
        fails 2 'chown: OWNER must be USER' chown "$wrong" jobs
    done
    fails 2 'chgrp: GROUP must be a group' chgrp 'no group' jobs
    fails 2 'chgrp: the NAME is missing' chgrp "$group"
    fails 6 'chgrp: .*"none"' chgrp "$group" none
    ipcctl create queue other --mode 0600
    fails 6 'chgrp: .*"none"' chgrp "$group" jobs none other
    if [ "$(id -u)" -eq 0 ]; then
        gives '' chown 4001:4002 other jobs
        same "the owner" "4001 4002" "$(json '"%d %d" % (r["owner"], r["group"])' describe other)"
        same "the owner" "4001 4002" "$(json '"%d %d" % (r["owner"], r["group"])' describe jobs)"
        gives '' chown :4003 jobs
        gives '' chown 4004 jobs
        same "the owner" "4004 4003" "$(json '"%d %d" % (r["owner"], r["group"])' describe jobs)"
    else
        fails 1 'chown: only root' chown 0 jobs
    fi
}

test_rename_gives_another_name() {
    ipcctl create queue jobs
    ipcctl create queue other
    ipcctl put jobs 1
    gives '' rename jobs 'new name'
    gives 1 get 'new name'
    fails 6 'get jobs: there is no object "jobs"' get jobs
    fails 1 'rename "new name": "other" is there already' rename 'new name' other
    fails 1 'rename other: names that begin with #' rename other '#5'
    fails 6 'rename jobs: .*"jobs"' rename jobs x
}

test_chmod_sets_the_mode() {
    ipcctl create queue jobs
    gives '' chmod 0604 jobs
    same "the mode" 388 "$(json 'r["mode"]' describe jobs)"
    fails 2 'chmod: MODE must be a mode in octal, from 0 to 0777, not "rw"' chmod rw jobs
    fails 6 'chmod: .*"nope"' chmod 0600 nope
}

test_describe_shows_figures_options_and_their_meaning() {
    ipcctl create queue jobs --joinable --maxsize 2 --lease 90s
    ipcctl put jobs 1 2
    run ipcctl describe jobs
    matches "the title" '^jobs: joinable queue' "$output"
    matches "the size" $'\n  size +2\n' "$output"
    matches "the lease" $'\n  lease_ms +1m30s\n' "$output"
    matches "the owner" $'\n  owner +'"$(id -un) "'\(0*[0-9]+\)'$'\n' "$output"
    matches "the age" $'\n  created +[0-9-]+ [0-9:]+ \([0-9.]+m?s ago\)\n' "$output"
    matches "the meaning" $'\nThat means:\n  It is full: puts wait until somebody gets.\n' "$output"
    ipcctl shutdown jobs
    shows 'It is shut down: puts fail' describe jobs
    ipcctl create queue later
    ipcctl put later 1 --delay 1d
    shows '1 item is delayed: no get can have it yet' describe later
    ipcctl put later 1 --delay 1d
    shows '2 items are delayed: no get can have them yet' describe later
}

test_describe_shows_who_waits_and_who_holds() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs 1 2
    "$IPCCTL" get jobs --count 3 --wait --timeout 1h >"$scratch/got" &
    local getter=$!
    await has jobs waiting 1
    run ipcctl describe jobs
    matches "the one that waits" \
        "Waiting \(1\):
SESSION +PID +PROGRAM +CLIENT +IN +FOR +TIMEOUT
 +[0-9]+ +$getter +ipcctl +ipcctl [0-9.]+ +queue.get +[0-9.]+m?s +1h0m" "$output"
    matches "the one that holds" \
        "Holding tickets \(1\):
SESSION +PID +PROGRAM +CLIENT +FOR +TICKETS
 +[0-9]+ +$getter +ipcctl +ipcctl [0-9.]+ +[0-9.]+m?s +2" "$output"
    matches "the meaning" '2 items are taken and not done: join waits for them' "$output"
    ipcctl create queue other
    run ipcctl describe other
    [[ $output != *Waiting* && $output != *Holding* ]] || fail "another queue has the claims too"
    same "the same in JSON" "$getter queue.get 3600000 $getter 2 ipcctl" "$(json \
        '"{pid} {method} {timeout_ms} ".format(**r["waits"][0]) + \
            "{pid} {tickets} {program}".format(**r["holds"][0])' describe jobs)"
    kill "$getter"
    wait "$getter" || true
    await has jobs taken 0
    same "the claims afterwards" "[] []" "$(json '"%s %s" % (r["waits"], r["holds"])' describe jobs)"
}

test_describe_takes_several_names() {
    ipcctl create queue a
    ipcctl create dict b
    shows $'^a: queue\n.*\n\nb: dict\n' describe a b
    run ipcctl describe a nope b
    same "the status" 6 "$status"
    matches "the others" $'^a: queue\n.*\n\nb: dict\n' "$output"
}

run_tests
