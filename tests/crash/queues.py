"""queues: queues that all clients share, and what must be true of them after a crash.

Each value is put once: [client, number], the numbers rising. What is known of one:

    put      its put was called, and (`sure`) answered
    gone     somebody was answered with it (a plain queue), or that it is done (a joinable one)
    counted  how often an answer has given it out, for a joinable queue

A get that was not answered may have taken one item: of a plain queue it is gone for good, of a
joinable one its deliveries are one more.
"""
MOST = 400  # items, about: then clients take rather than put
PAGE = 1000


class Item:
    def __init__(self):
        self.sure = False
        self.gone = False
        self.given_back = False
        self.taken = False
        self.counted = 0


class Queue:
    """One queue, and the record of it. `dead` is the queue of those that were given out too often."""
    options = {}

    def __init__(self, name):
        self.name = name
        self.items = {}
        self.level = 0  # about how many items are in it
        self.unanswered = 0  # gets, since the beginning
        self.wrong = []

    def open(self, call):
        call("queue.open", self.name, {"lifetime": "durable", **self.options})

    def say(self, value, what):
        self.wrong.append(f"{self.name}: {list(value)} {what}")

    # What clients are answered.

    def put_called(self, value):
        self.items[value] = Item()
        self.level += 1

    def put_answered(self, value):
        self.items[value].sure = True

    def got(self, value, deliveries):
        item = self.items.get(value)
        if item is None:
            self.say(value, "was never put, and was given out")
            return
        if item.gone:
            self.say(value, "was given out, and had been given out or done before")
        item.sure = True
        self.count(value, item, deliveries)

    def count(self, value, item, deliveries):
        """A plain queue gives each item once."""
        item.gone = True
        self.level -= 1
        if deliveries != 1:
            self.say(value, f"was given out by a plain queue as delivery {deliveries}")

    # After a crash.

    def peek(self, call):
        values = []
        while len(values) % PAGE == 0:
            page = call("queue.peek", self.name, len(values), PAGE)
            values += [tuple(value) for value in page]
            if not page:
                break
        return values

    def read(self, call):
        """(what is there, in order, without what is strange; which figures are wrong)"""
        values = self.peek(call)
        size = call("queue.qsize", self.name)
        figures = call("object.describe", self.name)
        unfinished = figures.get("unfinished", size)
        if size != len(values) or unfinished != size:
            self.wrong.append(f"{self.name}: {len(values)} items, qsize {size}, unfinished "
                              f"{unfinished}; it is described as {figures}")
        return values

    def check(self, call, gets, ends):
        """`gets` calls of get were not answered; `ends`, values, had a task_done that was not."""
        self.unanswered += gets
        values = self.read(call)
        self.level = len(values)
        there = set(values)
        if len(there) < len(values):
            self.wrong.append(f"{self.name}: items are there twice: "
                              f"{[v for v in there if values.count(v) > 1]}")
        for value in values:
            item = self.items.get(value)
            if item is None:
                self.say(value, "was never put, and is there")
            elif item.gone:
                self.say(value, "is there, and had been given out or done")
            else:
                item.sure = True
        self.check_missing(there, gets, ends)
        self.check_order([v for v in values if v in self.items], gets)

    def check_missing(self, there, gets, ends):
        missing = [v for v, item in self.items.items()
                   if item.sure and not item.gone and v not in there and v not in ends]
        if len(missing) > self.may_miss(gets):
            self.wrong.append(f"{self.name}: {gets} gets were not answered, and lost are "
                              f"{[list(v) for v in missing]}")
        for value, item in self.items.items():
            item.taken = False
            item.gone |= value not in there

    def may_miss(self, gets):
        return gets

    def check_order(self, values, gets):
        """In the order in which they were put, and taken from the front."""
        last = {}
        for client, number in values:
            if number <= last.get(client, -1):
                self.say((client, number), f"comes behind number {last[client]}")
            last[client] = number
        first = {}
        for client, number in values:
            first.setdefault(client, number)
        for (client, number), item in self.items.items():
            if item.gone and item.sure and number > first.get(client, number):
                self.say((client, number), f"was taken before number {first[client]}")

    def sessions_ended(self):
        """The daemon has ended in order, and each session before it."""

    def forget(self):
        """What is gone for long is not asked for any more, but for its number: nothing of a client
        may come that is not known, and so what is gone must not."""
        if len(self.items) > 20 * MOST:
            self.items = {v: item for v, item in self.items.items() if not item.gone}


class Ranked(Queue):
    """By priority: the number's last digit."""
    options = {"order": "priority"}

    def check_order(self, values, gets):
        last = (-1, {})
        for client, number in values:
            rank = number % 10
            if rank < last[0]:
                self.say((client, number), "comes behind one of a higher priority")
            if rank > last[0]:
                last = (rank, {})
            if number <= last[1].get(client, -1):
                self.say((client, number), "comes behind a later one of the same priority")
            last[1][client] = number


class Jobs(Queue):
    """A joinable queue; what is given out too often goes to another one."""
    options = {"joinable": True, "max_deliveries": 6, "dead_letter": "dead"}

    def open(self, call):
        call("queue.open", "dead", {"lifetime": "durable"})
        super().open(call)

    def count(self, value, item, deliveries):
        if not item.counted < deliveries <= item.counted + 1 + self.unanswered:
            self.say(value, f"was given out as delivery {deliveries}, after {item.counted} that were "
                            f"answered and at most {self.unanswered} that were not")
        item.counted = deliveries
        item.taken = True

    def task_done_answered(self, value):
        self.items[value].gone = True
        self.level -= 1

    def give_back_called(self, value):
        self.items[value].given_back = True
        self.items[value].taken = False

    def sessions_ended(self):
        """Each gives back what it has taken, in the old order; but one session after the other."""
        for item in self.items.values():
            item.given_back |= item.taken
            item.taken = False

    def read(self, call):
        """Those that were given out too often stand in front, for they were once."""
        dead = Queue("dead").peek(call)
        for value in dead:
            item = self.items.get(value)
            if item is not None and item.counted + self.unanswered < self.options["max_deliveries"]:
                self.say(value, f"is dead after {item.counted} deliveries")
            if item is not None:
                item.given_back = True  # its place tells nothing
        return dead + super().read(call)

    def may_miss(self, gets):
        return 0

    def check_order(self, values, gets):
        """What was taken stands in front, but for what has been given back; all in old order."""
        kept = [v for v in values if not self.items[v].given_back]
        last = {}
        for client, number in kept:
            if number <= last.get(client, -1):
                self.say((client, number), f"comes behind number {last[client]}")
            last[client] = number
        taken = [i for i, v in enumerate(kept) if self.was_taken[v]]
        before = [v for v in kept[:taken[-1] if taken else 0] if not self.was_taken[v]]
        if len(before) > gets:
            self.wrong.append(f"{self.name}: {gets} gets were not answered, and these stand before "
                              f"what was taken: {[list(v) for v in before]}")

    def check(self, call, gets, ends):
        self.was_taken = {v: item.taken for v, item in self.items.items()}
        super().check(call, gets, ends)
