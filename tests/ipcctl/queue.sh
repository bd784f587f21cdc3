#!/bin/bash
# put, get, peek, taken, done, give-back, touch, join, purge, pause, resume, shutdown.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

test_values_go_in_and_come_out_in_order() {
    ipcctl create queue jobs
    gives '' put jobs 1 '"two"' '{"three": [3.0, null]}' -4
    gives 1 get jobs
    gives $'"two"\n{"three": [3.0, null]}' get jobs --count 2
    gives -4 get jobs --all
    fails 3 'get jobs: the queue is empty' get jobs
    fails 3 'get jobs: the queue is empty' get jobs --all
}

test_put_text_takes_the_words_as_they_are() {
    ipcctl create queue jobs
    gives '' put jobs --text 5 '"x"' 'größer als'
    gives $'"5"\n"\\"x\\""\n"größer als"' peek jobs
    gives $'5\n"x"\ngrößer als' peek jobs --raw
    gives '{"value": "5", "ticket": null, "deliveries": 1}' get jobs --raw --json
}

test_put_refuses_what_is_not_json() {
    ipcctl create queue jobs
    fails 2 'put jobs: "hello" is not JSON: .*--text' put jobs 1 hello
    fails 2 'put jobs: "\[1," is not JSON' put jobs '[1,'
    fails 2 'put jobs: "" is not JSON' put jobs ''
    fails 2 'put jobs: a text is not UTF-8' put jobs --text $'\xff'
    fails 6 "put nope: there is no object \"nope\"; 'ipcctl create queue' makes one" put nope 1
    fails 3 'get jobs: the queue is empty' get jobs
}

test_put_reads_json_values_from_standard_input() {
    ipcctl create queue jobs
    printf '1 2"x"[3,\n4]{"a":\n{}} true' | gives '' put jobs
    gives $'1\n2\n"x"\n[3, 4]\n{"a": {}}\ntrue' get jobs --all
    gives '' put jobs </dev/null
    fails 3 '' get jobs
}

test_put_reads_lines_from_standard_input() {
    ipcctl create queue jobs
    printf 'one\n\n two \n3' | gives '' put jobs --lines
    gives $'"one"\n""\n" two "\n"3"' get jobs --all
    printf '1\n\n{"a": [1, 2]}\n  \n"x"\n' | gives '' put jobs --json-lines
    gives $'1\n{"a": [1, 2]}\n"x"' get jobs --all
}

test_put_says_which_value_of_standard_input_is_wrong() {
    ipcctl create queue jobs
    printf '1 2 nope 3' | fails 1 'put jobs: value 3 is not JSON: ' put jobs
    printf '"a"\n"b\n' | fails 1 'put jobs: line 2 is not JSON: ' put jobs --json-lines
    printf 'a\n\xff\n' | fails 1 'put jobs: line 2 is not UTF-8' put jobs --text
    gives $'1\n2\n"a"\n"a"' get jobs --all
}

test_put_sends_what_has_come_without_waiting_for_more() {
    ipcctl create queue jobs
    mkfifo "$scratch/slow"
    "$IPCCTL" put jobs <"$scratch/slow" &
    local putter=$!
    exec 3>"$scratch/slow"
    printf '1 2\n' >&3
    await has jobs size 2
    printf '3\n' >&3
    await has jobs size 3
    exec 3>&-
    wait "$putter"
}

test_put_of_many_values_keeps_their_order() {
    ipcctl create queue jobs
    seq 1200 | gives '{"put": 1200}' put jobs --json
    same "what comes out" "$(seq 1200)" "$(ipcctl get jobs --all)"
}

test_put_into_a_full_queue_gives_up_after_the_timeout() {
    ipcctl create queue jobs --maxsize 2
    fails 4 'put jobs: the queue is full; 2 values were put before' put jobs 1 2 3 --timeout 0
    fails 4 'put jobs: the queue is full' put jobs 3 --timeout 10ms
    seq 3 | fails 4 'put jobs: the queue is full' put jobs --timeout 0
    gives $'1\n2' get jobs --all
}

test_put_waits_for_room() {
    ipcctl create queue jobs --maxsize 1
    seq 20 | "$IPCCTL" put jobs &
    local putter=$!
    gives "$(seq 20)" get jobs --count 20 --wait
    wait "$putter"
}

