#!/bin/bash
# What ipcctl does on a terminal: script(1) gives it one.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# on_terminal COMMAND: runs it on a terminal of 10 rows and 50 columns, with what $scratch/keys
# brings as its keyboard; what appears is in $scratch/screen. Sets `terminal` to the process.
on_terminal() {
    rm -f "$scratch/keys" "$scratch/screen"
    mkfifo "$scratch/keys"
    script -q -f -e -c "stty rows 10 cols 50; $1" "$scratch/screen" \
        <"$scratch/keys" >/dev/null &
    terminal=$!
    exec 4>"$scratch/keys"
}

# appears TEXT: waits until it is on the screen.
appears() {
    await grep -F -- "$1" "$scratch/screen"
}

# ends STATUS: waits for the end of what runs on the terminal.
ends() {
    local ended=0
    exec 4>&-
    wait "$terminal" || ended=$?
    same "the status" "$1" "$ended"
}

# The first line that begins like this, without the terminal's carriage returns.
line() {
    tr -d '\r' <"$scratch/screen" | grep -m 1 -- "^$1"
}

test_tables_are_cut_to_the_width_of_the_terminal() {
    ipcctl create queue "a-name-that-is-much-too-long-for-such-a-narrow-terminal"
    ipcctl create queue "工作工作工作工作工作工作工作工作工作工作工作工作工作工作"
    on_terminal "'$IPCCTL' ls"
    ends 0
    same "the head" 'NAME            TYPE   SIZE  WAITING  BYTES  STATE' "$(line NAME)"
    same "a line" 'a-name-that-i…  queue     0        0      0' "$(line a-name)"
    same "a line of wide characters" '工作工作工作…   queue     0        0      0' "$(line 工)"
    shows 'narrow-terminal +queue' ls
}

test_what_is_taken_fits_80_columns_with_its_value() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs '"a job"'
    "$IPCCTL" get jobs --count 2 --wait >/dev/null &
    local getter=$!
    await has jobs taken 1
    on_terminal "stty cols 80; '$IPCCTL' taken jobs"
    ends 0
    matches "the value" ' "a job" ' "$(line ' *1 ')"
    kill "$getter"
}

test_names_on_a_terminal_are_escaped() {
    ipcctl create queue $'a\u202eb'
    on_terminal "'$IPCCTL' ls --names"
    ends 0
    same "the name" 'a\u202eb' "$(line a)"
}

test_get_without_ack_says_what_becomes_of_the_item() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs 1
    on_terminal "'$IPCCTL' get jobs"
    ends 0
    appears 'take it for good with --ack'
    await has jobs size 1
    on_terminal "'$IPCCTL' get jobs --ack"
    ends 0
    grep -q 'take it for good' "$scratch/screen" && fail "it is said with --ack too"
    return 0
}

test_put_from_the_keyboard_says_what_it_reads() {
    ipcctl create queue jobs
    on_terminal "'$IPCCTL' put jobs"
    appears 'reading JSON values from the terminal; Ctrl-D ends them'
    printf '5 "x"\n\004' >&4
    ends 0
    gives $'5\n"x"' get jobs --all
}

test_put_shows_its_progress() {
    ipcctl create queue jobs
    mkfifo "$scratch/values"
    on_terminal "'$IPCCTL' put jobs <'$scratch/values'"
    exec 5>"$scratch/values"
    local tries
    for tries in {1..5000}; do
        echo "$tries" >&5
        grep -q 'values put, [0-9]*/s' "$scratch/screen" && break
    done
    exec 5>&-
    ends 0
    grep -q 'values put, [0-9]*/s' "$scratch/screen" || fail "nothing was shown of $tries values"
    matches "the end of the screen" $'\r\033\\[K'"[^v]*$" "$(<"$scratch/screen")"
}

# The screen that watch takes, its cursor, and the modes of the terminal.
watch_on_terminal() {
    on_terminal "stty -a >'$scratch/before'; '$IPCCTL' watch --interval 50ms; status=\$?;
        stty -a >'$scratch/after'; exit \$status"
    appears 'q quits'
}

