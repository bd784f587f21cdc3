# shellcheck shell=bash disable=SC2154
# demo-cluster: the part of tools/demo about several machines, sourced by it. Three daemons, which stand
# for three hosts, keep their objects in a Redis Cluster of three primaries and three replicas on
# loopback. Producers and consumers share work across them, while a primary and a host are killed.

# on HOST COMMAND…: runs a command on one of the hosts.
on() {
    local host=$1
    shift
    IPCD_SOCKET=$directory/$host.sock "$@"
}

# show_on HOST COMMAND…: the same as it would be typed there, with what it prints.
show_on() {
    local host=$1
    shift
    printf '\n%s%s$ %s%s\n' "$bold" "$host" "$*" "$plain"
    on "$host" "$@" | sed 's/^/    /'
}

# figure NAME: what object.describe says of the queue, seen from host one.
figure() {
    on one ipcctl --json describe tasks | grep -o "\"$1\": *[0-9]*" | grep -o '[0-9]*$'
}

at_least() {
    [ "$(figure "$1")" -ge "$2" ]
}

title "3. A Redis Cluster"
mkdir "$directory/redis"
coproc cluster { exec tools/redis-cluster "$directory/redis" 2>"$directory/redis.log"; }
processes+=("$cluster_PID")
read -r -a words <&"${cluster[0]}" || true
[ "${words[0]:-}" = ready ] || die "the cluster did not come about: $(tail -n 3 "$directory/redis.log")"
ports=("${words[@]:1}")
say "Three primaries and three replicas, on the ports ${ports[*]} of this machine:"
show redis-cli -p "${ports[0]}" cluster info | head -n 8

title "4. Three hosts"
say "Each of these daemons could be on a machine of its own. What their sessions hold stays theirs for"
say "three seconds (the lease; 10 seconds unless told otherwise) if a host is cut off or dies."
for host in one two three; do
    printf '[engine]\nurl = redis://127.0.0.1:%s,127.0.0.1:%s\nhost = %s\nlease = 3s\nengine_timeout = 30s\n' \
        "${ports[0]}" "${ports[1]}" "$host" >"$directory/$host.conf"
    ipcd --socket "$directory/$host.sock" --config "$directory/$host.conf" 2>"$directory/$host.log" &
    processes+=($!)
    daemon=$!
    until_true on "$host" ipcctl ls
done
sed 's/^/    /' "$directory/one.conf"
show_on one ipcctl create queue tasks --joinable
show_on two ipcctl ls -l

title "5. Producers on two of them, consumers on all three"
for host in one two three; do
    on "$host" tasks work 200 >"$directory/$host.did" 2>/dev/null &
    processes+=($!)
    last=$!
done
until_true at_least waiting 3
on one tasks put letter\ {1..20} &
producers=($!)
on two tasks put parcel\ {1..20} &
producers+=($!)
processes+=("${producers[@]}")
until_true at_least gets 6
show_on two ipcctl sessions
show_on three ipcctl describe tasks

title "6. A primary dies"
node=$(on one ipcctl --json describe tasks | grep -o '127\.0\.0\.1:[0-9]*' | head -n 1)
say "The queue is on $node. That redis-server is killed (kill -9); its replica takes its place."
gets=$(figure gets)
kill -KILL "$(cat "$directory/redis/${node#*:}.pid")"
until_true at_least gets $((gets + 3))
say "Nobody was told of an error; the work goes on, on" \
    "$(on one ipcctl --json describe tasks | grep -o '127\.0\.0\.1:[0-9]*' | head -n 1):"
show_on one ipcctl peek --count 2 tasks

title "7. A host dies"
until_true test -s "$directory/three.did"
until_true at_least taken 3
say "Host three is killed (kill -9 of its ipcd) while its consumer is at work on" \
    "\"$(tail -n 1 "$directory/three.did")\"."
{
    kill -KILL "$daemon"
    wait "$daemon"
    wait "$last"
} 2>/dev/null || true
say "When its lease is over one of the others gives that task back."

title "8. The end"
say "Both producers return when nothing is unfinished any more …"
for id in "${producers[@]}"; do
    wait "$id"
done
show_on two ipcctl ls
on one ipcctl shutdown tasks
for host in one two three; do
    say "    the consumer on host $host began $(wc -l <"$directory/$host.did") tasks"
done
distinct=$(cat "$directory"/{one,two,three}.did | sort -u | wc -l)
[ "$distinct" -eq 40 ] || die "$distinct of 40 tasks were done"
say "All 40 tasks were done, though a primary and a host died on the way."
show_on one ipcctl stats | grep -E 'stats|engine' || true
