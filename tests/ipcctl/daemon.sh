#!/bin/bash
# stats, sessions, kill, call, methods, help; options, errors, and what standard output may do.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

test_stats_show_figures_and_calls() {
    ipcctl create queue jobs
    ipcctl put jobs 1
    run ipcctl stats
    matches "the uptime" $'(^|\n)uptime +[0-9]' "$output"
    matches "the objects" $'\nobjects queue +1\n' "$output"
    matches "which daemon" \
        $'(^|\n)version +[0-9.]+\npid +[0-9]+\nsocket +'"$IPCD_SOCKET"$'\nstate_directory +-\n' "$output"
    matches "a limit" $'\nlimits max_message +16777216 \\(16.0 MiB\\)\n' "$output"
    matches "the users" \
        $'\nUSER +BYTES +SESSIONS +OBJECTS +STORED +DESCRIPTORS\n'"$(id -un) \($(id -u)\) +[0-9]+ +1 +1 +0 +0"$'\n' "$output"
    matches "what each may have" $'\nlimit of each( +[0-9]+){5}\n' "$output"
    same "a user in JSON" "$(id -un) $(id -u) 1" \
        "$(json '"{user} {uid} {objects}".format(**r["users"][0])' stats)"
    matches "the memory" $'\nmemory resident +[0-9]+ \([0-9.]+ MiB\)\n' "$output"
    matches "the calls" $'\nMETHOD +CALLS +ERRORS\n' "$output"
    matches "a method's" $'\nqueue.open +[0-9]+ +[0-9]+(\n|$)' "$output"
    same "the objects in JSON" 1 "$(json 'r["objects"]["queue"]' stats)"
}

test_server_upgrade_lets_another_daemon_take_over() {
    ipcctl create lock db
    ipcctl create queue jobs
    run ipcctl server upgrade
    matches "what it prints" '^\{"version": "[0-9.]+", "takeovers": 1, "ms": [0-9]+\}$' "$output"
    same "that it was one" 1 "$(json 'r["takeovers"]' stats)"
    same "what is there" 2 "$(json 'r["objects"]["queue"] + r["objects"]["lock"]' stats)"
    fails 1 "server.upgrade: /bin/false cannot take over: it has failed" server upgrade /bin/false
    fails 1 ".*absolute path" server upgrade ipcd
}

test_sessions_show_who_is_connected() {
    ipcctl create queue 'my jobs' --joinable
    ipcctl put 'my jobs' 1
    "$IPCCTL" get 'my jobs' --count 2 --wait --timeout 1h >"$scratch/got" 2>"$scratch/said" &
    local getter=$! session
    await has 'my jobs' waiting 1
    shows "
 +[0-9]+ +$getter +ipcctl +ipcctl [0-9.]+ +$(id -un) \($(id -u)\) +[0-9.]+m?s +[0-9]+ +1 +1 +[0-9]+" sessions
    session=$(json "r['session'] if r['pid'] == $getter else ''" sessions | grep .)
    run ipcctl sessions "$session"
    matches "what it waits for" \
        $'\nWaits in:\n  queue.get of "my jobs" for [0-9.]+m?s, timeout 1h0m' "$output"
    matches "what it holds" $'\nHolds:\n  1 ticket of the queue "my jobs" for [0-9.]+m?s' "$output"
    same "the same in JSON" "ipcctl queue.get 1" "$(json \
        'r["program"] + " " + r["waits"][0]["method"] + " " + str(r["holds"][0]["tickets"])' \
        sessions "$session")"
    gives '' kill "$session"
    wait "$getter" && fail "the program of the session ended with 0"
    matches "what it says" '^ipcctl: get "my jobs": ' "$(<"$scratch/said")"
    await has 'my jobs' size 1
    fails 6 "kill: there is no session $session; 'ipcctl sessions' lists them\$" kill "$session"
    fails 6 'sessions: .*[0-9]' sessions "$session"
    fails 2 'kill: SESSION must be a number' kill everybody
}

