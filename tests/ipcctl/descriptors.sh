#!/bin/bash
# Open files in values: what is shown of them.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"

# hand TIMES METHOD NAME [KEY] <FILE: the method is called, so many times, with an array of a word
# and the open FILE, which ipcctl itself cannot send.
hand() {
    python3 -c '
import os, socket, sys

def text(word):
    return bytes([0xa0 | len(word)]) + word.encode()

params = [text(word) for word in sys.argv[3:]] + [b"\x92" + text("open") + b"\xd4\x02\x00"]
call = b"\x94\x00\x01" + text(sys.argv[2]) + bytes([0x90 | len(params)]) + b"".join(params)
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(os.environ["IPCD_SOCKET"])
for _ in range(int(sys.argv[1])):
    socket.send_fds(daemon, [call], [0])
    if daemon.recv(100)[3:4] != b"\xc0":
        sys.exit(1)' "$@"
}

# shown_file SIZE: what is shown of the open $scratch/file
shown_file() {
    printf '["open", {"$fd": {"type": "file", "path": "%s", %s, "access": "read"}}]' \
        "$scratch/file" "$1"
}

test_peek_shows_what_is_open_and_get_takes_it() {
    ipcctl create queue q
    echo hello >"$scratch/file"
    hand 1 queue.put q <"$scratch/file"
    gives "$(shown_file '"size": 6')" peek q
    gives '{"position": 0, "value": '"$(shown_file '"size": 6')"'}' peek q --json
    same "the path" "$scratch/file" "$(json 'r["value"][1]["$fd"]["path"]' peek q)"
    rm "$scratch/file"
    gives "$(shown_file '"deleted": true, "size": 6')" get q
    fails 3 'get q: the queue is empty' get q
}

test_get_tells_the_ticket_with_it() {
    local null='["open", {"$fd": {"type": "device", "path": "/dev/null", "access": "read"}}]'
    ipcctl create queue j --joinable
    hand 1 queue.put j </dev/null
    gives '{"value": '"$null"', "ticket": 1, "deliveries": 1}' get j --json
    gives "$null" get j --ack
    fails 3 'get j: the queue is empty' get j
}

test_every_command_that_prints_values_shows_it() {
    local null='["open", {"$fd": {"type": "device", "path": "/dev/null", "access": "read"}}]'
    ipcctl create dict d
    ipcctl create list l
    hand 1 dict.set d k </dev/null
    hand 1 list.append l </dev/null
    gives "$null" dict get d k
    gives "\"k\": $null" dict items d
    gives "\"k\": $null" dict scan d
    gives '{"key": "k", "value": '"$null"'}' dict scan d --json
    gives "$null" list get l 0
    gives "$null" list slice l
    gives "$null" call list.get '"l"' 0
    gives "$null" dict pop d k
}

test_peek_goes_on_behind_what_one_answer_can_carry() {
    ipcctl create queue q
    hand 20 queue.put q </dev/null
    same "the items shown" 20 "$(ipcctl peek q --all | grep -c /dev/null)"
    same "the items taken" 20 "$(ipcctl get q --all | grep -c /dev/null)"
}

test_an_open_file_cannot_be_given_as_text() {
    ipcctl create queue q
    fails 2 'put q: .* must be the open file itself' put q '{"$fd": {"type": "file"}}'
    ipcctl put q '{"$map": [["$fd", 1]]}'
    gives '{"$map": [["$fd", 1]]}' get q
}

run_tests