test_put_honours_priority_delay_and_time_to_live() {
    ipcctl create queue jobs --order priority
    gives '' put jobs '"low"' --priority 5
    gives '' put jobs '"high"' '"too"' --priority -1.5
    gives '' put jobs '"later"' --delay 1d
    gives '' put jobs '"gone"' --ttl 0.001s --priority -9
    await has jobs expired 1
    gives $'"high"\n"too"\n"low"' get jobs --all
    same "the delayed one" 1 "$(json 'r["delayed"]' describe jobs)"
    fails 2 'put jobs: --priority must be a number like 5, -2.5 or 1e3, not "high"' put jobs 1 --priority high
}

test_get_waits_for_an_item() {
    ipcctl create queue jobs
    fails 3 'get jobs: the queue is empty' get jobs --wait 10
    fails 3 'get jobs: the queue is empty' get jobs --wait=10ms
    fails 3 'get jobs: the queue is empty' get jobs --wait --timeout 10
    "$IPCCTL" get jobs --wait >"$scratch/got" &
    local getter=$!
    await has jobs waiting 1
    ipcctl put jobs '"here"'
    wait "$getter"
    same "what was got" '"here"' "$(<"$scratch/got")"
}

test_get_from_a_joinable_queue_leaves_the_items_as_they_were() {
    ipcctl create queue jobs --joinable --max-deliveries 2 --on-disconnect discard
    ipcctl put jobs '"a"' '"b"' '"c"'
    gives '{"value": "a", "ticket": 1, "deliveries": 1}' get jobs --json
    gives '{"value": "a", "ticket": 2, "deliveries": 1}' get jobs --json
    gives '{"value": "a", "ticket": 3, "deliveries": 1}' get jobs --json
    gives $'"a"\n"b"' get jobs --count 2
    gives $'"a"\n"b"\n"c"' get jobs --all
    gives $'"a"\n"b"\n"c"' peek jobs
    same "the figures" "3 0 0" \
        "$(json '"%d %d %d" % (r["unfinished"], r["gets"], r["dropped"])' describe jobs)"
}

test_get_that_is_interrupted_gives_back_what_it_has() {
    local getter ended signal
    ipcctl create queue jobs --joinable --max-deliveries 1
    ipcctl put jobs '"a"' '"b"'
    for signal in INT TERM; do
        env --default-signal=INT "$IPCCTL" get jobs --count 3 --wait >"$scratch/got" 2>"$scratch/said" &
        getter=$! ended=0
        await has jobs taken 2
        await has jobs waiting 1
        kill -"$signal" "$getter"
        wait "$getter" || ended=$?
        same "how it ended" "$signal" "$(kill -l "$ended")"
        same "what it said" "" "$(<"$scratch/said")"
        same "the figures" "2 0 0" \
            "$(json '"%d %d %d" % (r["size"], r["gets"], r["dropped"])' describe jobs)"
    done
    gives $'"a"\n"b"' peek jobs
    "$IPCCTL" get jobs --wait --count 3 >"$scratch/got" & # bash has it ignore SIGINT
    getter=$!
    await has jobs taken 2
    kill -INT "$getter"
    ipcctl put jobs '"c"'
    wait "$getter"
    same "what was got" $'"a"\n"b"\n"c"' "$(<"$scratch/got")"
}

test_get_whose_output_nobody_reads_can_be_interrupted() {
    ipcctl create queue jobs --joinable
    printf '"%0200000d"' 0 | ipcctl put jobs
    mkfifo "$scratch/unread"
    exec 9<>"$scratch/unread"
    "$IPCCTL" get jobs >"$scratch/unread" &
    local getter=$! ended=0
    await has jobs taken 1
    kill -TERM "$getter"
    wait "$getter" || ended=$?
    exec 9>&-
    same "how it ended" TERM "$(kill -l "$ended")"
    await has jobs size 1
}

test_get_does_not_mind_a_lease_that_is_over() {
    ipcctl create queue jobs --joinable --lease 1ms
    ipcctl put jobs 1
    "$IPCCTL" get jobs --count 2 --wait >"$scratch/got" 2>"$scratch/said" &
    local getter=$!
    wait "$getter"
    same "what was said" "" "$(<"$scratch/said")"
    await has jobs size 1
}

test_get_with_ack_counts_the_items_as_done() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs 1 2 3
    gives $'1\n2' get jobs --ack --count 2
    same "the unfinished" 1 "$(json 'r["unfinished"]' describe jobs)"
    ipcctl create queue plain
    ipcctl put plain 1
    gives 1 get plain --ack
}

test_get_does_not_lose_an_item_that_could_not_be_written() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs 1 2
    run bash -c '"$1" get jobs --ack >/dev/full' - "$IPCCTL"
    same "the status" 1 "$status"
    matches "the sentence" 'get jobs: cannot write to standard output: No space left' "$errors"
    await has jobs size 2
}