test_sessions_show_what_one_has_open() {
    python3 -c '
import os, signal, socket
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ["IPCD_SOCKET"])
daemon.sendall(b"\x94\0\1\xa9dict.open\x91\xa6config")
daemon.recv(1)
print("ready", flush=True)
signal.pause()' >"$scratch/says" &
    local client=$! session
    await grep ready "$scratch/says"
    session=$(json "r['session'] if r['pid'] == $client else ''" sessions | grep .)
    shows $'\nHas open:\n  config$' sessions "$session"
    shows " +$client +python3[^ ]* +- +" sessions
    kill "$client"
}

test_the_names_of_clients_are_shown_escaped() {
    python3 -c '
import os, signal, socket
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ["IPCD_SOCKET"])
name = "ip\u202ectl".encode()
daemon.sendall(b"\x94\0\1\xacserver.hello\x91\x81\xa6client" + bytes([0xa0 + len(name)]) + name)
daemon.recv(1)
print("ready", flush=True)
signal.pause()' >"$scratch/says" &
    local client=$!
    await grep ready "$scratch/says"
    shows " +$client +python3[^ ]* +ip\\\\u202ectl +" sessions
    shows '"client": "ip\\u202ectl"' --json sessions
    kill "$client"
}

test_call_of_atomic_that_fails_prints_what_was_done_before() {
    ipcctl create queue jobs
    ipcctl put jobs '"only"'
    local get='["queue.get", ["jobs"]]'
    fails 3 'call: atomic, call 1: .*the queue is empty' call atomic "[$get, $get]"
    same "the results" '[["only", null, 1]]' "$output"
    fails 1 'call: atomic, call 0: .*nothing was run' call atomic '[1]'
    same "the results" '[]' "$output"
}

test_call_calls_any_method() {
    ipcctl create queue jobs
    gives null call queue.put '"jobs"' '{"a": 1}'
    gives '[{"a": 1}, null, 1]' call queue.get '"jobs"' 0
    gives '"pong"' call server.ping --text pong
    gives 'pong' call server.ping --text pong --raw
    gives null call server.ping
    fails 6 'call: the daemon has no method "no.such.method"' call no.such.method
    fails 1 'call: queue.put' call queue.put
    fails 3 'call: the queue is empty' call queue.get '"jobs"' 0
    fails 2 'call: .*16' call server.ping 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
    fails 2 'call: the METHOD is missing' call
}

test_every_form_of_value_passes_through_the_daemon() {
    local value
    for value in null true -9223372036854775808 9223372036854775807 0.1 1.0 1e+300 '"ü\n\u0000"' \
        '[]' '{}' '{"$bin": "AAH/"}' '{"$ext": [42, "AQ=="]}' '{"$float": "-inf"}' \
        '{"$timestamp": "2026-01-31T12:00:00.500Z"}' '{"$uint": "18446744073709551615"}' \
        '{"$str": "/w=="}' '{"$map": [[1, {"$map": [["$bin", 2]]}]]}' '{"a": [{"b": {}}]}'; do
        gives "$value" call server.ping "$value"
    done
}

test_methods_lists_what_the_daemon_has() {
    shows $'^METHOD +SUMMARY\nserver.hello +.*\nqueue.get +Take the next item' methods
    shows $'^name +queue.get\nparams +.*timeout.*\nresult +.*\nsummary +.*\nflags +write waits$' \
        methods queue.get
    shows $'\noption +drain \\(bool, default: as it was\\): gets wait .*\nflags +write$' methods queue.shutdown
    fails 6 'methods: the daemon has no method "nope"' methods nope
    same "in JSON" queue.get "$(json 'r["name"]' methods queue.get)"
}

