#!/bin/bash
# Values: words, "-", "@FILE", --text, --raw and "--", the same for every command that takes them.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# bytes COUNT: so many bytes at random, NUL, newlines and no UTF-8 among them.
bytes() {
    printf '\0\n\xff\r\n'
    head -c $(($1 - 5)) /dev/urandom
}

# A map in JSON of more than three megabytes, which no command line can hold.
big_map() {
    python3 -c '
import json
print(json.dumps({f"key {i}": ["x" * 300, i, {"a": None}] for i in range(10000)}, indent=1))'
}

test_bytes_go_in_and_come_out_as_they_are() {
    ipcctl create queue mail
    bytes 3000 >"$scratch/in"
    gives '' put mail --raw - <"$scratch/in"
    gives '' put mail --raw "@$scratch/in"
    gives '' put mail --raw <"$scratch/in"
    ipcctl peek mail -n 1 --raw >"$scratch/out"
    cmp "$scratch/in" "$scratch/out"
    for _ in 1 2 3; do
        ipcctl get mail --raw >"$scratch/out"
        cmp "$scratch/in" "$scratch/out"
    done
}

test_every_command_that_takes_values_takes_bytes() {
    bytes 100 >"$scratch/in"
    printf '{"$bin": "%s"}' "$(base64 -w 0 "$scratch/in")" >"$scratch/json"
    ipcctl create dict d
    ipcctl create list l
    ipcctl create namespace n
    ipcctl dict set d k --raw "@$scratch/in"
    ipcctl dict setdefault d k2 --raw "@$scratch/in" | cmp "$scratch/in"
    ipcctl dict get d none --raw "@$scratch/in" | cmp "$scratch/in"
    ipcctl dict pop d k --raw | cmp "$scratch/in"
    ipcctl list append l --raw "@$scratch/in"
    ipcctl list insert l 0 --raw - <"$scratch/in"
    ipcctl list set l 1 --raw "@$scratch/in"
    gives 2 list count l --raw "@$scratch/in"
    gives 0 list index l "@$scratch/json"
    ipcctl list get l 1 --raw | cmp "$scratch/in"
    ipcctl namespace set n k "@$scratch/json"
    ipcctl namespace get n k --raw | cmp "$scratch/in"
    ipcctl call server.ping --raw "@$scratch/in" | cmp "$scratch/in"
    ipcctl call server.ping @"$scratch/json" --raw --text | cmp "$scratch/json"
}

test_json_of_megabytes_comes_from_files_and_standard_input() {
    ipcctl create dict big
    ipcctl create namespace n
    big_map >"$scratch/big.json"
    gives '' dict update big "@$scratch/big.json"
    gives 10000 dict len big
    gives '' namespace update n - <"$scratch/big.json"
    gives '[{"a": null}]' call dict.get '"big"' '"none"' - <<<'[{"a": null}]'
    gives '' create dict other --initial="@$scratch/big.json"
    gives '' create dict third --option initial=- <"$scratch/big.json"
    same "what came out" "$(ipcctl dict copy big | md5sum)" "$(ipcctl dict copy third | md5sum)"
    same "what came out" "$(ipcctl dict copy big | md5sum)" "$(ipcctl namespace copy n | md5sum)"
    ipcctl dict copy other | python3 -c '
import json, sys
assert json.load(sys.stdin) == json.load(open(sys.argv[1]))' "$scratch/big.json"
}

test_text_is_all_that_is_there() {
    ipcctl create queue q
    printf 'one\ntwo\n' >"$scratch/text"
    gives '' put q --text "@$scratch/text" - <"$scratch/text"
    gives $'"one\\ntwo\\n"\n"one\\ntwo\\n"' get q --all
    gives '' put q --text <"$scratch/text"
    gives $'"one"\n"two"' get q --all
    gives '' put q --text --raw - <"$scratch/text"
    gives '"one\ntwo\n"' get q
    printf 'one\ntw\xff\n' >"$scratch/text"
    fails 1 "put q: $scratch/text, line 2 is not UTF-8; --raw " put q -t "@$scratch/text"
}

