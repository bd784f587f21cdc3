"""queue_model: queues in plain Python, with all their options, as daemon/objects/queue.h says: lists
instead of sets in an engine, and calls that wait in one list each. What a test compares the engine's
queues with.

Calls are in queue_model_calls.py. `model` is its Model.
"""
import itertools

NEVER = 2**53


class Refused(Exception):
    """A call's error."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Waits(Exception):
    """The call has to wait on a channel."""

    def __init__(self, channel, code):
        super().__init__(channel)
        self.channel, self.code = channel, code


class Item:
    """A value and what is remembered of it."""

    def __init__(self, value, rank=0, expires=NEVER):
        self.value, self.rank, self.expires = value, rank, expires
        self.deliveries = 0
        self.seq = 0
        self.ticket = 0
        self.sid = self.taken = self.due = None
        self.to_head = False


class Options:
    """Those of queue.open."""

    def __init__(self, **given):
        self.maxsize = given.get("maxsize", 0)
        self.order = given.get("order", "fifo")
        self.joinable = given.get("joinable", False)
        self.discard = given.get("discard", False)
        self.lease_ms = given.get("lease_ms", 0)
        self.max_deliveries = given.get("max_deliveries", 0)
        self.dead_letter = given.get("dead_letter")


def kind_of(rank):
    """Priorities of different kinds do not mix."""
    return 0 if isinstance(rank, (int, float)) else 1 if isinstance(rank, str) else 2


def rank_key(item):
    """How a queue that is ordered by priority sorts."""
    rank = item.rank
    return kind_of(rank), rank.encode() if isinstance(rank, str) else rank, item.seq


class Queue:
    """One queue; its methods know nothing of waiting, but raise Waits."""

    def __init__(self, model, name, options):
        self.model, self.name, self.options = model, name, options
        self.returned, self.store, self.delayed, self.dead = [], [], [], []
        self.taken = {}
        self.seqs = itertools.count(1)
        self.seqs_before = itertools.count(-1, -1)  # of what is put at the head
        self.tickets = itertools.count(1)
        self.puts = self.gets = self.dropped = self.expired = 0
        self.shut_down = self.drain = False
        self.paused_until = None
        self.rank_kind = 0

    # Figures.

    @property
    def ready(self):
        """How many a get could return, were it not paused."""
        return len(self.returned) + len(self.store)

    @property
    def size(self):
        """How many a get could return."""
        return self.ready if self.paused_until is None else 0

    @property
    def unfinished(self):
        """Queued, delayed and taken."""
        return self.ready + len(self.delayed) + len(self.taken)

    def is_full(self):
        """No room for a put."""
        most = self.options.maxsize
        return 0 < most <= self.ready + len(self.delayed)

    def is_over(self):
        """Nothing can be got from it any more."""
        return (self.shut_down and self.ready + len(self.delayed) == 0 and
                not (self.drain and self.taken))

    def lacks(self):
        """Why a get finds nothing, or None."""
        if self.paused_until is not None and not self.is_over():
            return "EMPTY"
        if self.ready == 0:
            return "SHUT_DOWN" if self.is_over() else "EMPTY"
        return None

    def in_order(self):
        """Ready items, the next one first."""
        if self.options.order == "lifo":
            return self.returned + self.store[::-1]
        if self.options.order == "priority":
            return self.returned + sorted(self.store, key=rank_key)
        return self.returned + self.store

    def describe(self, now):
        """The figures of a description."""
        paused = self.paused_until is not None
        if paused and self.paused_until < NEVER:
            paused = max(self.paused_until - now, 0)
        return {
            "size": self.size, "queued": self.ready, "unfinished": self.unfinished,
            "taken": len(self.taken), "delayed": len(self.delayed), "puts": self.puts,
            "gets": self.gets, "dropped": self.dropped, "expired": self.expired,
            "shut_down": self.shut_down, "drain": self.drain, "paused": paused,
        }

    def tell(self, event, **details):
        """An event."""
        self.model.events.append((self.name, event, details))

    # Places.

    def enter(self, item, to_head):
        """The item becomes ready."""
        if to_head and self.options.order == "fifo":
            self.returned.insert(0, item)
        else:
            self.store.append(item)

    def take(self):
        """The next item, taken out."""
        item = self.in_order()[0]
        (self.returned if self.returned else self.store).remove(item)
        return item

    # Putting.

    def put(self, item, delay_ms=0, special=False):
        """As queue.put. `special`: the item remembers its rank, also where it means nothing."""
        if self.shut_down:
            raise Refused("SHUT_DOWN")
        if self.is_full():
            raise Waits("p", "FULL")
        if self.options.order == "priority":
            if kind_of(item.rank) != self.rank_kind and self.ready + len(self.delayed) > 0:
                raise Refused("TYPE")
            self.rank_kind = kind_of(item.rank)
        elif not special:
            item.rank = 0
        item.seq = next(self.seqs)
        if delay_ms:
            item.due = min(self.model.now + delay_ms, NEVER)
            self.delayed.append(item)
        else:
            self.enter(item, False)
        self.has_been_put()

    def put_first(self, item):
        """As queue.put with head."""
        item.seq = next(self.seqs_before)
        self.returned.insert(0, item)
        self.has_been_put()

    def has_been_put(self):
        """A put is done."""
        self.puts += 1
        self.tell("put", size=self.size)
        self.model.change(self)

    # Taking.

    def get(self, sid):
        """The next item, as it is answered."""
        item = self.take()
        item.deliveries += 1
        self.gets += 1
        ticket = None
        if self.options.joinable:
            ticket = item.ticket = next(self.tickets)
            item.sid, item.taken = sid, self.model.now
            self.taken[ticket] = item
            self.start_lease(item)
        self.tell("get", size=self.size, ticket=ticket or 0)
        self.model.change(self)
        return [item.value, ticket, item.deliveries]

    def start_lease(self, item):
        """The lease of a taken item begins."""
        lease = self.options.lease_ms
        item.due = min(self.model.now + lease, NEVER) if lease else None

    def done(self, item):
        """It is gone."""
        del self.taken[item.ticket]
        self.tell("done", unfinished=self.unfinished, ticket=item.ticket)
        self.model.change(self)

    def give_back(self, item, reason, delay_ms=0):
        """It comes back."""
        now = self.model.now
        del self.taken[item.ticket]
        is_expired = item.expires <= now
        most = self.options.max_deliveries
        if is_expired:
            self.expired += 1
        elif 0 < most <= item.deliveries:
            self.dead.append(item)
        elif delay_ms:
            item.due, item.to_head = min(now + delay_ms, NEVER), True
            self.delayed.append(item)
        else:
            self.enter(item, True)
        self.tell("give_back", size=self.size, ticket=item.ticket, reason=reason)
        if is_expired:
            self.tell("expire", size=self.size)
        self.model.change(self)

    def abandon(self, sid):
        """A session ends."""
        for item in [item for item in reversed(self.taken.values()) if item.sid == sid]:
            if self.options.discard:
                self.done(item)
            else:
                self.give_back(item, "session")
        self.pass_on()

    def put_back(self, items):
        """Items of an answer that nobody took."""
        for item in reversed(items):
            self.gets -= 1
            item.deliveries -= 1
            self.enter(item, True)
            self.tell("give_back", size=self.size, ticket=0, reason="unsent")
        self.model.change(self)

    def pass_on(self):
        """The dead go to their queue."""
        dead, self.dead = self.dead, []
        other = self.model.queues.get(self.options.dead_letter)
        if dead and other:
            self.model.find(other)
        for item in dead:
            is_dropped = other is None or other.shut_down
            if is_dropped:
                self.dropped += 1
            else:
                other.receive(item)
            self.tell("dead", dropped=is_dropped)
        self.model.change(self)

    def receive(self, item):
        """Another queue's dead item."""
        mine = Item(item.value, item.rank)
        if self.ready + len(self.delayed) == 0:
            self.rank_kind = kind_of(mine.rank)
        mine.seq = next(self.seqs)
        self.enter(mine, False)
        self.tell("put", size=self.size)
        self.model.change(self)

    # Time.

    def next_due(self):
        """The item that time changes next, and when; or None."""
        def order(entry):
            due, is_head, item = entry
            return due, is_head, -item.ticket if is_head else item.seq
        entries = [(item.due, True, item) for item in self.taken.values() if item.due is not None]
        entries += [(min(item.due, item.expires), item.to_head, item) for item in self.delayed]
        entries += [(item.expires, False, item) for item in self.returned + self.store
                    if item.expires < NEVER]
        return min(entries, key=order, default=None)

    def due(self):
        """When time changes it next."""
        entry = self.next_due()
        due = entry[0] if entry else NEVER
        return min(due, self.paused_until or NEVER)

    def tick(self):
        """Time has passed."""
        now = self.model.now
        if self.paused_until is not None and self.paused_until <= now:
            self.resume()
        while True:
            entry = self.next_due()
            if entry is None or entry[0] > now:
                break
            item = entry[2]
            if item.ticket in self.taken and self.taken[item.ticket] is item:
                self.give_back(item, "lease")
                continue
            for places in (self.returned, self.store, self.delayed):
                if item in places:
                    places.remove(item)
            if item.expires <= now:
                self.expired += 1
                self.tell("expire", size=self.size)
            else:
                self.enter(item, item.to_head)
                item.to_head = False
                self.tell("ready", size=self.size)
        self.pass_on()

    # Ends.

    def clear(self):
        """Drops what is queued and delayed."""
        removed = self.ready + len(self.delayed)
        self.returned, self.store, self.delayed = [], [], []
        if removed:
            self.tell("clear", count=removed)
        self.model.change(self)
        return removed

    def shutdown(self, immediate, drain):
        """As queue.shutdown."""
        self.shut_down = True
        if drain is not None:
            self.drain = drain
        self.tell("shutdown", immediate=immediate)
        if immediate:
            self.clear()
        self.model.change(self)

    def pause(self, ms):
        """As queue.pause; None: without end."""
        self.paused_until = NEVER if ms is None else min(self.model.now + ms, NEVER - 1)
        self.tell("pause", timed=ms is not None, ms=ms or 0)
        self.model.change(self)
        if ms == 0:
            self.resume()

    def resume(self):
        """Gets go on."""
        if self.paused_until is not None:
            self.paused_until = None
            self.tell("resume", size=self.size)
            self.model.change(self)
