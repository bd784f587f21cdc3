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

# fill: a queue and a dict with something in them.
fill() {
    ipcctl create queue jobs --durable
    ipcctl create dict config --durable --initial='{"colour": "blue"}'
    ipcctl put jobs 1 2 3
}

test_the_store_is_checked_beside_the_daemon_and_without_it() {
    start
    fill
    shows "^$scratch/state is whole: [1-9][0-9]* rows, [1-9][0-9]* bytes$" store check
    same "the same in JSON" "$scratch/state True" "$(json '"{path} {}".format(r["rows"] > 3, **r)' store check)"
    shows '^\{"object": 0, "key": "", "row": \[1, ' store dump
    shows '"object": 1, "key": "", "row": \[1, "queue", "jobs", ' store dump
    kill "$daemon"
    wait "$daemon"
    fails 1 'store check: cannot connect' store check
    shows "^$scratch/state is whole: " store check --state "$scratch/state"
    fails 1 'store check: .*/nowhere: No such file or directory' store check --state "$scratch/nowhere"
    mkdir "$scratch/empty"
    fails 1 "store check: there is no store in $scratch/empty" store check --state "$scratch/empty"
}

test_damage_is_said() {
    start
    fill
    kill "$daemon"
    wait "$daemon"
    python3 -c 'import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute("UPDATE rows SET value = substr(value, 2) WHERE object = 1")
store.commit()' "$scratch/state/store.db"
    fails 1 'store check: .*store.db is damaged \(a row of object 1 has a wrong checksum\)' \
        store check --state "$scratch/state"
}

test_a_backup_is_the_store_of_another_daemon() {
    start
    fill
    gives '' store backup "$scratch/copy"
    fails 1 'store backup: .*/copy is there already: name another file' store backup "$scratch/copy"
    ipcctl put jobs 4
    kill "$daemon"
    wait "$daemon"
    rm -r "$scratch/state"
    mkdir -m 700 "$scratch/state"
    mv "$scratch/copy" "$scratch/state/store.db"
    start
    gives $'1\n2\n3' peek jobs
    gives '"blue"' dict get config '"colour"'
}

test_what_was_dumped_is_loaded_into_a_new_store() {
    start
    fill
    ipcctl put jobs '"'"$(printf 'x%.0s' {1..100000})"'"'
    run ipcctl store dump
    printf '%s\n' "$output" >"$scratch/dumped"
    kill "$daemon"
    wait "$daemon"
    gives '' store load --state "$scratch/other" <"$scratch/dumped"
    run ipcctl store dump --state "$scratch/other"
    same "what is dumped again" "$(<"$scratch/dumped")" "$output"
    fails 1 "store load: the store $scratch/other has rows already: name an empty directory" \
        store load --state "$scratch/other" <"$scratch/dumped"
    rm -r "$scratch/state"
    mv "$scratch/other" "$scratch/state"
    start
    gives $'1\n2\n3' get jobs --count 3
    gives '"blue"' dict get config '"colour"'
    fails 2 'store load: name the new directory by an absolute path' store load </dev/null
    fails 1 'store load: a line is not a row as store dump prints it' \
        store load --state "$scratch/third" <<<'{"object": -1, "key": "", "row": [1]}'
    fails 1 'store load: a line is not a row' store load --state "$scratch/fourth" <<<'17'
}

test_compaction_is_for_when_the_daemon_is_down() {
    start
    fill
    fails 1 "store compact: $scratch/state is in use by another daemon, process $daemon: " store compact
    kill "$daemon"
    wait "$daemon"
    gives '' store compact --state "$scratch/state"
    start
    gives $'1\n2\n3' peek jobs
}

run_tests