is_restored() {
    local screen
    screen=$(<"$scratch/screen")
    matches "the beginning" $'\033\\[\\?1049h\033\\[\\?25l' "$screen"
    matches "the end" $'\033\\[\\?25h\033\\[\\?1049l' "$screen"
    same "the modes of the terminal" "$(<"$scratch/before")" "$(<"$scratch/after")"
}

test_watch_ends_with_q() {
    ipcctl create queue jobs
    watch_on_terminal
    appears '1 queue, '
    appears 'jobs '
    ipcctl create queue more
    appears '2 queues, '
    ipcctl create event ready
    "$IPCCTL" event wait ready &
    appears '2 queues, 1 more with calls that wait, '
    appears 'ready '
    printf 'q' >&4
    ends 0
    is_restored
}

test_watch_ends_with_ctrl_c() {
    watch_on_terminal
    printf '\003' >&4
    ends 0
    is_restored
}

# The ipcctl that runs on the terminal.
watcher() {
    json 'r["pid"] if r["program"] == "ipcctl" and r["calls"] > 2 else ""' sessions | grep -m 1 .
}

test_watch_restores_the_terminal_when_it_is_terminated() {
    watch_on_terminal
    await watcher
    kill "$(watcher)"
    ends 0
    is_restored
}

screen_ends_with() {
    [[ $(<"$scratch/screen") == *"$1" ]]
}

test_watch_gives_the_terminal_back_while_it_is_stopped() {
    local process
    watch_on_terminal
    await watcher
    process=$(watcher)
    kill -TSTP "$process"
    await grep -q '^State:.T' "/proc/$process/status"
    await screen_ends_with $'\033[?25h\033[?1049l' # script(1) may be behind
    kill -CONT "$process"
    appears $'\033[?1049l\033[?1049h\033[?25l'
    printf 'q' >&4
    ends 0
    is_restored
}

test_watch_shows_as_many_queues_as_fit() {
    local i
    for i in 1 2 3 4 5 6 7; do
        ipcctl create queue "queue$i"
    done
    watch_on_terminal
    appears 'queue5 '
    appears 'and 2 more'
    grep -q 'queue6 ' "$scratch/screen" && fail "there are more lines than rows"
    printf 'q' >&4
    ends 0
}

test_watch_waits_for_a_daemon_that_comes_back() {
    trap 'kill "$daemon" 2>/dev/null || true' EXIT
    "$IPCD" --socket "$scratch/other" 2>"$scratch/log" &
    daemon=$!
    await ipcctl ls --socket "$scratch/other"
    export IPCD_SOCKET=$scratch/other
    watch_on_terminal
    kill "$daemon"
    wait "$daemon"
    appears 'Trying again'
    "$IPCD" --socket "$scratch/other" 2>"$scratch/log" &
    daemon=$!
    await ipcctl create queue again --existing
    appears 'again '
    printf 'q' >&4
    ends 0
    is_restored
    kill "$daemon"
    wait "$daemon"
}

# The terminal sends it to ipcctl and to the command; the command must not get it twice. ipcctl is
# held up meanwhile, so that what it would pass on comes later, and SIGUSR1, which it does, last.
test_an_interrupt_of_the_terminal_reaches_a_command_once() {
    local runner
    ipcctl create lock l
    printf '%s\n' 'import signal, sys' 'count = 0' 'def interrupted(*_):' '    global count' \
        '    count += 1' '    print("interrupted", flush=True)' 'def asked(*_):' \
        '    print("count", count, flush=True)' '    sys.exit(9)' \
        'signal.signal(signal.SIGINT, interrupted)' 'signal.signal(signal.SIGUSR1, asked)' \
        'print("ready", flush=True)' 'while True:' '    signal.pause()' >"$scratch/program"
    # script(1) stops together with its child, which so must not be ipcctl.
    on_terminal "'$IPCCTL' run --lock l python3 '$scratch/program'; exit \$?"
    appears ready
    runner=$(json 'r["holds"][0]["pid"]' describe l)
    kill -s STOP "$runner"
    printf '\003' >&4
    appears interrupted
    kill -s USR1 "$runner"
    kill -s CONT "$runner"
    ends 9
    same "how often" 'count 1' "$(line count)"
    gives false call lock.locked '"l"'
}

run_tests
