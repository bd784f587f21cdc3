#!/bin/bash
# namespace, lock, semaphore, condition, event, barrier, value, array.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# session_of PID: its number.
session_of() {
    json "r['session'] if r['pid'] == $1 else ''" sessions | grep .
}

test_create_passes_the_options_of_each_type() {
    gives '' create lock l --recursive --on-disconnect keep --release-by anyone
    same "the lock's options" "True keep anyone" \
        "$(json '"{recursive} {on_disconnect} {release_by}".format(**r)' describe l)"
    gives '' create semaphore s --value 3 --bounded --on-disconnect release
    same "the semaphore's options" "3 True release" \
        "$(json '"{initial} {bounded} {on_disconnect}".format(**r)' describe s)"
    gives '' create condition c --lock l
    same "the condition's lock" "l" "$(json 'r["lock"]' describe c)"
    gives '' create barrier b --parties 3 --default-timeout 5s
    same "the barrier's options" "3 5000" "$(json '"{parties} {timeout}".format(**r)' describe b)"
    shows $'\n  timeout +5.0s$' barrier show b
    gives '' create pipe p --no-duplex
    same "the pipe's options" False "$(json 'r["duplex"]' describe p)"
    gives '' create value v --typecode q --initial 5
    gives 5 value get v
    gives '' create array a --typecode d --size 3
    gives $'0.0\n0.0\n0.0' array slice a
    gives '' create event e
    gives '' create namespace n --initial '{"a": 1}'
    fails 1 'create m: --on-disconnect must be' create lock m --on-disconnect requeue
    fails 1 'create m: .*parties' create barrier m
    fails 2 'create m: --release-by must be one of' create lock m --release-by nobody
    fails 6 'create m: .*"x"' create condition m --lock x
}

test_namespace_keys_are_text() {
    ipcctl create namespace n --initial '{"a": 1}'
    gives '' namespace set n 5 '[2]'
    gives '' namespace set n true yes --text
    gives '1' namespace get n a
    gives '[2]' namespace get n 5
    gives 'yes' namespace get n true --raw
    gives $'"a"\n"5"\n"true"' namespace keys n
    gives $'"a": 1\n"5": [2]\n"true": "yes"' namespace items n
    gives '{"a": 1, "5": [2], "true": "yes"}' namespace copy n
    gives '4' namespace incr n a 3
    gives '[2]' namespace pop n 5
    gives 'false' namespace contains n 5
    gives '' namespace del n true
    gives '' namespace update n '{"b": 2}'
    gives '2' namespace wait n b
    fails 5 'namespace wait n: the time ran out' namespace wait n c --timeout 0
    fails 6 'namespace get n: .*"c"' namespace get n c
    fails 6 "namespace get nope: .*; 'ipcctl create namespace' makes one" namespace get nope c
    gives '' namespace clear n
    gives '{}' namespace copy n
}

test_lock_shows_its_holder_and_its_waiters_in_order() {
    local first second
    ipcctl create lock l
    shows $'\nThat means:\n  Nobody holds it.\n' lock show l
    hold l
    "$IPCCTL" run --lock l -- true &
    first=$!
    await has l waiting 1
    "$IPCCTL" --timeout 1h run --lock l -- true &
    second=$!
    await has l waiting 2
    run ipcctl lock show l
    matches "what it means" $'\nThat means:
  It is held by session [0-9]+, pid '"$holder"$' \\(ipcctl\\), for [0-9.]+m?s\\.\n' "$output"
    matches "the holder" $'\nHolding the lock \\(1\\):
SESSION +PID +PROGRAM +CLIENT +FOR +DEPTH +OWNER
 +[0-9]+ +'"$holder"' +ipcctl +ipcctl run bash +[0-9.]+m?s +1 +-'$'\n' "$output"
    matches "the waiters" $'\nWaiting \\(2\\):
SESSION +PID +PROGRAM +CLIENT +IN +FOR +TIMEOUT
 +[0-9]+ +'"$first"' +ipcctl +ipcctl run true +lock.acquire +[0-9.]+m?s +none
 +[0-9]+ +'"$second"' +ipcctl +ipcctl run true +lock.acquire +[0-9.]+m?s +1h0m'$'\n' "$output"
    same "in JSON" "$holder $first $second ipcctl" "$(json '" ".join(
        str(c["pid"]) for c in r["holds"] + r["waits"]) + " " + r["holds"][0]["program"]' lock show l)"
    shows $'\nHolds:\n  the lock l for [0-9.]+m?s' sessions "$(session_of "$holder")"
    shows 'l +lock +- +2 +0 +held' ls
    kill "$holder"
    wait "$first"
    wait "$second"
}