test_help_needs_no_daemon() {
    export IPCD_SOCKET=$scratch/nobody
    shows '^usage: ipcctl COMMAND .*Queues:.*  put QUEUE \[VALUE\.\.\.\]' help
    shows '^usage: ipcctl get QUEUE .*goes back to where it was.*--ack .*--socket=PATH' help get
    shows '^usage: ipcctl get QUEUE ' get --help
    shows '^usage: ipcctl get QUEUE ' -h get
    shows '^usage: ipcctl dict get DICT KEY \[DEFAULT\]' help dict get
    shows '^usage: .*Dicts:.*  dict get' help dict
    shows '^usage: .*Dicts:.*  dict get' dict --help
    shows '^usage: ipcctl call queue.get queue \[timeout\]' help queue.get
    shows $'\nOptions, in a map:\n  create .*\n  order +which item is next\n +one of "fifo", "lifo", "priority"; default: fifo\n' \
        help queue.open
    shows $'\n  priority .*\n +a value; default: 0\n' help queue.put
    fails 6 'help: there is no command and no method' help nonsense
    gives 'ipcctl 0.1.0' --version
}

test_usage_errors_say_what_would_be_right() {
    fails 2 "a command is missing; see 'ipcctl help'"
    fails 2 'there is no command "nonsense"' nonsense
    fails 2 "there is no command \"dict nonsense\"; see 'ipcctl help dict'" dict nonsense
    fails 2 "\"dict\" needs a second word; see 'ipcctl help dict'" dict
    fails 2 "get: the QUEUE is missing; see 'ipcctl help get'" get
    fails 2 'get jobs: "more" is one word too many' get jobs more
    fails 2 'get jobs: there is no option --bogus' get jobs --bogus
    fails 2 'get jobs: there is no option -z' get jobs -z
    fails 2 'get jobs: --count needs a value: --count=N' get jobs --count
    fails 2 'get jobs: --count needs a value' get jobs --count --ack
    fails 2 'get jobs: --ack has no value' get jobs --ack=yes
    fails 2 'get jobs: --timeout must be milliseconds, .*, not "soon"' get jobs --timeout soon
    fails 2 'there is no option --count' --count 5 get jobs
}

test_options_may_stand_anywhere() {
    ipcctl create queue jobs
    ipcctl put jobs 1 2 3 4 5 6
    gives $'1\n2' peek -n2 jobs
    gives $'1\n2' --timeout=5s peek jobs -n 2
    gives $'1\n2' -T 5s peek --count=2 jobs
    gives $'1\n2' --socket "$IPCD_SOCKET" peek --count 2 -- jobs
    gives '{"position": 0, "value": 1}' -J peek jobs -rn1
    ipcctl create queue -- -odd
    gives '' put -- -odd 1
    gives 1 get -- -odd
}

test_a_daemon_that_is_not_there_is_said_so() {
    fails 1 "ls: .*$scratch/nobody: .*start it with" ls --socket "$scratch/nobody"
    IPCD_SOCKET=$scratch/none fails 1 "get jobs: .*$scratch/none: .*start it with" get jobs
}

test_a_daemon_that_does_not_answer_is_given_up() {
    python3 -c '
import signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(5)
print("ready", flush=True)
signal.pause()' "$scratch/deaf" >"$scratch/says" &
    local deaf=$!
    await grep ready "$scratch/says"
    fails 1 'ls: .*did not answer' ls --socket "$scratch/deaf" --timeout 1s
    kill "$deaf"
}

test_a_closed_or_full_output_is_an_error() {
    local command
    for command in ls help stats sessions methods; do
        run bash -c '"$1" "$2" >/dev/full' - "$IPCCTL" "$command"
        same "the status of $command" 1 "$status"
        matches "the sentence of $command" 'cannot write to standard output: No space' "$errors"
        run bash -c '"$1" "$2" >&-' - "$IPCCTL" "$command"
        same "the status of $command" 1 "$status"
        matches "the sentence of $command" 'cannot write to standard output: Bad file' "$errors"
    done
}

