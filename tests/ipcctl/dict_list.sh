#!/bin/bash
# dict and list.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

test_dict_keys_are_set_got_and_deleted() {
    ipcctl create dict d
    gives '' dict set d colour '"blue"'
    gives 'true' dict set d 5 '[1, 2]' --json
    gives 'false' dict set d 5 '[3]' --json
    gives '"blue"' dict get d colour
    gives 'blue' dict get d colour --raw
    gives '[3]' dict get d 5
    fails 6 'dict get d: .*"flavour"' dict get d flavour
    fails 6 'dict get d: .*"5"' dict get d '"5"'
    gives '"none"' dict get d flavour '"none"'
    gives 'null' dict get d flavour null
    gives '' dict del d colour
    fails 6 'dict del d: .*"colour"' dict del d colour
    fails 6 'dict get nope: .*"nope"' dict get nope key
}

test_dict_keys_are_json_or_bare_words() {
    ipcctl create dict d
    gives '' dict set d true 1
    gives '' dict set d _x 2
    gives '' dict set d größe 3
    gives '' dict set d '[1, "a"]' 4
    gives '' dict set d 5 6 --text
    gives '' dict set d '{"$bin": "QQ=="}' 7
    gives $'true\n"_x"\n"größe"\n[1, "a"]\n"5"\n{"$bin": "QQ=="}' dict keys d
    gives $'true\n_x\ngröße\n[1, "a"]\n5\nA' dict keys d --raw
    gives $'1\n2\n3\n4\n"6"\n7' dict values d
    gives $'true: 1\n"_x": 2\n"größe": 3\n[1, "a"]: 4\n"5": "6"\n{"$bin": "QQ=="}: 7' dict items d
    fails 1 'dict set d: .*map' dict set d '{"a": 1}' 1
    fails 2 'dict set d: "\[1" is not JSON' dict set d '[1' 1
}

test_dict_numbers_are_counted() {
    ipcctl create dict d
    gives 1 dict incr d n
    gives -4 dict incr d n -5
    gives -3.5 dict incr d n 0.5
    gives 107 dict incr d m 7 100
    ipcctl dict set d s '"text"'
    fails 1 'dict incr d: ' dict incr d s
    fails 2 'dict incr d: DELTA must be a number like 5, -2.5 or 1e3, not "x"' dict incr d n x
}

test_dict_cas_sets_only_what_was_expected() {
    ipcctl create dict d
    gives true dict cas d k '[]' '[1]'
    gives false dict cas d k '[2]' '[3]'
    gives true dict cas d k '[1]' '[3]'
    gives 3 dict get d k
    gives true dict cas d k '[3]' '[]'
    gives false dict contains d k
}

test_dict_as_a_whole() {
    ipcctl create dict d --initial '{"a": 1}'
    gives '' dict update d '{"b": 2, "a": 3}'
    gives '{"a": 3, "b": 2}' dict copy d
    gives 2 dict len d
    gives true dict contains d a
    gives 3 dict setdefault d a 9
    gives null dict setdefault d c
    gives '["c", null]' dict popitem d
    gives 2 dict pop d b
    gives 8 dict pop d b 8
    fails 6 'dict pop d: ' dict pop d b
    gives '' dict clear d
    gives 0 dict len d
    fails 6 'dict popitem d: ' dict popitem d
}

test_dict_items_and_scan_are_records_in_json() {
    ipcctl create dict d
    python3 -c 'import json; print(json.dumps({str(i): i for i in range(2500)}))' >"$scratch/map"
    gives '' dict update d "$(<"$scratch/map")"
    same "what items prints" "$(seq 0 2499)" "$(json 'r["value"]' dict items d)"
    same "what scan prints" "$(seq 0 2499)" "$(json 'r["key"]' dict scan d)"
    same "what scan prints in steps" "$(seq 0 2499)" "$(json 'r["key"]' dict scan d --count 7)"
}

test_dict_wait_waits_for_a_key() {
    ipcctl create dict d
    fails 5 'dict wait d: the time ran out' dict wait d k --timeout 10
    "$IPCCTL" dict wait d k >"$scratch/got" &
    local waiter=$!
    await has d waiting 1
    ipcctl dict set d k '"here"'
    wait "$waiter"
    same "the value" '"here"' "$(<"$scratch/got")"
}

test_list_values_are_appended_and_got() {
    ipcctl create list l
    gives '' list append l 1 '"two"'
    gives '{"put": 1}' list append l --text three --json
    seq 4 5 | gives '' list append l
    printf 'x\ny\n' | gives '' list append l --lines
    gives $'1\n"two"\n"three"\n4\n5\n"x"\n"y"' list slice l
    gives 7 list len l
    gives '"y"' list get l -1
    gives 'y' list get l 6 --raw
    fails 6 'list get l: index 7 is out of range' list get l 7
    fails 2 'list get l: INDEX must be an integer, not "x"' list get l x
}

test_list_values_are_changed() {
    ipcctl create list l --initial '[1, 2, 3]'
    gives '' list set l 0 '"a"'
    gives '' list insert l -1 '"b"'
    gives $'"a"\n2\n"b"\n3' list slice l
    gives 3 list pop l
    gives '"a"' list pop l 0
    gives '' list del l -1
    gives 12 list incr l 0 10
    gives 13 list incr l 0
    gives $'13' list slice l
    gives '' list clear l
    fails 6 'list pop l: ' list pop l
}

test_list_slices_are_pythons() {
    ipcctl create list l --initial '[0, 1, 2, 3, 4, 5]'
    gives $'1\n2' list slice l 1 3
    gives $'4\n5' list slice l -2
    gives $'5\n3\n1' list slice l null null -2
    gives $'0\n2' list slice l 0 -2 2
    fails 1 'list slice l: ' list slice l 0 5 0
    fails 2 'list slice l: START must be an integer' list slice l a
}

test_list_values_are_found() {
    ipcctl create list l --initial '["a", "b", "a", 1]'
    gives 1 list index l '"b"'
    gives 2 list index l --text a 1
    fails 1 'list index l: ' list index l '"zz"'
    gives 2 list count l '"a"'
    gives true list contains l 1
    gives false list contains l 1.0
    gives '' list remove l '"a"'
    gives $'"b"\n"a"\n1' list slice l
    fails 1 'list remove l: ' list remove l '"zz"'
}

test_list_is_put_in_order() {
    ipcctl create list l --initial '[2, 3, 1]'
    gives '' list sort l
    gives $'1\n2\n3' list slice l
    gives '' list sort l --reverse
    gives $'3\n2\n1' list slice l
    gives '' list reverse l
    gives '' list repeat l 2
    gives $'1\n2\n3\n1\n2\n3' list slice l
    ipcctl list append l '"x"'
    fails 1 'list sort l: .*cannot be ordered' list sort l
}

run_tests
