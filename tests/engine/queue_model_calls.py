"""queue_model_calls: calls on the queues of queue_model.py, and who waits for what.

A call is served when its result stands in model.results, by the number that it was given. Events
stand in model.events in their order.
"""
from queue_model import NEVER, Item, Options, Queue, Refused, Waits


class Call:
    """A call on one queue, or (get_any) on several."""

    def __init__(self, number, sid, verb, queues, args):
        self.number, self.sid, self.verb, self.queues, self.args = number, sid, verb, queues, args
        self.done = 0         # put_many: how many have been put
        self.channel = None   # where it waits
        self.waited = False
        self.took = []        # what it got from a plain queue


class Model:
    """Queues, and the calls that wait on them."""

    def __init__(self, now):
        self.now = now
        self.queues = {}
        self.waiting = []
        self.results = {}
        self.events = []
        self.changed = []

    def open(self, name, **options):
        """A new queue."""
        self.queues[name] = Queue(self, name, Options(**options))

    def change(self, queue):
        """Those who wait on it are to be asked."""
        if queue not in self.changed:
            self.changed.append(queue)

    def is_behind(self, call, queue, channel):
        """Others wait already."""
        return not call.waited and any(other.channel == channel and queue in other.queues
                                       for other in self.waiting)

    # Running.

    def run(self, call, timed_out=False, asked_by=None):
        """What the call answers; Waits if it has to wait."""
        return getattr(self, "run_" + call.verb)(call, call.queues[0], timed_out, asked_by)

    def run_put(self, call, queue, *_):
        """value, rank, delay_ms, ttl_ms, head"""
        value, rank, delay_ms, ttl_ms, head = call.args
        if head:
            queue.put_first(Item(value))
            return None
        if self.is_behind(call, queue, "p"):
            raise Waits("p", "FULL")
        expires = min(self.now + ttl_ms, NEVER) if ttl_ms else NEVER
        queue.put(Item(value, rank, expires), delay_ms, delay_ms or ttl_ms)

    def run_put_many(self, call, queue, *_):
        """values"""
        values = call.args[0]
        try:
            if values and self.is_behind(call, queue, "p"):
                raise Waits("p", "FULL")
            while call.done < len(values):
                queue.put(Item(values[call.done]))
                call.done += 1
        except Refused:
            if call.done == 0:
                raise
        return call.done

    def look(self, call, queue):
        """There is an item for it."""
        code = queue.lacks()
        if code == "SHUT_DOWN":
            raise Refused(code)
        if code or self.is_behind(call, queue, "g"):
            raise Waits("g", "EMPTY")

    def take(self, call, queue):
        """One item for the call."""
        item = queue.in_order()[0]
        answer = queue.get(call.sid)
        call.took.append((queue, item, answer[1]))
        return answer

    def undeliver(self, call):
        """Nobody took what a call that waited was answered."""
        if call.took and not call.took[0][0].options.joinable:
            call.took[0][0].put_back([item for _, item, _ in call.took])
        elif call.took and call.verb == "get_any":
            queue, item, ticket = call.took[0]
            if ticket in queue.taken:
                item.deliveries -= 1
                queue.gets -= 1
                queue.give_back(item, "unsent")
                queue.pass_on()
        self.serve()

    def run_get(self, call, queue, *_):
        """no arguments"""
        self.look(call, queue)
        return self.take(call, queue)

    def run_get_many(self, call, queue, *_):
        """max"""
        if call.args[0] == 0:
            return []
        self.look(call, queue)
        answers = []
        while queue.lacks() is None and len(answers) < call.args[0]:
            answers.append(self.take(call, queue))
        return answers

    def run_get_any(self, call, _, timed_out, asked_by):
        """no arguments"""
        if call.waited:
            code = "EMPTY" if timed_out else asked_by.lacks()
            if code is None:
                return [asked_by.name, *self.take(call, asked_by)]
            if code == "SHUT_DOWN" and all(self.find(queue).lacks() == "SHUT_DOWN"
                                           for queue in call.queues):
                raise Refused(code)
            raise Waits("g", "EMPTY")
        codes = []
        for queue in call.queues:
            code = queue.lacks()
            if code is None and not self.is_behind(call, queue, "g"):
                return [queue.name, *self.take(call, queue)]
            codes.append(code)
        if all(code == "SHUT_DOWN" for code in codes):
            raise Refused("SHUT_DOWN")
        raise Waits("g", "EMPTY")

    def run_join(self, _, queue, *__):
        """no arguments"""
        if queue.unfinished:
            raise Waits("j", "TIMEOUT")

    # Waiting.

    def start(self, call, may_wait):
        """Runs a new call: its result stands in model.results unless it waits."""
        self.tick(*call.queues)
        try:
            self.results[call.number] = self.run(call)
        except Refused as error:
            self.results[call.number] = error.code
        except Waits as wish:
            if may_wait:
                call.channel, call.waited = wish.channel, True
                self.waiting.append(call)
            else:
                self.results[call.number] = call.done if call.done else wish.code
        self.serve()

    def ask(self, call, queue):
        """Asks one that waits. True if it has gone."""
        try:
            result = self.run(call, False, queue)
        except Refused as error:
            result = error.code
        except Waits:
            return False
        self.waiting.remove(call)
        self.results[call.number] = result
        for other in call.queues:
            self.find(other)
        return True

    def serve(self):
        """Asks until nobody can be served."""
        while self.changed:
            queue = self.changed.pop(0)
            served = True
            while served:
                served = False
                for channel in "gpj":
                    all_of_them = channel == "g" and queue.is_over()
                    for call in [c for c in self.waiting
                                 if c.channel == channel and queue in c.queues]:
                        left = self.ask(call, queue)
                        served = served or left
                        if not left and not all_of_them:
                            break

    def leave(self, call):
        """It waits no more."""
        self.waiting.remove(call)
        for queue in call.queues:
            self.change(queue)

    def cancel(self, call):
        """It has been cancelled."""
        self.leave(call)
        self.serve()

    def time_out(self, call):
        """Its time is over."""
        try:
            self.results[call.number] = self.run(call, True)
        except Refused as error:
            self.results[call.number] = error.code
        except Waits as wish:
            self.results[call.number] = call.done if call.done else wish.code
        self.leave(call)
        self.serve()

    def end_session(self, sid):
        """A session ends."""
        for call in [call for call in self.waiting if call.sid == sid]:
            self.leave(call)
        for queue in self.queues.values():
            queue.abandon(sid)
        self.serve()

    def find(self, queue):
        """The queue, up to date with time, which passes for each when it is next looked at."""
        due = queue.due()
        if due <= self.now:
            queue.tick()
            self.change(queue)
        return queue

    def tick(self, *queues):
        """Time passes for queues."""
        for queue in queues:
            self.find(queue)
        self.serve()
