"""shared: what all clients change together besides queues: batches that are done whole or not at
all, and a counter that nobody may be told too early of.
"""
ACCOUNTS = 10


class Bank:
    """A batch moves an amount between two accounts, writes down who did it, and tells it to a
    queue: four objects of four types, in one transaction."""

    def __init__(self):
        self.sure = {}    # (client, number): (from, to, amount), of which it is known that it is done
        self.called = {}  # the same, of which it is not known yet
        self.wrong = []

    def open(self, call):
        call("dict.open", "bank", {"lifetime": "durable"})
        call("namespace.open", "totals", {"lifetime": "durable"})
        call("list.open", "journal", {"lifetime": "durable"})
        call("queue.open", "receipts", {"lifetime": "durable"})

    def choose(self, random, value):
        here, there = random.sample(range(ACCOUNTS), 2)
        amount = random.randrange(1, 100)
        self.called[value] = (here, there, amount)
        return [["dict.incr", ["bank", here, -amount]], ["list.append", ["journal", list(value)]],
                ["dict.incr", ["bank", there, amount]], ["namespace.incr", ["totals", "n"]],
                ["queue.put", ["receipts", list(value)]]]

    def answered(self, value):
        self.sure[value] = self.called.pop(value)

    def check(self, call):
        """Those calls that had not been answered and are done."""
        journal = [tuple(value) for value in call("list.slice", "journal")]
        receipts = [tuple(value) for value in call("queue.peek", "receipts", 0, 1000000)]
        total = call("namespace.get", "totals", "n", 0)
        if journal != receipts or total != len(journal):
            self.wrong.append(f"batches were done in part: {len(journal)} in the list, "
                              f"{len(receipts)} in the queue, {total} counted")
        there = set(journal)
        lost = [value for value in self.sure if value not in there]
        strange = [value for value in there if value not in self.sure and value not in self.called]
        if lost or strange or len(there) < len(journal):
            self.wrong.append(f"batches that were answered and are lost: {lost}; that were never "
                              f"called: {strange}; of {len(journal)} {len(there)} are different")
        done = [value for value in self.called if value in there]
        for value in done:
            self.answered(value)
        self.called = {}
        self.check_accounts(dict(call("dict.items", "bank")), there)
        return done

    def check_accounts(self, bank, there):
        wanted = {}
        for value in there & set(self.sure):
            here, other, amount = self.sure[value]
            wanted[here] = wanted.get(here, 0) - amount
            wanted[other] = wanted.get(other, 0) + amount
        if bank != wanted:
            self.wrong.append(f"the accounts are {bank}, and by the journal {wanted}")

    def restart(self, call):
        """From the beginning again, when there is much."""
        if len(self.sure) < 3000:
            return
        call("dict.clear", "bank")
        call("namespace.clear", "totals")
        call("list.clear", "journal")
        call("queue.clear", "receipts")
        self.sure = {}


class Counter:
    """All add to it and look at it. What anybody has been told must still be so after a crash."""

    def __init__(self):
        self.told = 0
        self.called = 0
        self.wrong = []

    def open(self, call):
        call("dict.open", "counter", {"lifetime": "durable"})

    def answered(self, value):
        self.told = max(self.told, value)

    def check(self, call):
        value = call("dict.get", "counter", "n", 0)
        if not self.told <= value <= self.called:
            self.wrong.append(f"the counter is {value}; somebody was told {self.told}, and it was "
                              f"called {self.called} times")
        self.told = self.called = value