test_get_all_ends_well_when_the_queue_is_shut_down() {
    ipcctl create queue jobs
    ipcctl put jobs 1 2
    "$IPCCTL" get jobs --all --wait >"$scratch/got" &
    local getter=$!
    await has jobs waiting 1
    ipcctl shutdown jobs
    wait "$getter"
    same "what was got" $'1\n2' "$(<"$scratch/got")"
    fails 1 'get jobs: the queue is shut down' get jobs --all
    fails 1 'put jobs: the queue is shut down' put jobs 1
}

test_get_is_woken_when_the_queue_is_deleted() {
    ipcctl create queue jobs
    "$IPCCTL" get jobs --wait >"$scratch/got" 2>"$scratch/said" &
    local getter=$! ended=0
    await has jobs waiting 1
    ipcctl rm jobs
    wait "$getter" || ended=$?
    same "the status" 1 "$ended"
    matches "the sentence" '^ipcctl: get jobs: .*deleted' "$(<"$scratch/said")"
}

test_peek_takes_nothing() {
    ipcctl create queue jobs
    seq 15 | ipcctl put jobs
    gives "$(seq 10)" peek jobs
    gives $'1\n2' peek jobs --count 2
    gives $'14\n15' peek jobs --start 13 -n 5
    gives "$(seq 15)" peek jobs --all
    gives "$(seq 4 15)" peek jobs --all --start=3
    gives '{"position": 14, "value": 15}' peek jobs --start 14 --json
    gives '' peek jobs --start 15
    gives '' peek jobs --count 0
    same "the size" 15 "$(json 'r["size"]' describe jobs)"
}

test_peek_shows_more_than_fits_into_a_message() {
    ipcctl create queue jobs
    python3 -c '
for i in range(40):
    print("%d%s" % (i, "x" * 999998))' | ipcctl put jobs --lines
    same "the first characters of each" "$(seq 0 39)" \
        "$(ipcctl peek jobs --all --raw | sed 's/x*$//')"
}

test_done_and_give_back_work_on_the_tickets_of_others() {
    ipcctl create queue jobs --joinable
    ipcctl put jobs '"a"' '"b"' '"c"'
    "$IPCCTL" get jobs --count 4 --wait >"$scratch/got" &
    local getter=$!
    await has jobs taken 3
    await has jobs waiting 1
    gives '' 'done' jobs
    same "the unfinished" 2 "$(json 'r["unfinished"]' describe jobs)"
    gives '' touch jobs 2
    gives '' give-back jobs 3 --delay 1d
    same "taken, delayed" "1 1" "$(json '"%s %s" % (r["taken"], r["delayed"])' describe jobs)"
    gives '{"unfinished": 1}' 'done' jobs 2 --json
    fails 1 'done jobs: .*not taken' 'done' jobs 2
    fails 1 'done jobs: .*no item' 'done' jobs
    fails 1 'give-back jobs: .*not taken' give-back jobs 99
    fails 2 'done jobs: TICKET must be a number that is not negative, not "x"' 'done' jobs x
    kill "$getter"
}

test_give_back_counts_the_delivery_unless_it_is_uncounted() {
    ipcctl create queue dead
    ipcctl create queue jobs --joinable --max-deliveries 1 --dead-letter dead
    ipcctl put jobs '"a"' '"b"'
    "$IPCCTL" get jobs --count 3 --wait >"$scratch/got" &
    local getter=$!
    await has jobs taken 2
    ipcctl pause jobs
    gives '' give-back jobs 2 --uncounted
    gives '"b"' peek jobs
    gives '' give-back jobs 1
    gives '"a"' peek dead
    kill "$getter"
}

test_describe_tells_what_has_become_of_the_dead_letter_queue() {
    ipcctl create queue jobs --joinable --max-deliveries 1 --dead-letter 'de ad'
    shows '  Its dead letter queue "de ad" is not there: dead items' describe jobs
    ipcctl create dict 'de ad'
    shows '  Its dead letter queue "de ad" is not there: dead items' describe jobs
    ipcctl rm 'de ad'
    ipcctl create queue 'de ad'
    shows '  Its dead letter queue "de ad" has 0 items\.' describe jobs
    ipcctl put 'de ad' 1
    shows '  Its dead letter queue "de ad" has 1 item\.' describe jobs
    ipcctl shutdown 'de ad'
    shows '  Its dead letter queue "de ad" is shut down: dead items' describe jobs
}

