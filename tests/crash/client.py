"""client: what one client calls, and the world that all of them work on.

A client's calls are done in the order in which it makes them, but for batches, which may be long; so a
crash cuts them at one place: what is there must be explained by the same place for all objects that
the client has worked on.
"""
from containers import ANY, KINDS, same
from queues import MOST, Jobs, Queue, Ranked
from shared import Bank, Counter
from wire import Connection, Refused


class World:
    """All objects."""

    def __init__(self, clients):
        self.queues = {"plain": Queue("plain"), "ranked": Ranked("ranked"), "jobs": Jobs("jobs")}
        self.bank = Bank()
        self.counter = Counter()
        self.own = [[kind(client) for kind in KINDS] for client in range(clients)]
        self.numbers = [0] * clients
        self.tickets = {}

    def value(self, client):
        """One that has never been put."""
        self.numbers[client] += 1
        return client, self.numbers[client]

    def open(self, call):
        for shared in (*self.queues.values(), self.bank, self.counter):
            shared.open(call)
        for owns in self.own:
            for own in owns:
                own.open(call)
        call("dict.open", "volatile", {})

    def check(self, call, clients, in_order):
        """The sentences about what is wrong, after a kill or an end in order."""
        wrong = [sentence for client in clients for sentence in client.wrong]
        try:
            call("dict.len", "volatile")
            wrong.append("an object that is not durable is there again")
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
        pending = [one for client in clients for one in client.pending]
        for queue in self.queues.values():
            gets = sum(one.kind == "get" and one.about is queue for one in pending)
            ends = {one.value for one in pending if one.kind == "end" and one.about is queue}
            if in_order:
                queue.sessions_ended()
            queue.check(call, gets, ends)
            wrong += queue.wrong
        done = set(self.bank.check(call))
        self.counter.check(call)
        wrong += self.bank.wrong + self.counter.wrong
        for client in clients:
            wrong += client.check(call, done)
        return wrong

    def tidy(self, call):
        for queue in self.queues.values():
            queue.forget()
        self.bank.restart(call)
        call("dict.open", "volatile", {})


class Call:
    """One that has been called and not been answered."""

    def __init__(self, kind, method, params, about=None, value=None, change=None):
        self.kind = kind
        self.method = method
        self.params = params
        self.about = about    # the object's record
        self.value = value    # the item, or the batch
        self.change = change  # of a container
        self.number = 0
        self.expected = None


