"""Letters from daemon to daemon."""

import pytest

from harness import EngineError, Op, Subscription
from test_hosts import LEASE, hosts, join

PREFIX = "ipcd:test:{%hosts}"

BYTES = b"\x93\x01\xc0\xff\x00}"  # of no form that anybody but the receiver knows


@pytest.fixture
def sender(engine):
    return join(engine, "a")


@pytest.fixture
def receiver(engine):
    return join(engine, "b")


def letters(daemon):
    return [(n, wait, letter, undo) for n, wait, letter, undo in daemon.fetch(PREFIX)]


def test_come_in_order_and_stay_until_they_are_acknowledged(engine, sender, receiver):
    channel = Subscription(engine.server.path, PREFIX + ":ch:" + receiver.key)
    for letter in (BYTES, b"", b"x" * 100_000):
        assert hosts(sender, "mail.send", receiver.key, letter) is None
    assert letters(receiver) == [(1, 0, BYTES, b""), (2, 0, b"", b""), (3, 0, b"x" * 100_000, b"")]
    assert [message[2] for message in channel.messages()] == [BYTES, b"", b"x" * 100_000]
    channel.close()
    fetched = receiver.batch(PREFIX, [Op("outbox.fetch", "")])[0]
    assert BYTES in fetched
    receiver.acks[PREFIX] = 2
    hosts(receiver, "host.renew", LEASE)
    assert engine.redis.llen(PREFIX + ":out:" + receiver.key) == 1


def test_come_once_when_the_batch_comes_twice(sender, receiver):
    op = Op("mail.send", "", receiver.key, BYTES)
    for _ in range(2):
        assert sender.batch(PREFIX, [op], seq=50) == [b"=\xc0"]
    assert len(letters(receiver)) == 1


def test_to_oneself_come_too(sender):
    hosts(sender, "mail.send", sender.key, BYTES)
    assert letters(sender) == [(1, 0, BYTES, b"")]


def refused(sender, to):
    with pytest.raises(EngineError) as error:
        hosts(sender, "mail.send", to, BYTES)
    return error.value.code == "NOT_FOUND"


def test_to_nobody_are_refused(engine, sender, receiver):
    assert refused(sender, "c/1")
    assert refused(sender, "b/1")
    assert refused(sender, "")
    third = join(engine, "c")
    hosts(third, "host.leave")
    assert refused(sender, third.key)
    engine.now += LEASE
    hosts(sender, "host.renew", LEASE)
    hosts(sender, "mail.send", receiver.key, BYTES)
    engine.now += 1
    sender.until = 0
    assert refused(sender, receiver.key)


def test_to_one_that_dies_go_with_it(engine, sender, receiver):
    hosts(sender, "mail.send", receiver.key, BYTES)
    engine.now += LEASE + 1
    sender.until = 0
    hosts(sender, "reap.host", receiver.key, receiver.until)
    assert engine.redis.exists(PREFIX + ":out:" + receiver.key) == 0
