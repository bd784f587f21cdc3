# shellcheck shell=bash
# lib: what the tests of ipcctl share. A test is a function whose name begins with "test_"; each runs
# in a shell of its own, with no objects in the daemon and nothing in $scratch, and fails at the first
# thing that is not as it should be. What it leaves running is ended. $IPCCTL is the program,
# $IPCD_SOCKET the socket of a daemon of the test's own.
set -u
LC_ALL=C.UTF-8
export LC_ALL

scratch=$(mktemp -d "${TMPDIR:-/tmp}/ipcctl-test.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT

ipcctl() {
    "$IPCCTL" "$@"
}

# fail TEXT: ends the test.
fail() {
    printf '%s: %s\n' "${FUNCNAME[-3]}" "$*" >&2
    exit 1
}

# same WHAT WANTED GOT
same() {
    [ "$2" = "$3" ] || fail "$1 should be
$2
and is
$3"
}

# matches WHAT REGEX GOT
matches() {
    [[ $3 =~ $2 ]] || fail "$1 should match
$2
and is
$3"
}

# run COMMAND…: sets status, output and errors.
run() {
    status=0
    "$@" >"$scratch/output" 2>"$scratch/errors" || status=$?
    output=$(<"$scratch/output")
    errors=$(<"$scratch/errors")
}

# gives OUTPUT ARGUMENT…: ipcctl with these arguments succeeds, prints exactly that, and no more.
gives() {
    local wanted=$1
    shift
    run ipcctl "$@"
    same "what 'ipcctl $*' says on standard error" "" "$errors"
    same "the status of 'ipcctl $*'" 0 "$status"
    same "the output of 'ipcctl $*'" "$wanted" "$output"
}

# shows REGEX ARGUMENT…: ipcctl succeeds, and its output matches.
shows() {
    local wanted=$1
    shift
    run ipcctl "$@"
    same "the status of 'ipcctl $*'" 0 "$status"
    matches "the output of 'ipcctl $*'" "$wanted" "$output"
}

# fails STATUS REGEX ARGUMENT…: ipcctl exits with that status, and says one matching sentence.
fails() {
    local wanted=$1 sentence=$2
    shift 2
    run ipcctl "$@"
    same "the status of 'ipcctl $*'" "$wanted" "$status"
    matches "what 'ipcctl $*' says on standard error" "^ipcctl: $sentence" "$errors"
    same "the number of lines that 'ipcctl $*' says" 1 "$(wc -l <"$scratch/errors")"
}

# json FILTER ARGUMENT…: each line that ipcctl prints with --json is JSON; prints what the Python
# expression FILTER makes of each, as r.
json() {
    local filter=$1
    shift
    ipcctl --json "$@" | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print(eval(sys.argv[1]))' "$filter"
}

# await COMMAND…: until it succeeds, ten seconds at most.
await() {
    local tries
    for ((tries = 0; tries < 1000; tries++)); do
        if "$@" >/dev/null 2>&1; then
            return 0
        fi
        sleep 0.01
    done
    fail "waited in vain for: $*"
}

# has NAME FIGURE NUMBER: the figure of that object has that value.
has() {
    ipcctl --json describe "$1" | grep -q "\"$2\": $3[,}]"
}

# is_held LOCK: somebody holds it.
is_held() {
    ipcctl --json describe "$1" | grep -q '"depth": [1-9]'
}

# hold LOCK [OPTION…]: a process that holds the lock until it is ended; sets `holder` to it, which is
# ipcctl, and `command` to the command that it runs.
# shellcheck disable=SC2034
hold() {
    local lock=$1
    shift
    rm -f "$scratch/command.pid"
    "$IPCCTL" run --lock "$lock" "$@" -- \
        bash -c 'echo $$ >"$1.new" && mv "$1.new" "$1" && exec sleep 200' - \
        "$scratch/command.pid" 2>>"$scratch/holder.says" &
    holder=$!
    await test -e "$scratch/command.pid"
    command=$(<"$scratch/command.pid")
}

# has_ended PID: there is no such process, or it is only waited for.
has_ended() {
    ! grep -qE '^State:\s+[^ZX]' "/proc/$1/status"
}

clean_up() {
    ipcctl ls --names >"$scratch/names"
    xargs -r -d '\n' -a "$scratch/names" "$IPCCTL" rm -f --
    rm -rf "${scratch:?}"/*
}

# What the test has left running ends with it.
end_jobs() {
    local job
    for job in $(jobs -p); do
        kill "$job" 2>/dev/null || true
    done
}

# run_tests: all of them, reported by name as cmocka does.
run_tests() {
    local name failed=0
    for name in $(compgen -A function test_); do
        name=${name#test_}
        printf '[ RUN      ] %s\n' "$name"
        (
            set -e
            trap 'end_jobs' EXIT
            "test_$name"
        )
        case $? in
        0) printf '[       OK ] %s\n' "$name" ;;
        *)
            printf '[  FAILED  ] %s\n' "$name"
            failed=1
            ;;
        esac
        clean_up
    done
    exit "$failed"
}