class Client:
    def __init__(self, number, world, random):
        self.number = number
        self.world = world
        self.random = random
        self.depth = random.choice([1, 2, 8, 16])
        self.connection = None
        self.pending = []
        self.answered = 0
        self.tickets = []  # (value, ticket) of jobs
        self.last_answered = 0
        self.wrong = []

    def connect(self, connected):
        self.connection = Connection(connected)

    def fill(self):
        """As many calls as it has under way at a time."""
        while len(self.pending) < self.depth:
            call = self.choose()
            call.number = self.connection.add(call.method, call.params)
            self.pending.append(call)
        self.connection.send()

    def choose(self):
        what = self.random.randrange(10)
        if what < 4:
            return self.choose_own()
        if what < 8:
            return self.choose_queue()
        if what == 8:
            value = self.world.value(self.number)
            return Call("batch", "atomic", [self.world.bank.choose(self.random, value)],
                        self.world.bank, value)
        counter = self.world.counter
        if self.random.randrange(2):
            return Call("counter", "dict.get", ["counter", "n", 0], counter)
        counter.called += 1
        return Call("counter", "dict.incr", ["counter", "n"], counter)

    def choose_own(self):
        own = self.random.choice(self.world.own[self.number])
        verb, params, change = own.choose(self.random)
        change(own.ahead)
        return Call("own", own.method(verb), [own.name, *params], own, change=change)

    def choose_queue(self):
        queue = self.random.choice(list(self.world.queues.values()))
        if queue.name == "jobs" and self.tickets and self.random.randrange(2):
            value, ticket = self.tickets.pop(self.random.randrange(len(self.tickets)))
            if self.random.randrange(4):
                return Call("end", "queue.task_done", ["jobs", ticket], queue, value)
            queue.give_back_called(value)
            return Call("back", "queue.give_back", ["jobs", ticket], queue, value)
        if self.random.randrange(2 * MOST) < queue.level:
            return Call("get", "queue.get", [queue.name, 0], queue)
        value = self.world.value(self.number)
        queue.put_called(value)
        params = [queue.name, list(value)]
        if queue.name == "ranked":
            params += [None, {"priority": value[1] % 10}]
        return Call("put", "queue.put", params, queue, value)

    def read(self):
        """The answers of one read; False if the connection has ended."""
        answers = self.connection.receive()
        for number, error, result in answers or ():
            place = next((i for i, c in enumerate(self.pending) if c.number == number), None)
            if place is None:
                self.wrong.append(f"an answer to call {number}, which was not called or was answered")
                continue
            self.learn(self.pending.pop(place), error, result)
        return answers is not None

    def learn(self, call, error, result):
        self.answered += 1
        self.last_answered = max(self.last_answered, call.number)
        if error is not None:
            if not (call.kind == "get" and error[0] == "EMPTY"):
                self.wrong.append(f"{call.method} {call.params} was answered {error}")
        elif call.kind == "own":
            expected = call.change(call.about.sure)
            if expected is not ANY and expected != result:
                self.wrong.append(f"{call.method} {call.params} was answered {result}, not {expected}")
        elif call.kind == "get":
            value = tuple(result[0])
            call.about.got(value, result[2])
            if result[1] is not None:
                self.tickets.append((value, result[1]))
        elif call.kind == "put":
            call.about.put_answered(call.value)
        elif call.kind == "end":
            call.about.task_done_answered(call.value)
        elif call.kind in ("batch", "counter"):
            call.about.answered(call.value if call.kind == "batch" else result)

    def evidence(self, call, batches):
        """Whether a call has been done, as far as it shows by itself."""
        if call.kind == "batch":  # a long one is done in steps, and those behind it overtake it
            return True if call.value in batches else None
        if call.number < self.last_answered:
            return True
        if call.kind == "put" and call.about.items[call.value].sure:
            return True
        if call.kind == "end":
            return call.about.items[call.value].gone
        return None

    def check(self, call, batches):
        """After a crash: some first part of what was not answered has been done, and no more."""
        told = [self.evidence(one, batches) for one in self.pending]
        places = {i for i in range(len(told) + 1)
                  if True not in told[i:] and False not in told[:i]}
        wrong = [] if places else [f"of the calls of client {self.number} some were done, and not all "
                                   f"before them: {self.describe(told)}"]
        for own in self.world.own[self.number]:
            found = own.read(call)
            numbers = [i for i, one in enumerate(self.pending) if one.about is own]
            states = own.after([self.pending[i].change for i in numbers])
            fits = set()
            for done, state in enumerate(states):
                if same(state, found):
                    low = numbers[done - 1] + 1 if done else 0
                    high = numbers[done] if done < len(numbers) else len(self.pending)
                    fits |= set(range(low, high + 1))
            if not fits:
                wrong.append(f"{own.name} is {found}, which it never was; it was "
                             f"{own.sure.state}, and not answered was {self.describe(told)}")
            elif places and not places & fits:
                wrong.append(f"{own.name} is as after {sorted(fits)} of the calls that were not "
                             f"answered, and others as after {sorted(places)}: {self.describe(told)}")
            places &= fits
            own.found(found)
        return wrong

    def describe(self, told):
        names = {True: "done", False: "not done", None: "?"}
        return [f"{one.method} {one.params}: {names[done]}" for one, done in zip(self.pending, told)]
