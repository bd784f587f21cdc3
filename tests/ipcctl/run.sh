#!/bin/bash
# run: a command under a lock, however it ends.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# ends STATUS ARGUMENT…: ipcctl exits with that status.
ends() {
    local wanted=$1
    shift
    run ipcctl "$@"
    same "the status of 'ipcctl $*'" "$wanted" "$status"
}

# ended PID STATUS: waits for a process of this shell.
ended() {
    run wait "$1"
    same "the status of process $1" "$2" "$status"
}

session_of() {
    json "r['session'] if r['pid'] == $1 else ''" sessions | grep .
}

test_the_lock_is_held_while_the_command_runs() {
    ipcctl create lock l
    gives true run --lock l -- "$IPCCTL" call lock.locked '"l"'
    gives false call lock.locked '"l"'
    same "whether it was abandoned" False "$(json 'r["abandoned"]' describe l)"
}

test_the_status_is_the_commands_and_the_lock_is_given_back() {
    ipcctl create lock l
    ends 0 run --lock l -- true
    ends 3 run --lock l -- sh -c 'exit 3'
    ends 137 run --lock l -- sh -c 'kill -9 $$'
    ends 143 run --lock l -- sh -c 'kill -15 $$'
    same "what is said" '' "$errors"
    gives false call lock.locked '"l"'
    same "whether it was abandoned" False "$(json 'r["abandoned"]' describe l)"
}

test_a_command_that_cannot_be_run_is_said_so() {
    ipcctl create lock l
    fails 127 'run: cannot run "no-such-command": No such file' run --lock l -- no-such-command
    fails 126 'run: cannot run "/": Permission denied' run --lock l -- /
    fails 125 'run: there is no object "nope"; --create makes it' run --lock nope -- true
    ipcctl create event e
    fails 125 'run: .*event' run --lock e -- true
    fails 125 'run: .*nobody: .*start it with' run --socket "$scratch/nobody" --lock l -- true
    gives false call lock.locked '"l"'
}

test_a_wrong_command_line_runs_nothing() {
    fails 125 'run: give either --lock=LOCK or --semaphore=SEMAPHORE' run -- touch "$scratch/ran"
    fails 125 'run: give either' run --lock l --semaphore s touch "$scratch/ran"
    fails 125 'run: --count is for --semaphore' run --lock l -n 2 touch "$scratch/ran"
    fails 125 'run: --create is for --lock' run --create --semaphore s touch "$scratch/ran"
    fails 125 'run: the COMMAND is missing' run --lock l
    fails 125 'run: there is no option --bogus' run --bogus touch "$scratch/ran"
    fails 125 'run: --conflict-exit-code must be from 0 to 255' run --lock l -E 256 touch \
        "$scratch/ran"
    [ ! -e "$scratch/ran" ] || fail "the command was run"
}

test_create_makes_the_lock() {
    gives 'mine' run --create --lock l -- echo mine
    gives 'mine' run -c --lock l -- echo mine
    gives l ls --type lock --names
}

test_options_behind_the_command_are_its_own() {
    ipcctl create lock l
    gives '--lock -n --json' run --lock l echo --lock -n --json
    gives '-- x' run --lock l echo -- x
    gives '-n' run --lock l -- printf '%s\n' -n
}

test_a_lock_that_is_not_to_be_had_in_time() {
    ipcctl create lock l
    hold l
    fails 124 'run: "l" was not to be had in time' run --lock l -T 0 -- touch "$scratch/ran"
    fails 124 'run: "l" was not to be had in time' run --lock l -T 30ms -- touch "$scratch/ran"
    fails 7 'run: "l" was not' run --lock l -T 0 -E 7 -- touch "$scratch/ran"
    ends 0 run --lock l -T 0 -E 0 -- touch "$scratch/ran"
    [ ! -e "$scratch/ran" ] || fail "the command was run"
}