test_lock_ls_is_the_locks_and_who_holds_them() {
    ipcctl create lock free
    ipcctl create lock taken
    ipcctl create lock kept --on-disconnect keep
    ipcctl create event other
    gives '{"depth": 1, "abandoned": false}' call lock.acquire '"kept"' null 5
    hold taken
    run ipcctl lock ls
    same "the lines" 4 "$(wc -l <<<"$output")"
    matches "the head" '^LOCK +SESSION +PID +PROGRAM +CLIENT +FOR +DEPTH +WAITING +STATE' "$output"
    matches "a free one" $'\nfree +- +- +- +- +- +0 +0 *\n' "$output"
    matches "a held one" \
        $'\ntaken +[0-9]+ +'"$holder"$' +ipcctl +ipcctl run bash +[0-9.]+m?s +1 +0 +held\n' "$output"
    matches "one whose holder is gone" $'\nkept +[0-9]+ +- +- +- +[0-9.]+m?s +1 +0 +held$' "$output"
    shows $'^LOCK[^\n]*\ntaken [^\n]*$' lock ls 't*'
    same "in JSON" $'free None -\ntaken '"$holder"$' ipcctl\nkept None -' \
        "$(json '"{name} {pid} {program}".format(**r)' lock ls)"
}

test_lock_of_a_killed_holder_is_abandoned() {
    ipcctl create lock l
    hold l
    kill -9 "$holder"
    await has l depth 0
    shows $'\nThat means:\n  Nobody holds it.\n  Its last holder died, or it was taken' lock show l
    shows 'l +lock +- +0 +0 +abandoned' ls
}

test_lock_break_wakes_the_next_who_waits() {
    local next
    ipcctl create lock l
    hold l
    "$IPCCTL" run --lock l -- echo mine >"$scratch/got" 2>"$scratch/says" &
    next=$!
    await has l waiting 1
    shows "^l: taken from session [0-9]+, pid $holder \(ipcctl\)$" lock break l
    wait "$next"
    same "what the next one did" mine "$(<"$scratch/got")"
    matches "what it was told" 'run: "l" was abandoned' "$(<"$scratch/says")"
    gives 'l: nobody held it' lock break l
    has_ended "$command" && fail "the holder's command has been ended"
    kill "$holder"
    run wait "$holder"
    same "the status of the old holder" 143 "$status"
    matches "what it was told" 'run: "l" was lost while the command ran: ' \
        "$(<"$scratch/holder.says")"
    fails 6 'lock break nope: .*' lock break nope
    hold l
    same "in JSON" "None 1" "$(json '"{owner} {depth}".format(**r)' lock break l)"
    gives null lock break l --json
}

test_lock_that_a_session_left_is_shown_and_broken() {
    ipcctl create lock l --on-disconnect keep
    ipcctl call lock.acquire '"l"' >"$scratch/got"
    shows $'\n  Session [0-9]+ held it and has ended: .*\(ipcctl lock break l\)' lock show l
    shows '^l: taken from session [0-9]+, which has ended$' lock break l
    gives false call lock.locked '"l"'
}

test_lock_release_is_for_locks_that_anyone_may_release() {
    ipcctl create lock l --on-disconnect keep --release-by anyone
    ipcctl call lock.acquire '"l"' >"$scratch/got"
    gives '' lock release l
    gives false call lock.locked '"l"'
    ipcctl create lock m
    hold m
    fails 1 "lock release m: .*; 'ipcctl lock break' takes it from its holder" lock release m
}

test_show_refuses_other_types() {
    ipcctl create event e
    fails 1 'lock show: "e" is of type event, not lock' lock show e
    fails 6 'lock show: .*"nope"' lock show nope
}

test_semaphore_shows_and_gives_back_permits() {
    ipcctl create semaphore s --value 3 --bounded
    "$IPCCTL" run --semaphore s -n 3 -- sleep 1000 &
    local user=$!
    await has s held 3
    run ipcctl semaphore show s
    matches "what it means" 'No permits are left: acquire waits until somebody releases' "$output"
    matches "the holder" $'\nHolding permits \\(1\\):
SESSION +PID +PROGRAM +CLIENT +FOR +PERMITS
 +[0-9]+ +'"$user"' +ipcctl +ipcctl run sleep +[0-9.]+m?s +3'$'\n' "$output"
    shows 's +semaphore +- +0 +0 +none left' ls
    shows $'\n  3 permits of the semaphore s for ' sessions "$(session_of "$user")"
    gives 2 semaphore release s 2
    fails 1 'semaphore release s: .*too many' semaphore release s 2
    kill -9 "$user"
    await has s held 0
    gives 3 call semaphore.value '"s"'
    ipcctl create semaphore kept --value 2
    ipcctl call semaphore.acquire '"kept"' null 2 >"$scratch/got"
    shows $'  2 of the permits .* were taken by sessions that have ended
  \\(ipcctl semaphore release kept 2 gives them back\\)' semaphore show kept
    gives 2 semaphore release kept 2
}

# sleeper CONDITION COUNT [release]: a session with so many calls that wait to be notified, and then
# hold the lock, or release it.
sleeper() {
    python3 -c '
import os, socket, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ["IPCD_SOCKET"])
name = sys.argv[1].encode()
param = bytes([0xa0 + len(name)]) + name
for i in range(int(sys.argv[2])):
    owner = b"\xc0" + bytes([i])
    daemon.sendall(b"\x94\0" + bytes([2 * i]) + b"\xb1condition.acquire\x93" + param + owner)
    daemon.sendall(b"\x94\0" + bytes([2 * i + 1]) + b"\xaecondition.wait\x93" + param + owner)