test_taken_shows_what_is_taken_and_by_whom() {
    ipcctl create queue jobs --joinable --lease 1h
    ipcctl put jobs '"a\u001b"' "\"$(printf '%0100d' 0)\"" '{"n": 3}'
    gives 'TICKET  DELIVERIES  FOR  LEASE  SESSION  PID  USER  PROGRAM  VALUE  CLIENT' taken jobs
    gives '' taken jobs --json
    "$IPCCTL" get jobs --count 4 --wait >"$scratch/got" &
    local getter=$!
    await has jobs taken 3
    local user
    user="$(id -un) \($(id -u)\)"
    run "$IPCCTL" taken jobs
    same "the rows" 4 "$(wc -l <<<"$output")"
    matches "the first" \
        "1 +1 +[0-9.]+m?s +(1h|59m[0-9]+s) +[0-9]+ +$getter +$user +ipcctl +\"a.u001b\" +ipcctl [0-9.]*" \
        "$(sed -n 2p <<<"$output")"
    matches "the second, cut" ' "0{20,38}… +ipcctl [0-9.]*$' "$(sed -n 3p <<<"$output")"
    run "$IPCCTL" taken jobs --start 1 --count 1
    same "the rows" 2 "$(wc -l <<<"$output")"
    matches "the one at 1" '^ *2 .*… +ipcctl [0-9.]*$' "$(sed -n 2p <<<"$output")"
    same "as JSON" "[3, {'n': 3}, 1, $getter, 'ipcctl', True, True]" "$(json \
        '[r[k] for k in ("ticket", "value", "deliveries", "pid", "program")] + ["$timestamp" in str(r["since"]), 0 < r["lease_ms"] <= 3600000]' \
        taken jobs --start 2)"
    same "all of them" $'1\n2\n3' "$("$IPCCTL" taken jobs --all --json | sed 's/{"ticket": \([0-9]*\).*/\1/')"
    run "$IPCCTL" describe jobs
    matches "the description" '
Taken \(3\):
TICKET  .*
 *3 .*
' "$output"
    kill "$getter"
}

test_describe_shows_the_first_items_that_are_taken() {
    ipcctl create queue jobs --joinable
    seq 12 | ipcctl put jobs
    "$IPCCTL" get jobs --count 13 --wait >"$scratch/got" &
    local getter=$!
    await has jobs taken 12
    run "$IPCCTL" describe jobs
    matches "the description" '
Taken \(12, the first 10\):
TICKET  .*
 *10 .* 10 +ipcctl [0-9.]*

Holding tickets' "$output"
    kill "$getter"
}

test_join_waits_for_the_end_of_the_work() {
    ipcctl create queue jobs --joinable
    gives '' join jobs
    ipcctl put jobs 1
    fails 5 'join jobs: the time ran out' join jobs --timeout 10ms
    "$IPCCTL" join jobs --timeout 1h &
    local joiner=$!
    await has jobs waiting 1
    gives 1 get jobs --ack
    wait "$joiner"
}

test_purge_prints_how_many_there_were() {
    ipcctl create queue jobs
    seq 7 | ipcctl put jobs
    gives 7 purge jobs
    gives 0 purge jobs
}

test_a_paused_queue_holds_its_items_back() {
    ipcctl create queue jobs
    ipcctl put jobs 1 2
    gives '' pause jobs
    fails 3 'get jobs: the queue is paused' get jobs
    shows '
  It is paused: gets find nothing until it is resumed \(ipcctl resume jobs\).
  2 items are held back.
' describe jobs
    shows 'jobs +queue +0 .* paused' ls
    gives '' pause jobs 1h
    shows '
  paused         (1h|59m[0-9]+s)
.*
  It is paused, for (1h|59m[0-9]+s) more: gets find nothing.
' describe jobs
    shows 'jobs +queue +0 .* paused' ls
    gives '' put jobs 3
    gives '' resume jobs
    gives '' resume jobs
    gives $'1\n2\n3' get jobs --all
    shows 'paused         false' describe jobs
    gives '' pause jobs 20ms
    gives '' put jobs 4
    gives 4 get jobs --wait
    fails 2 'pause jobs: TIME must be milliseconds' pause jobs x
}

test_shutdown_drains_or_drops() {
    ipcctl create queue jobs
    ipcctl put jobs 1
    gives '' shutdown jobs
    gives 1 get jobs
    ipcctl create queue other
    ipcctl put other 1
    gives '' shutdown other --immediate
    fails 1 'get other: the queue is shut down' get other
}

test_commands_for_queues_refuse_other_types() {
    ipcctl create dict config
    fails 1 'get config: .*dict' get config
    ipcctl create queue plain
    fails 1 'done plain: .*joinable' 'done' plain 1
    fails 1 'taken plain: .*joinable' taken plain
}

run_tests