test_standard_input_and_output_are_the_commands_and_nothing_else() {
    ipcctl create lock l
    same "what comes out" hello "$(echo hello | ipcctl run --lock l -- cat)"
    same "the descriptors" "$(bash -c 'ls /proc/$$/fd; true')" \
        "$("$IPCCTL" run --lock l -- bash -c 'ls /proc/$$/fd; true')"
    same "the signals blocked" "$(grep SigBlk /proc/self/status)" \
        "$("$IPCCTL" run --lock l -- grep SigBlk /proc/self/status)"
}

test_signals_are_passed_on() {
    local signal
    ipcctl create lock l
    for signal in TERM INT HUP USR1; do
        rm -f "$scratch/ready"
        setsid "$IPCCTL" run --lock l -- python3 -c '
import signal, sys
number = getattr(signal, "SIG" + sys.argv[1])
signal.signal(number, lambda *_: sys.exit(9))
open(sys.argv[2], "w").close()
while True:
    signal.pause()' "$signal" "$scratch/ready" &
        local runner=$!
        await test -e "$scratch/ready"
        kill -s "$signal" "$runner"
        ended "$runner" 9
        gives false call lock.locked '"l"'
    done
}

test_a_killed_ipcctl_gives_the_lock_back_and_the_command_ends() {
    ipcctl create lock l
    hold l
    local victim=$command
    "$IPCCTL" run --lock l -- echo mine >"$scratch/got" 2>"$scratch/says" &
    local next=$!
    await has l waiting 1
    kill -9 "$holder"
    ended "$next" 0
    same "what the next one did" mine "$(<"$scratch/got")"
    matches "what it was told" '^ipcctl: run: "l" was abandoned' "$(<"$scratch/says")"
    await has_ended "$victim"
}

test_a_killed_waiter_never_gets_the_lock() {
    ipcctl create lock l
    hold l
    "$IPCCTL" run --lock l -- touch "$scratch/ran" &
    local waiter=$!
    await has l waiting 1
    kill -9 "$waiter"
    await has l waiting 0
    kill "$holder"
    await has l depth 0
    gives mine run --lock l -T 10s -- echo mine
    [ ! -e "$scratch/ran" ] || fail "the command was run"
}

test_a_lost_connection_lets_the_command_go_on() {
    ipcctl create lock l
    hold l
    ipcctl kill "$(session_of "$holder")"
    await grep 'the connection to the daemon is lost, and "l" with it; the command goes on' \
        "$scratch/holder.says"
    has_ended "$command" && fail "the command has ended"
    run ipcctl run --lock l -T 10s -- echo mine
    same "what the next one did" mine "$output"
    kill "$command"
    ended "$holder" 143
}

test_a_lost_connection_ends_the_command_if_that_is_wanted() {
    ipcctl create lock l
    hold l --kill-on-loss
    ipcctl kill "$(session_of "$holder")"
    ended "$holder" 143
    matches "what it says" 'the connection to the daemon is lost, .* the command is ended' \
        "$(<"$scratch/holder.says")"
}

test_a_deleted_lock_is_told() {
    ipcctl create lock l
    run ipcctl run --lock l -- "$IPCCTL" rm l
    same "the status" 0 "$status"
    matches "what it says" '^ipcctl: run: "l" was lost while the command ran: ' "$errors"
}

test_a_semaphore_lets_so_many_run() {
    ipcctl create semaphore s --value 3 --bounded
    "$IPCCTL" run --semaphore s -n 2 -- sleep 1000 &
    local first=$!
    await has s held 2
    gives 0 run --semaphore s -- "$IPCCTL" call semaphore.value '"s"'
    fails 124 'run: "s" was not' run --semaphore s -n 2 -T 0 -- true
    fails 125 'run: .*4 were' run --semaphore s -n 4 -- true
    kill "$first"
    ended "$first" 143
    gives 3 call semaphore.value '"s"'
}

run_tests