test_behind_two_dashes_words_are_as_they_are() {
    ipcctl create queue q
    gives '' put q '"-"' '"@x"'
    gives '' put q --text -- - @x --raw
    gives '' -- put q '"@y"'
    gives $'"-"\n"@x"\n"-"\n"@x"\n"--raw"\n"@y"' get q --all
    fails 2 'put q: "-" is not JSON' put q -- -
    fails 2 'put q: "@x" is not JSON' -- put q @x
    ipcctl create dict d
    gives '' dict set d --text k -- @home
    gives '"@home"' dict get d k
}

test_standard_input_is_one_value() {
    ipcctl create queue q
    printf 5 | fails 2 'put q: standard input can be one value only, and - stands for it twice' put q - -
    printf 5 | fails 2 'create d: standard input can be one value only' \
        create dict d --initial - --option x=-
    printf '1 2' | fails 1 'put q: standard input, line 1 is not JSON: end of file expected' put q -
    fails 1 'put q: standard input is empty, and a value is JSON' put q - </dev/null
    printf 5 | gives '' put q 4 - 6
    gives $'4\n5\n6' get q --all
    fails 2 'put q: --lines is for values from standard input' put q --lines -
    fails 2 'list append l: --json-lines is for values from standard input' list append l 1 --json-lines
}

test_what_is_wrong_with_a_file_is_said_with_its_name_and_line() {
    ipcctl create dict d
    local file=$scratch/f.json
    fails 1 "dict update d: cannot open $file: No such file or directory" dict update d "@$file"
    fails 1 "dict update d: cannot read $scratch: Is a directory" dict update d "@$scratch"
    fails 2 'dict update d: @ must have the name of a file behind it' dict update d @
    printf '{"a": 1,\n"b": [2,\n}\n' >"$file"
    fails 1 "dict update d: $file, line 3 is not JSON: " dict update d "@$file"
    printf '{"a": 1,\n"b": 1e400}\n' >"$file"
    fails 1 "dict update d: $file, line 2: 1e400 is out of range: a float" dict update d "@$file"
    printf '{"a": {"$bin": 5}}' >"$file"
    fails 1 "dict update d: $file: the member of \{\"[$]bin\": ...\} must be base64" dict update d "@$file"
    printf '5' >"$file"
    fails 1 'dict update d: .*map' dict update d "@$file"
    fails 1 "create e: cannot open $file.no: " create dict e --initial "@$file.no"
}

test_what_is_too_large_is_said_with_its_name() {
    ipcctl create queue q
    local file=$scratch/zeros most
    most=$(json "r['limits']['max_message']" call server.hello)
    truncate -s $((most + 1)) "$file"
    fails 1 "put q: $file has more than max_message, $most bytes" put q --raw "@$file"
    fails 1 "put q: $file has more than max_message, $most bytes" put q --text "@$file"
    fails 1 "put q: standard input has more than max_message, $most bytes" put q --raw - </dev/zero
    fails 1 "put q: standard input has more than max_message, $most bytes" put q - </dev/zero
    printf '"%*s"' "$most" x >"$file"
    fails 1 "put q: $file has more than max_message, $most bytes" put q "@$file"
    truncate -s $((most - 5)) "$file" # it fits, but not with what is around it
    fails 1 "put q: .* bytes; the daemon accepts messages of at most $most" put q --raw "@$file"
    truncate -s $((most - 1000)) "$file"
    gives '' put q --raw "@$file"
    ipcctl get q --raw | cmp "$file"
}

test_raw_adds_nothing_to_one_value_and_ends_lines_of_several() {
    ipcctl create queue q
    ipcctl put q '"a"' '"b"' '{"$bin": "Yw=="}' 5 '"e"'
    same "one" "a|" "$(ipcctl get q --raw; echo '|')"
    same "several" $'b\nc\n|' "$(ipcctl peek q -n 2 --raw; echo '|')"
    same "one with --count" "b|" "$(ipcctl get q -n 1 --raw; echo '|')"
    same "all" $'c\n5\ne\n|' "$(ipcctl get q --all --raw; echo '|')"
    ipcctl put q 5
    same "a number is JSON" $'5\n|' "$(ipcctl get q --raw; echo '|')"
}

run_tests
