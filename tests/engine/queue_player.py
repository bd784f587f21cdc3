"""queue_player: plays random calls on queues with all options, from sessions of two hosts, with time
by hand, to the engine and to the model, and compares each answer, event and figure."""
import random

import msgpack

import harness
from harness import EngineError, Waiting, stored, stored_as
from queue_model import NEVER, Refused
from queue_model_calls import Call, Model

NAMES = ["dead{t}", "q{t}", "r{t}"]
LIMIT = "100000"  # of a call that waits: a wait without limit has no end of its time


def code_of(error):
    """An error's code; a fault is one of the test."""
    assert error.code != "INTERNAL", error
    return error.code


class Player:
    """Plays the same calls to the engine and to the model."""

    def __init__(self, engine, seed, is_watched):
        self.random = random.Random(seed)
        self.engine = engine
        self.hosts = [harness.Host(engine), harness.Host(engine, "b", 7)]
        self.model = Model(engine.now)
        self.sessions = [(host, session) for host in self.hosts for session in (1, 2)]
        self.next_session = 3
        self.next_value = 0
        self.numbers = 0
        self.waits = []    # (Waiting, Call), not known to be served
        self.served = []   # the same, served and not acknowledged
        self.words = "strs" if self.random.random() < 0.3 else "numbers"
        for name in NAMES:
            self.open(name)
        self.listener = None
        if is_watched:
            self.listener = self.hosts[0].listen(NAMES[0])
            for name in NAMES:
                self.hosts[0].call("object.watch", name)

    # Opening.

    def options(self, name):
        """Random ones."""
        choose = self.random.choice
        options = {"maxsize": choose([0, 0, 1, 3, 10]),
                   "order": choose(["fifo", "fifo", "lifo", "priority"])}
        if self.random.random() < 0.6:
            options.update(joinable=True, discard=choose([False, False, True]),
                           lease_ms=choose([0, 0, 20, 2**63 - 1]),
                           max_deliveries=choose([0, 0, 1, 2]))
            if name != NAMES[0] and self.random.random() < 0.7:
                options["dead_letter"] = NAMES[0]
        return options

    def open(self, name):
        """Makes a queue and shows it to both hosts."""
        options = self.options(name)
        is_joinable = options.get("joinable", False)
        strings = [str(options["maxsize"]), options["order"], "1" if is_joinable else ""]
        if is_joinable:
            strings += ["discard" if options["discard"] else "requeue", str(options["lease_ms"]),
                        str(options["max_deliveries"]), options.get("dead_letter", "")]
        for host in self.hosts:
            host.open("queue", name, *strings)
        self.model.open(name, **options)

    # Values.

    def value(self):
        """A value of its own, and its stored form."""
        self.next_value += 1
        n = self.next_value
        kind = self.random.randrange(8)
        if kind == 0:
            return n, stored_as(stored(n), b"\xd3" + n.to_bytes(8, "big"))
        if kind == 1:
            value = [n, "x" * self.random.choice([0, 40, 5000])]
            return value, stored(value)
        return n, stored(n)

    def rank(self):
        """A priority; mostly of one kind."""
        if (self.words == "strs") != (self.random.random() < 0.1):
            return self.random.choice(["", "a", "a\0", "a\0b", "ab", "b"])
        return self.random.choice([0, -1, 1, 1.5, 2**63, -2**63, 2**53 + 1, float(2**53), 1e300])

    # Calls: each makes the engine's op, and what the model does, which returns its answer.

    def new_call(self, who, verb, queues, *args):
        """A call of the model."""
        self.numbers += 1
        host, session = who
        return Call(self.numbers, host.sid(session), verb, [self.model.queues[n] for n in queues],
                    args)

    def waiting_call(self, who, verb, name, strings, *args, names=None):
        """A call that may wait: (op, how the model runs it)."""
        host, session = who
        call = self.new_call(who, verb, names or [name], *args)
        may_wait = self.random.random() < 0.8
        op = host.op("queue." + verb, name, *strings, session=session, wait=may_wait)
        if names:
            op.version = msgpack.packb([host.versions[n] for n in names])
        return op, call, lambda: self.model.start(call, may_wait)

    def put(self, who, name):
        """queue.put"""
        value, packed = self.value()
        rank, has_rank = self.rank(), self.random.random() < 0.7
        delay = self.random.choice([0, 0, 0, 5, 30, 2**63 - 1])
        ttl = self.random.choice([0, 0, 0, 5, 40, 2**63 - 1])
        is_head = self.random.random() < 0.1
        strings = [packed, LIMIT, stored(rank) if has_rank else "", str(delay), str(ttl),
                   "1" if is_head else ""]
        if self.random.random() < 0.4:
            has_rank, delay, ttl, is_head, strings = False, 0, 0, False, [packed, LIMIT]
        return self.waiting_call(who, "put", name, strings, value, rank if has_rank else 0, delay,
                                 ttl, is_head)

    def put_many(self, who, name):
        """queue.put_many"""
        values = [self.value() for _ in range(self.random.choice([0, 1, 3, 3, 17]))]
        array = msgpack.packb([packed for _, packed in values])
        return self.waiting_call(who, "put_many", name, [array, LIMIT], [value for value, _ in values])

    def get(self, who, name):
        """queue.get"""
        return self.waiting_call(who, "get", name, [LIMIT])

    def get_many(self, who, name):
        """queue.get_many"""
        most = self.random.choice([0, 1, 2, 5, 2**63 - 1])
        return self.waiting_call(who, "get_many", name, [str(most), LIMIT], most)

    def get_any(self, who, _):
        """queue.get_any"""
        names = [self.random.choice(NAMES) for _ in range(self.random.randint(1, 4))]
        kept = list(dict.fromkeys(names))
        op, call, run = self.waiting_call(who, "get_any", names[0], [msgpack.packb(names), LIMIT],
                                          names=names)
        call.queues = [self.model.queues[name] for name in kept]
        return op, call, run

    def join(self, who, name):
        """queue.join"""
        if not self.model.queues[name].options.joinable:
            return self.get(who, name)
        return self.waiting_call(who, "join", name, [LIMIT])

    def at_once(self, who, verb, name, strings, act):
        """A call that never waits: act(queue) does it to the model."""
        host, session = who
        call = self.new_call(who, verb, [name])
        queue = self.model.queues[name]

        def run():
            self.model.tick(queue)
            try:
                self.model.results[call.number] = act(queue)
            except Refused as error:
                self.model.results[call.number] = error.code
            self.model.serve()
        return host.op("queue." + verb, name, *strings, session=session, wait=False), call, run

    def ticket(self, queue):
        """One that is taken, mostly."""
        if queue.taken and self.random.random() < 0.9:
            return self.random.choice(list(queue.taken))
        return self.random.choice([0, 1, 5, 2**53 + 1, 2**64 - 1])

    @staticmethod
    def taken_item(queue, ticket):
        """The item of a ticket."""
        if not queue.options.joinable:
            raise Refused("WRONG_TYPE")
        if ticket not in queue.taken:
            raise Refused("VALUE")
        return queue.taken[ticket]

    def task_done(self, who, name):
        """queue.task_done"""
        host, session = who
        sid = host.sid(session)
        given = self.ticket(self.model.queues[name]) if self.random.random() < 0.5 else None

        def act(queue):
            ticket = given
            if ticket is None and queue.options.joinable:
                own = [t for t, item in queue.taken.items() if item.sid == sid]
                others = list(queue.taken) if not queue.options.lease_ms else []
                ticket = (own + others + [None])[0]
            queue.done(self.taken_item(queue, ticket))
            return queue.unfinished
        return self.at_once(who, "task_done", name, [] if given is None else [str(given)], act)

    def give_back(self, who, name):
        """queue.give_back"""
        ticket = self.ticket(self.model.queues[name])
        delay = self.random.choice([0, 0, 5, 30, 2**63 - 1])
        is_uncounted = self.random.random() < 0.3

        def act(queue):
            item = self.taken_item(queue, ticket)
            if is_uncounted:
                item.deliveries -= 1
                queue.gets -= 1
            queue.give_back(item, "call", delay)
            queue.pass_on()
        return self.at_once(who, "give_back", name,
                            [str(ticket), str(delay) if delay else "", "1" if is_uncounted else ""],
                            act)

    def touch(self, who, name):
        """queue.touch"""
        ticket = self.ticket(self.model.queues[name])
        return self.at_once(who, "touch", name, [str(ticket)], lambda queue:
                            queue.start_lease(self.taken_item(queue, ticket)))

    def taken(self, who, name):
        """queue.taken"""
        start, count = self.random.choice([0, 0, 1, 2]), self.random.choice([1, 3, 2**63 - 1])

        def act(queue):
            if not queue.options.joinable:
                raise Refused("WRONG_TYPE")
            return [{"ticket": item.ticket, "value": item.value, "deliveries": item.deliveries,
                     "session": item.sid.replace("/1", "").replace("/7", ""), "since": item.taken,
                     "lease_ms": None if item.due is None else max(item.due - self.model.now, 0)}
                    for item in list(queue.taken.values())[start:start + count]]
        return self.at_once(who, "taken", name, [str(start), str(count)], act)

    def peek(self, who, name):
        """queue.peek"""
        start = self.random.choice([0, 0, 1, 2, 5, 2**63 - 1])
        count = self.random.choice([0, 1, 2, 50, 2**63 - 1])
        return self.at_once(who, "peek", name, [str(start), str(count)], lambda queue:
                            [item.value for item in queue.in_order()[start:start + count]])

    def look(self, who, name):
        """queue.qsize, empty, full"""
        verb = self.random.choice(["qsize", "empty", "full"])
        return self.at_once(who, verb, name, [], lambda queue:
                            {"qsize": queue.size, "empty": queue.size == 0,
                             "full": queue.is_full()}[verb])

    def end(self, who, name):
        """queue.clear, shutdown, pause, resume"""
        pick = self.random.randrange(10)
        if pick < 3:
            return self.at_once(who, "clear", name, [], lambda queue: queue.clear())
        if pick < 4:
            immediate = self.random.random() < 0.3
            drain = self.random.choice([None, None, True, False])
            given = drain is not None or self.random.random() < 0.3

            def act(queue):
                queue.shutdown(immediate, drain)
                return len(queue.taken) if given else None
            return self.at_once(who, "shutdown", name,
                                ["1" if immediate else "", "" if drain is None else str(int(drain)),
                                 "1" if given else ""], act)
        if pick < 7:
            ms = self.random.choice([None, 0, 10, 50, 2**63 - 1])
            return self.at_once(who, "pause", name, ["" if ms is None else str(ms)],
                                lambda queue: queue.pause(ms))
        return self.at_once(who, "resume", name, [], lambda queue: queue.resume())

    def any_call(self, who):
        """One of them."""
        make = self.random.choice([self.put] * 6 + [self.put_many] * 2 + [self.get] * 5 +
                                  [self.get_many] * 2 + [self.get_any] * 3 + [self.task_done] * 3 +
                                  [self.give_back] * 3 + [self.touch, self.taken, self.join] +
                                  [self.peek] * 2 + [self.look, self.end])
        return make(who, self.random.choice(NAMES))

    # Steps.

    def play_batch(self):
        """One or several calls of a host in a batch."""
        who = self.random.choice(self.sessions)
        calls = [self.any_call(who) for _ in range(self.random.choice([1, 1, 1, 2, 4]))]
        host = who[0]
        prefix = host.prefix(NAMES[0])
        replies = host.batch(prefix, [op for op, _, _ in calls])
        due = host.due
        for (op, call, run), reply in zip(calls, replies):
            run()
            self.compare(host, op, call, prefix, reply)
        self.check_due(due, {queue for _, call, _ in calls for queue in call.queues})

    def compare(self, host, op, call, prefix, reply):
        """A reply is what the model answers."""
        try:
            result = host.decode(op, prefix, reply)
        except EngineError as error:
            result = code_of(error)
        if isinstance(result, Waiting):
            self.waits.append((result, call))
            return
        assert call.number in self.model.results, (op.strings(), result)
        self.check_result(call, result)

    def check_result(self, call, result):
        """They are equal."""
        if call.verb == "taken" and isinstance(result, list):
            for item in result:
                item["since"] = round(item["since"].to_unix() * 1000)
        expected = self.model.results[call.number]
        assert result == expected, (call.verb, call.queues[0].name)

    def check_due(self, due, queues):
        """The host knows early enough when it is to come again."""
        first = min(queue.due() for queue in queues)
        if first < NEVER - 1:
            assert 0 < due <= first

    def play_time(self):
        """Time passes."""
        self.engine.now += self.random.choice([1, 3, 10, 60])
        self.model.now = self.engine.now
        for name in NAMES:
            host = self.random.choice(self.hosts)
            host.tell("tick", name, near=name)
            self.model.tick(self.model.queues[name])
            self.check_due(host.due, {self.model.queues[name]})

    def play_wait(self):
        """One that waits gives up, or its time is over."""
        if not self.waits:
            return
        wait, call = self.random.choice(self.waits)
        if self.random.random() < 0.5:
            assert wait.host.cancel(wait)
            self.model.cancel(call)
        else:
            try:
                result = wait.host.timeout(wait)
            except EngineError as error:
                result = code_of(error)
            self.model.time_out(call)
            self.check_result(call, result)
        self.waits.remove((wait, call))

    def play_session(self):
        """A session ends, and another one comes."""
        host, session = who = self.random.choice(self.sessions)
        host.end_session(session, NAMES[0])
        self.model.end_session(host.sid(session))
        self.waits = [(wait, call) for wait, call in self.waits if call.sid != host.sid(session)]
        self.sessions.remove(who)
        self.sessions.append((host, self.next_session))
        self.next_session += 1

    def play_undo(self):
        """Something that was served is not taken; the rest is acknowledged."""
        if self.served and self.random.random() < 0.5:
            wait, call = self.random.choice(self.served)
            wait.host.tell("undeliver", wait.number, near=NAMES[0])
            self.served.remove((wait, call))
            self.model.undeliver(call)
            return
        host = self.random.choice(self.hosts)
        host.acknowledge(NAMES[0])
        self.served = [(wait, call) for wait, call in self.served if wait.host is not host]

    def check_waits(self):
        """The same calls have been served, with the same."""
        for host in self.hosts:
            host.fetch(NAMES[0])
        for wait, call in list(self.waits):
            is_served = (wait.prefix, wait.number) in wait.host.results
            assert is_served == (call.number in self.model.results), call.verb
            if is_served:
                try:
                    result = wait.host.served(wait)
                except EngineError as error:
                    result = code_of(error)
                self.check_result(call, result)
                self.waits.remove((wait, call))
                self.served.append((wait, call))

    def check_figures(self):
        """Descriptions, claims, and who waits."""
        host = self.random.choice(self.hosts)
        for name in NAMES:
            queue = self.model.queues[name]
            shown = host.call("object.describe", name, "1")
            expected = queue.describe(self.model.now)
            assert {key: shown[key] for key in expected} == expected
            assert shown["waiting"] == sum(queue in call.queues for call in self.model.waiting)
            tickets = {}
            for item in queue.taken.values():
                sid = item.sid.replace("/1", "").replace("/7", "")
                tickets[sid] = tickets.get(sid, 0) + 1
            assert [(hold["session"], hold["tickets"]) for hold in shown["holds"]] == \
                list(tickets.items())

    def check_events(self):
        """The same ones, in the same order for each queue."""
        if self.listener:
            events = self.listener.events()
            for name in NAMES:
                assert [event for event in events if event[0] == name] == \
                    [event for event in self.model.events if event[0] == name]
        self.model.events.clear()

    def play(self):
        """A step, and everything is compared."""
        pick = self.random.random()
        if pick < 0.80:
            self.play_batch()
        elif pick < 0.89:
            self.play_time()
        elif pick < 0.94:
            self.play_wait()
        elif pick < 0.97:
            self.play_undo()
        elif pick < 0.98:
            self.play_session()
        else:
            self.check_figures()
        self.check_waits()
        self.check_events()

    def finish(self):
        """All that can be got is got; then nothing is left in the engine but what says so."""
        self.check_figures()
        for name in NAMES:
            values = self.hosts[0].call("queue.peek", name, "0", str(2**63 - 1))
            assert values == [item.value for item in self.model.queues[name].in_order()]
            self.hosts[0].call("object.delete", name)
        if self.listener:
            self.listener.close()
        left = [key for key in self.engine.keys()
                if key.split("}:")[1].split(":")[0] in "qzitkclm"]
        assert not left
