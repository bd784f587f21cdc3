#!/bin/bash
# What is shown of objects and sessions where several hosts share an engine: by a daemon that answers
# as it is told (answers.py).
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import msgpack' 2>/dev/null || exit 77
answers=$(dirname "$0")/answers.py
self=$(</proc/$$/comm)

# answer JSON: from now on ipcctl speaks to such a daemon, of the host "near".
answer() {
    IPCD_SOCKET=$scratch/socket
    export IPCD_SOCKET
    local hello='"server.hello": {"server": "ipcd", "version": "1", "protocol": 1, "session": 7,
        "host": "near", "limits": {"max_message": 1000000}}'
    printf '{%s, %s}' "$hello" "$1" >"$scratch/answers"
    /usr/bin/python3 "$answers" "$IPCD_SOCKET" "$scratch/asked" \
        <"$scratch/answers" >"$scratch/says" &
    await grep ready "$scratch/says"
}

# asked METHOD: the params of the last call of it.
asked() {
    grep "\"$1\"" "$scratch/asked" | tail -n 1
}

# session NAME PID [MORE]: what is told of one.
session() {
    printf '{"session": "%s", "host": "%s", "pid": %s, "uid": 0, "gid": 0, "client": null,
        "since": 60, "calls": 1, "waiting": 0, "holding": 0, "bytes": 9%s}' \
        "$1" "${1%%:*}" "$2" "${3-}"
}

readonly ENGINE='"engine": {"kind": "redis", "host": "10.0.0.1:7000"}'

test_ls_shows_where_an_object_lives() {
    answer '"object.list": {"objects": [
        {"name": "far", "type": "queue", "size": 1, '"$ENGINE"'},
        {"name": "local", "type": "queue", "size": 1}], "cursor": null}'
    shows $'^NAME .* WHERE +STATE\nfar .* redis at 10.0.0.1:7000 *\nlocal .* here *$' ls -l
    same "the same in JSON" $'10.0.0.1:7000\nhere' \
        "$(json 'r.get("engine", {"host": "here"})["host"]' ls)"
}

test_describe_shows_where_it_lives_and_who_has_it() {
    answer '"object.describe": {"name": "db", "type": "lock", "depth": 1, "held_since": 60,
        "holder": {"session": "far:3", "owner": null}, "waiting": 1, '"$ENGINE"',
        "holds": [{"session": "far:3", "pid": 1, "uid": 0, "client": null, "since": 60, "depth": 1,
            "owner": null}],
        "waits": [{"session": "near:4", "pid": '$$', "uid": 0, "client": "me", "since_ms": 5,
            "method": "lock.acquire", "timeout_ms": null, "msgid": 1}]}'
    run ipcctl describe db
    matches "where it lives" $'^db: lock\n  lives in +redis at 10.0.0.1:7000\n' "$output"
    matches "the holder" $'\n  holder +session far:3\n' "$output"
    matches "what that means" $'\n  It is held by session far:3, pid 1, for 1m0?s?[0-9.a-z]*\.\n' "$output"
    matches "who holds" $'\nSESSION +PID .*\n +far:3 +1 +- +- ' "$output"
    matches "who waits" $'\nSESSION +PID .*\n +near:4 +'$$" +$self +me +lock.acquire " "$output"
    same "the engine in JSON" "redis - $self" "$(json \
        '" ".join([r["engine"]["kind"], r["holds"][0]["program"], r["waits"][0]["program"]])' \
        describe db)"
}

test_describe_tells_of_a_lock_left_behind_on_another_host() {
    answer '"object.describe": {"name": "db", "type": "lock", "depth": 1, "held_since": 60,
        "holder": {"session": "far:3", "owner": null}, "waiting": 0, "holds": [], "waits": []}'
    run ipcctl describe db
    matches "what that means" $'\n  Session far:3 held it and has ended' "$output"
    [[ $output != *"lives in"* ]] || fail "it lives here, and is said to live elsewhere"
}

test_describe_says_no_more_of_a_holder_than_is_known() {
    answer '"object.describe": {"name": "db", "type": "lock", "depth": 1, "held_since": 60,
        "holder": {"session": "far:3", "owner": null}, "waiting": 0, "waits": [],
        "holds": [{"session": "far:3", "since": 60, "depth": 1}]}'
    run ipcctl describe db
    matches "what that means" $'\n  It is held by session far:3, for 1m' "$output"
    matches "who holds" $'\n +far:3 +- +- +- ' "$output"
}

test_sessions_of_all_hosts_are_listed() {
    answer '"session.list": ['"$(session near:4 $$), $(session nearer:4 $$)"']'
    shows "SESSION .*
 +near:4 +$$ +$self +.*
nearer:4 +$$ +- +" sessions
    same "the same in JSON" "near:4 near $self"$'\nnearer:4 nearer -' \
        "$(json '" ".join([r["session"], r["host"], r["program"]])' sessions)"
}

