#!/bin/bash
# durable: objects that are kept on disk, and the store that keeps them. Beside the daemon of all these
# tests, which has no store, there is one of each test's own that has.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# start: a daemon with a store; sets `daemon`, and the socket.
start() {
    export IPCD_SOCKET=$scratch/durable.sock
    rm -f "$IPCD_SOCKET"
    "$IPCD" --socket "$IPCD_SOCKET" --state "$scratch/state" >>"$scratch/log" 2>&1 &
    daemon=$!
    await "$IPCCTL" stats
}

# kill_and_start: it is killed at once, and there again.
kill_and_start() {
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null || true
    start
}

test_durable_needs_a_store() {
    fails 1 'create jobs: .*there is no durable store' create queue jobs --durable
    gives '' ls --names
}

test_durable_and_lifetime_are_one_option() {
    fails 2 'create jobs: --durable is --lifetime=durable: give one of the two' \
        create queue jobs --durable --lifetime=daemon
}

test_only_some_types_can_be_durable() {
    start
    fails 1 'create l: a lock cannot be durable' create lock l --durable
    gives '' create namespace settings --durable
    gives '' create list log --lifetime=durable
    same "the lifetimes" "durable durable" "$(json 'r["lifetime"]' ls | paste -sd ' ')"
}

test_what_is_durable_survives_the_daemon() {
    start
    ipcctl create queue jobs --durable --joinable --maxsize 100
    ipcctl create dict config --durable --initial='{"colour": "blue"}'
    ipcctl create queue passing
    ipcctl put jobs 1 2 3
    "$IPCCTL" get jobs --count 4 --wait --timeout 1h >"$scratch/got" 2>"$scratch/said" &
    await has jobs taken 3
    kill_and_start
    gives $'jobs\nconfig' ls --names
    gives $'1\n2\n3' peek jobs
    gives '"blue"' dict get config '"colour"'
    same "what jobs is" "True 100 3 durable" "$(json \
        '"{joinable} {maxsize} {unfinished} {lifetime}".format(**r)' describe jobs)"
    same "the deliveries" "2 2 2" "$(json 'r["deliveries"]' get jobs --all | paste -sd ' ')"
    gives '' rm jobs
    kill_and_start
    gives config ls --names
}

test_bytes_on_disk_are_shown() {
    start
    ipcctl create queue kept --durable
    ipcctl create queue passing
    ipcctl put kept '"a value of some bytes"'
    shows $'\n  on disk +[1-9][0-9]*[ \n]' describe kept
    [[ $(ipcctl describe passing) != *"on disk"* ]] || fail "what is not kept has bytes on disk"
    shows $'NAME .* ON DISK +OWNER' ls -l
    matches "the bytes" '^[1-9]' "$(json 'r["durable"]["bytes"]' describe kept)"
}

test_stats_show_the_store() {
    start
    ipcctl create queue jobs --durable
    ipcctl put jobs 1
    run ipcctl stats
    matches "where it is" $'\nstore path +'"$scratch/state"$'\n' "$output"
    matches "when it syncs" $'\nstore sync +always\n' "$output"
    matches "its bytes" $'\nstore bytes +[0-9]+ \([0-9.]+ [KM]iB\)\n' "$output"
    matches "its commits" $'\nstore commits +[1-9]' "$output"
    matches "its syncs" $'\nstore syncs +[1-9]' "$output"
    matches "what waits to be written" $'\nstore queued +0[ \n]' "$output"
    matches "how long the last commit took" $'\nstore commit_us +[1-9]' "$output"
    matches "that there was no error" $'\nstore last_error +-\n' "$output"
    matches "how often it syncs" $'\nstore syncs per second +[0-9.]+\n' "$output"
    same "the same in JSON" "$scratch/state always" \
        "$(json '"{path} {sync}".format(**r["store"])' stats)"
}

run_tests