while answer := daemon.recv(4096):
    for i in range(int(sys.argv[2]) if len(sys.argv) > 3 and b"\xc0\xc3" in answer else 0):
        daemon.sendall(b"\x93\2\xb1condition.release\x92" + param + bytes([i]))
' "$@" &
    waiter=$!
    await has "$1" sleepers "$2"
}

test_condition_shows_its_lock_and_notifies() {
    ipcctl create lock l
    ipcctl create condition c --lock l
    sleeper c 3 release
    hold l
    run ipcctl condition show c
    matches "who sleeps" $'  3 calls wait until somebody notifies\\.\n' "$output"
    matches "the sleepers" $'\nWaiting \\(3\\):\n.*'"$waiter"' +python3.* +- +condition.wait' "$output"
    matches "its lock" $'\n\nl: lock\n.*\nHolding the lock \\(1\\):\n.*'"$holder"' +ipcctl' "$output"
    fails 5 'condition notify c: the time ran out' condition notify c --timeout 10ms
    kill "$holder"
    await has l depth 0
    gives 1 condition notify c
    gives 2 condition notify c 5
    gives 0 condition notify-all c
    hold l
    kill -9 "$holder"
    await has l depth 0
    run ipcctl condition notify c
    same "the output" 0 "$output"
    matches "what it says" '^ipcctl: condition notify c: its lock was abandoned' "$errors"
}

test_condition_with_a_lock_of_its_own_shows_who_holds_it() {
    ipcctl create condition c
    shows 'Nobody holds its lock' condition show c
    sleeper c 1
    gives 1 condition notify-all c
    await is_held c
    shows "It is held by session [0-9]+, pid $waiter \(python3[^)]*\), for" condition show c
    kill "$waiter"
}

test_event_is_set_cleared_and_waited_for() {
    ipcctl create event e
    shows 'It is clear' event show e
    gives false event is-set e
    fails 5 'event wait e: the time ran out' event wait e --timeout 20ms
    "$IPCCTL" event wait e &
    local waiter=$!
    await has e waiting 1
    shows "Waiting \(1\):.*$waiter +ipcctl +ipcctl [0-9.]+ +event.wait" event show e
    gives '' event set e
    wait "$waiter"
    gives true event is-set e
    gives true event wait e --json
    shows 'e +event +- +0 +0 +set' ls
    shows 'It is set' event show e
    gives '' event clear e
    gives false event is-set e
}

test_barrier_shows_who_has_come_and_is_broken_and_reset() {
    ipcctl create barrier b --parties 2
    "$IPCCTL" barrier wait b >"$scratch/got" &
    local first=$!
    await has b waiting 1
    run ipcctl barrier show b
    matches "what it means" '1 of 2 parties have come' "$output"
    matches "who" "Waiting \(1\):.*$first +ipcctl +ipcctl [0-9.]+ +barrier.wait" "$output"
    gives 1 barrier wait b
    wait "$first"
    same "the first one's index" 0 "$(<"$scratch/got")"
    "$IPCCTL" barrier wait b 2>"$scratch/says" &
    first=$!
    await has b waiting 1
    gives '' barrier abort b
    run wait "$first"
    same "the status of the one that waited" 1 "$status"
    matches "what it says" '^ipcctl: barrier wait b: .*broken' "$(<"$scratch/says")"
    fails 1 'barrier wait b: .*broken' barrier wait b
    shows 'It is broken: .*\(ipcctl barrier reset b\)' barrier show b
    shows 'b +barrier +- +0 +0 +broken' ls
    gives '' barrier reset b
    "$IPCCTL" barrier wait b 2>"$scratch/says" &
    first=$!
    await has b waiting 1
    kill -9 "$first"
    shows 'It is broken' barrier show b
}

test_numbers_in_shared_memory_are_read_and_changed() {
    ipcctl create value v --typecode i --initial 5
    gives 12 value add v 7
    gives 9 value add v -- -3
    gives '' value set v 2
    gives 2 value get v
    fails 1 'value set v: typecode i holds a signed integer of 32 bits' value set v 3000000000
    fails 1 'value set v: .*1.5' value set v 1.5
    gives 2 value get v
    ipcctl create array a --typecode d --initial '[1, 2, 3.5]'
    gives 3 array len a
    gives 3.5 array get a -1
    gives '' array set a 0 0.25
    gives 2.25 array add a 0 2
    gives $'2.25\n2.0' array slice a 0 2
    gives '' array set-slice a 1 '[8, 9]'
    gives $'2.25\n8.0\n9.0' array slice a
    fails 6 'array get a: index 3 is out of range' array get a 3
    fails 1 'array set-slice a: ' array set-slice a 2 '[8, 9]'
}

run_tests