test_a_reader_that_goes_away_ends_it_without_noise() {
    ipcctl create queue jobs
    seq 20000 | ipcctl put jobs
    run bash -c '"$1" peek jobs --all | head -n 1' - "$IPCCTL"
    same "the output" 1 "$output"
    same "the errors" '' "$errors"
    run python3 -c '
import signal, subprocess, sys
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
peek = subprocess.Popen([sys.argv[1], "peek", "jobs", "--all"], stdout=subprocess.PIPE,
                        restore_signals=False)
peek.stdout.readline()
peek.stdout.close()
print(peek.wait())' "$IPCCTL"
    same "the status with SIGPIPE ignored" 1 "$output"
    same "the errors" '' "$errors"
}

test_watch_prints_a_table_for_each_look() {
    ipcctl create queue jobs --maxsize 10
    ipcctl create dict config
    ipcctl put jobs 1 2
    run ipcctl watch --count 2 --interval 60
    same "the tables" 2 "$(grep -c '^NAME  TYPE   SIZE  MAX  TAKEN' <<<"$output")"
    matches "the first look" $'\njobs +queue +2 +10 +0 +0 +[0-9]+ +0 +- +-\n' "$output"
    matches "the second look" $'\n\nNAME.*\njobs +queue +2 +10 +0 +0 +[0-9]+ +0 +0 +0$' "$output"
    same "in JSON" $'None\n0.0' "$(json 'r["puts_per_second"]' watch --glob 'j*' --count 2 -i 60)"
    gives 'NAME  TYPE  SIZE  MAX  TAKEN  DELAYED  UNFINISHED  WAITING  PUT/S  GET/S  STATE' \
        watch --glob 'x*' --count 1
}

# waits_in NAME COMMAND…: ipcctl in the background, which has come to wait on the object.
waits_in() {
    local name=$1
    shift
    "$IPCCTL" "$@" >>"$scratch/waiters" 2>&1 &
    await has "$name" waiting 1
}

test_watch_shows_all_on_which_somebody_waits() {
    ipcctl create queue jobs
    ipcctl create dict config
    ipcctl create dict idle
    ipcctl create event ready
    ipcctl create barrier all --parties 2
    ipcctl create lock db --on-disconnect keep
    ipcctl call lock.acquire '"db"' >"$scratch/held"
    waits_in config dict wait config colour
    waits_in ready event wait ready
    waits_in all barrier wait all
    waits_in db run --lock db true
    run ipcctl watch --count 1
    same "the names" 'jobs queue
config dict
ready event
all barrier
db lock' "$(tail -n +2 <<<"$output" | awk '{print $1, $2}')"
    matches "a row" $'
db +lock +- +- +- +- +- +1 +- +- +held$' "$output"
    same "in JSON" $'jobs 0\nconfig 1\nready 1\nall 1\ndb 1' \
        "$(json '"{name} {waiting}".format(**r)' watch --count 1)"
    same "those that match" $'config\nall' "$(json 'r["name"]' watch --count 1 --glob '*[gl]')"
}

test_watch_derives_rates_from_the_counts() {
    ipcctl create queue jobs
    mkfifo "$scratch/watch"
    "$IPCCTL" --json watch --interval 200ms >"$scratch/watch" &
    local watcher=$! line rate look
    exec 3<"$scratch/watch"
    read -r line <&3
    matches "the first look" '"puts_per_second": null' "$line"
    seq 100 | ipcctl put jobs
    for look in {1..50}; do
        read -r line <&3
        rate=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["puts_per_second"])' \
            "$line")
        [ "$rate" = 0.0 ] || break
    done
    kill "$watcher"
    exec 3<&-
    matches "the rate at look $look" '^[0-9]*[1-9][0-9]*\.[0-9]+$|^0\.[0-9]*[1-9]' "$rate"
}

run_tests
