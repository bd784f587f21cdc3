#!/bin/bash
# ipcctl watch with names: the events of objects, a line for each.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# follow NUMBER ARGUMENT…: starts ipcctl watch; it has sent that many requests, its greeting among
# them. Its output goes to $scratch/events, its process is $follower.
follow() {
    local calls=$1
    shift
    env --default-signal=INT "$IPCCTL" "$@" >"$scratch/events" 2>"$scratch/complaints" &
    follower=$!
    await follows "$calls"
}

follows() {
    [ "$(json 'r["calls"] if r["pid"] == '"$follower"' else ""' sessions | grep .)" = "$1" ]
}

# ends_with STATUS: the one that was started ends, and so.
ends_with() {
    local status=0
    wait "$follower" || status=$?
    same "the exit status" "$1" "$status"
}

# The lines without their times, which must be there.
told() {
    grep -Evq '^20[0-9-]{8}T[0-9:]{8}(\.[0-9]{3})?Z ' "$scratch/events" && fail "a line has no time"
    cut -d ' ' -f 2- "$scratch/events"
}

test_events_are_printed_until_the_object_is_deleted() {
    ipcctl create queue jobs
    follow 2 watch jobs
    ipcctl put jobs 1 2
    ipcctl get jobs >"$scratch/got"
    ipcctl rm jobs
    ends_with 0
    same "the lines" 'jobs put {"size": 1}
jobs put {"size": 2}
jobs get {"size": 1, "ticket": 0}
jobs deleted {}' "$(told)"
    same "the errors" '' "$(<"$scratch/complaints")"
}

test_events_of_several_objects_come_in_their_order() {
    ipcctl create dict config
    ipcctl create queue 'two words'
    follow 3 watch config 'two words' config
    ipcctl dict set config colour 5
    ipcctl put 'two words' 1
    ipcctl rm config
    ipcctl put 'two words' 1
    ipcctl rm 'two words'
    ends_with 0
    same "the lines" 'config set {"key": "colour"}
"two words" put {"size": 1}
config deleted {}
"two words" put {"size": 2}
"two words" deleted {}' "$(told)"
}

test_events_that_were_chosen_are_counted() {
    ipcctl create queue jobs
    follow 2 watch jobs --events=get,clear --count 2
    ipcctl put jobs 1 2
    ipcctl get jobs >"$scratch/got"
    ipcctl purge jobs >"$scratch/got"
    ends_with 0
    same "the lines" 'jobs get {"size": 1, "ticket": 0}
jobs clear {"count": 1}' "$(told)"
    follow 2 watch jobs -e get -n 1
    ipcctl rm jobs
    ends_with 0
}

test_fewer_events_than_were_asked_for_are_a_failure() {
    ipcctl create queue jobs
    follow 2 watch jobs -e get -n 2
    ipcctl rm jobs
    ends_with 6
}

test_events_in_json_are_an_object_for_each() {
    ipcctl create queue jobs
    follow 2 --json watch jobs --count 1
    ipcctl put jobs 1
    ends_with 0
    same "the record" "jobs put 1 ['\$timestamp']" "$(python3 -c '
import json, sys
r = json.loads(sys.stdin.read())
print(r["object"], r["event"], r["detail"]["size"], list(r["time"]))' <"$scratch/events")"
}

test_watching_ends_cleanly_with_a_signal() {
    local signal
    ipcctl create queue jobs
    for signal in INT TERM; do
        follow 2 watch jobs
        ipcctl put jobs 1
        await grep -q put "$scratch/events"
        kill -s "$signal" "$follower"
        ends_with 0
        same "the errors" '' "$(<"$scratch/complaints")"
    done
}

test_watching_ends_when_the_time_is_over() {
    ipcctl create queue jobs
    fails 5 'watch: the time ran out$' watch jobs --timeout 30ms
}

test_watching_ends_when_the_right_is_taken() {
    ipcctl create queue jobs
    [ "$(id -u)" = 0 ] || return 0
    ipcctl chmod 664 jobs
    chmod 755 "$(dirname "$IPCD_SOCKET")"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$IPCCTL" watch jobs \
        >"$scratch/events" 2>"$scratch/complaints" &
    follower=$!
    await any_follower
    ipcctl chmod 660 jobs
    ends_with 1
    same "the lines" 'jobs denied {}' "$(told)"
}

any_follower() {
    json 'r["uid"] == 65534 and r["calls"] == 2' sessions | grep -q True
}

test_what_cannot_be_watched_is_an_error() {
    ipcctl create dict config
    fails 6 'watch: there is no object "jobs"$' watch jobs
    fails 6 'watch: there is no object "j\*"; patterns are for queues, with --glob$' watch 'j*'
    fails 1 'watch: .*a dict has no event "put"; it has clear, set, delete$' watch config -e put
    fails 2 'watch: .*names of events with commas between' watch config -e set,,clear
    fails 2 'watch: .*not "nothing"' watch config -e nothing
    fails 2 'watch: --interval is for the table' watch config -i 1s
    fails 2 'watch: --glob is for the table' watch config --glob 'c*'
    fails 2 'watch: --events is for objects that are named' watch -e put
}

test_watch_follows_an_object_to_its_new_name() {
    ipcctl create queue jobs
    follow 2 watch jobs --events=put --count 2
    ipcctl rename jobs mail
    ipcctl put mail 1
    ends_with 0
    same "the lines" 'jobs renamed {"name": "mail"}
mail put {"size": 1}' "$(told)"
}

run_tests