test_sessions_and_kill_take_names_and_numbers() {
    answer '"session.kill": null, "session.describe": '"$(session far:4 5 ', "open": ["q"],
        "holds": [], "waits": [{"object": "q", "method": "queue.get", "since_ms": 1000,
        "timeout_ms": null}], "cursor": null')"
    shows $'\nWaits in:\n  queue.get of q for 1' sessions far:4
    same "what was asked" '["session.describe", ["far:4", {"limit": 10000}]]' \
        "$(asked session.describe)"
    shows . sessions 12
    same "what was asked" '["session.describe", [12, {"limit": 10000}]]' "$(asked session.describe)"
    gives '' kill far:9223372036854775807
    same "what was asked" '["session.kill", ["far:9223372036854775807"]]' "$(asked session.kill)"
    gives '' kill 9223372036854775807
    same "what was asked" '["session.kill", [9223372036854775807]]' "$(asked session.kill)"
    fails 2 'kill: SESSION must be a number that is not negative, or HOST:NUMBER, not "far:x"' \
        kill far:x
    fails 2 'kill: SESSION must be .* not "far"' kill far
    fails 2 'kill: SESSION must be .* not ":1"' kill :1
    fails 2 'kill: SESSION must be .* not "far:"' kill far:
    fails 2 'kill: SESSION must be from 0 to 9223372036854775807' kill far:9223372036854775808
}

test_lock_ls_finds_the_sessions_of_holders() {
    answer '"session.list": ['"$(session near:4 $$), $(session far:4 5)"'],
        "object.list": {"objects": [
        {"name": "a", "type": "lock", "depth": 1, "held_since": 60, "waiting": 0, '"$ENGINE"',
            "holder": {"session": "far:4", "owner": 1}},
        {"name": "b", "type": "lock", "depth": 1, "held_since": 60, "waiting": 0, '"$ENGINE"',
            "holder": {"session": "near:4", "owner": 1}},
        {"name": "c", "type": "lock", "depth": 1, "held_since": 60, "waiting": 0,
            "holder": {"session": 4, "owner": 1}},
        {"name": "d", "type": "lock", "depth": 1, "held_since": 60, "waiting": 0,
            "holder": {"session": "gone:4", "owner": 1}},
        {"name": "e", "type": "lock", "depth": 0, "held_since": null, "waiting": 0, "holder": null}
        ], "cursor": null}'
    shows "
a +far:4 +5 +- .*
b +near:4 +$$ +$self .*
c +4 +$$ +$self .*
d +gone:4 +- +- .*
e +- +- +- " lock ls
    same "the same in JSON" "far:4 5,near:4 $$,4 $$,gone:4 None,None None" \
        "$(json 'str((r["holder"] or {}).get("session")) + " " + str(r["pid"])' lock ls | paste -sd,)"
}

test_lock_break_names_the_session() {
    answer '"lock.break": {"session": "far:4", "owner": null, "depth": 1},
        "session.describe": '"$(session far:4 5 ', "open": [], "holds": [], "waits": []')"
    gives 'db: taken from session far:4, pid 5' lock break db
    same "what was asked" '["session.describe", ["far:4"]]' "$(asked session.describe)"
}

test_taken_shows_sessions_of_other_hosts() {
    answer '"queue.taken": [{"ticket": 1, "value": "v", "deliveries": 1, "session": "far:4",
        "pid": '$$', "uid": 0, "client": null, "since": 60, "lease_ms": null},
        {"ticket": 2, "value": "w", "deliveries": 1, "session": "far:5", "since": 60,
        "lease_ms": null}]'
    shows $'\n +1 +1 +1m[0-9.a-z]* +- +far:4 +'$$' +root \(0\) +- +"v" .*
 +2 +1 +1m[0-9.a-z]* +- +far:5 +- +- +- +"w" +-' taken jobs --count 2
}

test_stats_show_the_engine() {
    answer '"server.stats": {"version": "1", "uptime": 5, "users": [], "calls": {}, "errors": {},
        "limits": {}, "engine": {"kind": "redis", "host": "near", "reachable": true,
        "waits": 3, "latency_us": {"median": 90}}}'
    shows $'\nengine kind +redis\nengine host +near\nengine reachable +true\nengine waits +3\nengine latency_us median +90\n' stats
    same "the same in JSON" 3 "$(json 'r["engine"]["waits"]' stats)"
}

test_completion_offers_names_of_sessions_but_its_own() {
    answer '"session.list": ['"$(session near:7 $$), $(session near:4 5), $(session far:7 6)"']'
    gives $'near:4\nfar:7' complete 'ipcctl kill '
    gives 'far:7' complete 'ipcctl kill f'
    gives '7' complete 'ipcctl kill far:' ':'
}

run_tests
