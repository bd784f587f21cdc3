#!/bin/bash
# The bash completion: the script, as readline would call it.
# shellcheck source=tests/ipcctl/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/ipcctl.bash
. "$(dirname "$0")/../../tools/ipcctl.bash"
COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'

# Outside of a completion bash has no options of it.
compopt() {
    :
}

# completes LINE CANDIDATE…: what readline would be told when TAB is pressed behind the line.
completes() {
    COMP_LINE=$1
    COMP_POINT=${#COMP_LINE}
    shift
    _ipcctl "$IPCCTL" "${COMP_LINE##*[ =:]}"
    same "what completes '$COMP_LINE'" "$(printf '%s\n' "$@")" \
        "$(printf '%s\n' "${COMPREPLY[@]-}")"
}

test_commands_and_their_second_words() {
    completes 'ipcctl de' describe
    completes 'ipcctl g' get give-back
    completes 'ipcctl di' dict
    completes 'ipcctl ru' run
    completes 'ipcctl dict set' set setdefault
    completes 'ipcctl list po' pop
    completes 'ipcctl nonsense ' ''
    completes 'ipcctl dict nonsense ' ''
    completes 'ipcctl help dict s' set scan setdefault
    completes 'ipcctl help queue.ge' queue.get queue.get_many queue.get_any
    completes 'ipcctl call list.po' list.pop
}

test_options_and_their_values() {
    completes 'ipcctl get jobs --a' --all --ack
    completes 'ipcctl create --max' --maxsize= --max-deliveries=
    completes 'ipcctl create --order=' fifo lifo priority
    completes 'ipcctl create --order=l' lifo
    completes 'ipcctl create --order p' priority
    completes 'ipcctl --so' --socket=
    completes 'ipcctl create ' queue dict list namespace lock semaphore condition event barrier value array \
        pipe
    completes 'ipcctl ls --type d' dict
    completes 'ipcctl get -- --a' ''
    completes 'ipcctl watch jobs --events=gi' give_back
    completes 'ipcctl watch jobs -e put,de' put,dead put,delete put,denied put,deleted
}

test_options_are_those_of_the_type() {
    completes 'ipcctl create lock l --re' --recursive --release-by=
    completes 'ipcctl create queue q --re' ''
    completes 'ipcctl create event e --m' --mode=
    completes 'ipcctl create queue q --on-disconnect=' requeue discard
    completes 'ipcctl create lock l --on-disconnect ' release keep
    completes 'ipcctl create queue q --option ma' maxsize= max_deliveries=
    completes 'ipcctl create queue q -o order=' '\"fifo\"' '\"lifo\"' '\"priority\"'
    completes 'ipcctl create queue q --option joinable=t' true
    completes "ipcctl create queue q --option 'order=" 'order="fifo"' 'order="lifo"' 'order="priority"'
    completes 'ipcctl create queue q --option maxsize=' ''
    completes 'ipcctl create queue q --option bogus=' ''
    completes 'ipcctl create nonsense q --option ' ''
}

test_names_are_those_of_the_fitting_type() {
    ipcctl create queue jobs
    ipcctl create queue mail
    ipcctl create dict config
    ipcctl create list log
    completes 'ipcctl get ' jobs mail
    completes 'ipcctl get j' jobs
    completes 'ipcctl put ' jobs mail
    completes 'ipcctl dict get ' config
    completes 'ipcctl list len ' log
    completes 'ipcctl describe ' jobs mail config log
    completes 'ipcctl describe jobs m' mail
    completes 'ipcctl rm l' log
    completes 'ipcctl create queue x --dead-letter m' mail
    completes 'ipcctl -T 5 get m' mail
    completes "ipcctl -s $IPCD_SOCKET get m" mail
    completes 'ipcctl get jobs ' ''
    completes 'ipcctl create queue ' ''
}

test_users_and_groups_are_those_of_the_system() {
    ipcctl create queue jobs
    completes 'ipcctl chgrp roo' root
    completes 'ipcctl chown roo' root
    completes 'ipcctl chown root:roo' root
    completes 'ipcctl chgrp root j' jobs
    completes 'ipcctl chown root:root j' jobs
    completes 'ipcctl create queue x --group=roo' root
    completes 'ipcctl create queue x --group roo' root
    completes 'ipcctl chow' chown
}

test_tickets_are_those_of_the_queue() {
    ipcctl create queue jobs --joinable
    ipcctl create queue other --joinable
    ipcctl put jobs 1 2
    "$IPCCTL" get jobs --count 3 --wait >"$scratch/got" &
    local getter=$!
    await has jobs taken 2
    completes 'ipcctl done jobs ' 1 2
    completes 'ipcctl give-back jobs 1 ' 1 2
    completes 'ipcctl touch jobs 2' 2
    completes 'ipcctl done other ' ''
    completes 'ipcctl done none ' ''
    kill "$getter"
}

test_names_are_written_so_that_the_shell_takes_them() {
    ipcctl create queue 'my jobs'
    ipcctl create queue "it's \$5"
    ipcctl create queue 'a*b'
    completes 'ipcctl get m' 'my\ jobs'
    completes 'ipcctl get my\ ' 'my\ jobs'
    completes 'ipcctl get "my j' 'my jobs'
    completes "ipcctl get 'my j" 'my jobs'
    completes 'ipcctl get i' "it\\'s\\ \\\$5"
    completes 'ipcctl get "i' "it's \\\$5"
    completes 'ipcctl get a' 'a\*b'
    completes 'ipcctl get a\*' 'a\*b'
}

test_words_are_completed_behind_the_last_break() {
    ipcctl create queue a:b:c
    ipcctl create queue a:b:d
    completes 'ipcctl get a' a:b:c a:b:d
    completes 'ipcctl get a:' b:c b:d
    completes 'ipcctl get a:b:' c d
    completes 'ipcctl get "a:b' a:b:c a:b:d
}

test_sessions_are_numbers_but_ones_own() {
    ipcctl create queue jobs
    "$IPCCTL" get jobs --wait >"$scratch/got" &
    local getter=$!
    await has jobs waiting 1
    completes 'ipcctl kill ' "$(json "r['session'] if r['pid'] == $getter else ''" sessions | grep .)"
    kill "$getter"
}

test_sync_commands_complete_their_names() {
    ipcctl create lock db
    ipcctl create lock disk
    ipcctl create event ready
    ipcctl create namespace data
    completes 'ipcctl lock ' ls show break release
    completes 'ipcctl lock break d' db disk
    completes 'ipcctl event set ' ready
    completes 'ipcctl namespace get ' data
    completes 'ipcctl barrier show ' ''
    ipcctl create value total --typecode i
    completes 'ipcctl value add ' total
    completes 'ipcctl array ' get set add slice set-slice len
    completes 'ipcctl condition not' notify notify-all
    completes 'ipcctl create --release-by=' owner anyone
    completes 'ipcctl create condition c --lock d' db disk
    completes 'ipcctl run --lock=d' db disk
    a_program_of_the_test() {
        :
    }
    completes 'ipcctl run --lock db -- a_program_of' a_program_of_the_test
    touch "$scratch/one.file"
    completes "ipcctl run --lock db cat $scratch/one" "$scratch/one.file"
}

test_files_complete_the_socket() {
    mkdir "$scratch/folder"
    touch "$scratch/folder/one.sock" "$scratch/folder/two.sock"
    completes "ipcctl --socket $scratch/folder/o" "$scratch/folder/one.sock"
    completes "ipcctl --socket=$scratch/folder/t" "$scratch/folder/two.sock"
}

test_files_complete_the_at_of_a_value() {
    mkdir "$scratch/folder"
    touch "$scratch/folder/one.json" "$scratch/folder/two.json"
    completes "ipcctl put jobs @$scratch/folder/o" "@$scratch/folder/one.json"
    completes "ipcctl put jobs 1 -t @$scratch/fol" "@$scratch/folder/"
    completes "ipcctl dict update d @$scratch/folder/" \
        "@$scratch/folder/one.json" "@$scratch/folder/two.json"
    completes "ipcctl create dict d --initial=@$scratch/folder/t" "@$scratch/folder/two.json"
    completes "ipcctl create dict d -o initial=@$scratch/folder/t" "@$scratch/folder/two.json"
    completes "ipcctl put jobs -- @$scratch/folder/o" ''
    completes "ipcctl get @$scratch/folder/o" ''
    # As readline calls it when "@" is a break of words.
    COMP_LINE="ipcctl put jobs @$scratch/folder/o"
    COMP_POINT=${#COMP_LINE}
    _ipcctl "$IPCCTL" "$scratch/folder/o"
    same "what stands behind the @" "$scratch/folder/one.json" "${COMPREPLY[*]}"
}

test_without_a_daemon_there_are_no_names_and_no_noise() {
    export IPCD_SOCKET=$scratch/nobody
    run completes 'ipcctl get ' ''
    same "what is said" '' "$errors"
    completes 'ipcctl ge' get
}

run_tests
