# shellcheck shell=bash disable=SC2154
# demo-machine: the part of tools/demo about one machine, sourced by it. Two producers and three
# consumers share work through a daemon, each a process, while ipcctl looks on. Then a daemon that keeps
# its objects on disk is killed and started again; and the Python program of the README, which has a
# daemon of its own, is run.

title "3. A daemon"
export IPCD_SOCKET=$directory/ipcd.sock
say "A daemon of our own, on the socket $IPCD_SOCKET:"
ipcd --socket "$IPCD_SOCKET" 2>"$directory/log" &
processes+=($!)
daemon=$!
until_true ipcctl ls
head -n 1 "$directory/log" | sed 's/^<[0-9]>//; s/^/    /'

title "4. Producers and consumers"
say "A joinable queue for tasks. Whoever takes one out gets a ticket, and it stays the queue's"
say "until it is done."
show ipcctl create queue tasks --joinable

say ""
say "Three consumers, each a process of the program client/examples/tasks.c; a task takes them 0.3"
say "seconds. The queue is empty, so they wait."
for name in one two three; do
    tasks work 300 >"$directory/$name" &
    processes+=($!)
    last=$!
done
until_true at_least waiting 3
show ipcctl sessions

say ""
say "Two producers put ten tasks each, and wait until all are done."
tasks put letter\ to\ {Łódź,Zürich,Aarhus,Malmö,Graz,Porto,Nîmes,Turku,Brno,Gent} &
producers=($!)
tasks put parcel\ to\ {東京,Québec,Reykjavík,Αθήνα,Київ,Lima,Hà\ Nội,Bogotá,Dakar,Oslo} &
producers+=($!)
processes+=("${producers[@]}")
until_true at_least gets 6

title "5. What ipcctl sees while they work"
show ipcctl ls
show ipcctl describe tasks
say ""
say "Looking into the queue takes nothing out:"
show ipcctl peek --count 3 tasks

title "6. A consumer dies"
until_true at_least taken 3
say "Consumer three is killed (kill -9) in the middle of a task: $(tail -n 1 "$directory/three")"
{
    kill -KILL "$last"
    wait "$last"
} 2>/dev/null || true # the shell would tell of it too
say "The daemon puts that task back at the head of the queue, and one of the others will do it."
show ipcctl sessions

title "7. The end"
say "Both producers return when nothing is unfinished any more …"
for id in "${producers[@]}"; do
    wait "$id"
done
show ipcctl ls
say ""
say "… and when the queue is shut down the consumers end as well."
show ipcctl shutdown tasks
for id in "${processes[@]:1:2}"; do
    wait "$id"
done
for name in one two three; do
    say "    consumer $name began $(wc -l <"$directory/$name") tasks"
done
begun=$(cat "$directory"/{one,two,three} | wc -l)
distinct=$(cat "$directory"/{one,two,three} | sort -u | wc -l)
[ "$distinct" -eq 20 ] || die "$distinct of 20 tasks were done"
if [ "$begun" -gt 20 ]; then
    say "All 20 tasks were done. The one of the consumer that was killed was begun twice."
else
    say "All 20 tasks were done. The consumer that was killed had just finished its own."
fi
show ipcctl stats

title "The daemon stops"
kill -TERM "$daemon"
wait "$daemon"
tail -n 1 "$directory/log" | sed 's/^<[0-9]>//; s/^/    /'

title "8. A daemon is killed, and nothing is lost"
# start_keeper: a daemon that keeps durable objects in a directory; sets `daemon`.
start_keeper() {
    rm -f "$IPCD_SOCKET"
    ipcd --socket "$IPCD_SOCKET" --state "$directory/state" 2>>"$directory/log" &
    daemon=$!
    processes+=("$daemon")
    until_true ipcctl ls
}
say "Another daemon, which keeps its durable objects in $directory/state. Ten jobs are put:"
say "when ipcctl has returned, they are on disk."
start_keeper
show ipcctl create queue tasks --joinable --durable
seq -f 'job %g' 10 | ipcctl put --lines tasks
say ""
say "A worker begins with them, and the daemon is killed (kill -9) while a job is in its hands."
tasks work 100 >"$directory/before" 2>/dev/null &
worker=$!
processes+=("$worker")
until_true at_least taken 1
until_true grep -q 'job 2' "$directory/before"
{
    kill -KILL "$daemon"
    wait "$daemon"
    wait "$worker"
} 2>/dev/null || true
say "The worker had begun with $(wc -l <"$directory/before"). A new daemon reads what is there:"
start_keeper
show ipcctl ls -l
tasks work 0 >"$directory/after" &
worker=$!
processes+=("$worker")
tasks put
ipcctl shutdown tasks
wait "$worker"
distinct=$(cat "$directory"/{before,after} | sort -u | wc -l)
[ "$distinct" -eq 10 ] || die "$distinct of 10 jobs were done"
say ""
say "Another worker does the rest: all 10 were done; what was in hand was begun twice."
show ipcctl stats | grep -E '^ *(\$|store) |stats'
kill -TERM "$daemon"
wait "$daemon"
if [ -e "$build/client/python/ipcd/_core.abi3.so" ]; then
    title "9. In Python, without a daemon"
    say "A program for multiprocessing, but for its import. It starts a private daemon, kills one of its"
    say "workers, and has everything done:"
    unset IPCD_SOCKET
    show env PYTHONPATH="$build/client/python" /usr/bin/python3 client/python/examples/tasks.py
fi
