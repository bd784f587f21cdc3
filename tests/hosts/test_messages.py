"""Messages of the engine that are lost, come twice, or are none."""
import struct

import pytest

from hosts import wait_until


@pytest.fixture
def waiting(scene, doing):
    """A host with a call that waits on "q", its channel, the server, and a client at it."""
    server = scene.redis()
    host = scene.host(server.url, "one")
    client = scene.connect(host)
    client.queue("q")
    getter = doing(scene.connect(host).queue("q").get)
    wait_until(lambda: client.describe("q")["waiting"] == 1)
    channels = []
    wait_until(lambda: channels.extend(shard_channels(server.redis)) or channels, "for the channel")
    return client, getter, channels[0], server.redis


def shard_channels(redis):
    found = redis.execute_command("PUBSUB", "SHARDCHANNELS", "*{q}:ch:one/*")
    return [channel.decode() for channel in found]


def publish(redis, channel, message):
    connection = redis.connection_pool.get_connection("SPUBLISH")
    try:
        connection.send_command("SPUBLISH", channel, message)
        return connection.read_response()
    finally:
        redis.connection_pool.release(connection)


def entry(number, wait, reply, undo=b""):
    return (b"\x94\xcf" + struct.pack(">Q", number) + b"\xcf" + struct.pack(">Q", wait) +
            b"\xc4" + bytes([len(reply)]) + reply + b"\xa0" + undo)


NONSENSE = [
    b"", b"\x90", b"\xc0", b"\xc1", b"hello", b"\x93\xa1e\xa1q", b"\x94\xa1e\xa1q\xa3put\xa1\xc1",
    b"\x94\xa1e\xa1q\xa4none\xa1\x80", b"\x93\xa1m\xa1q\xa1\x90", b"\x93\xa1d\x01", b"\x93\xa1d\xff\xa1q",
    b"\x93\xa1d\xcf" + b"\xff" * 8 + b"\xa1q", b"\x91\xa1?", b"\xdd\xff\xff\xff\xff", b"\x94" * 1000,
    b"\x94\x01", b"\x94\x01\x01", b"\x94\xa1e\xd9\xff" + b"q" * 255 + b"\xa3put\xa1\x80",
    b"\x94\xff\xff\xa1=\xa0", b"\x93\xd3" + b"\x80" + b"\x00" * 7 + b"\x01\xa1=",
    b"\x94\xa1e\xa1q\xa7renamed\xa9\x81\xa4name\xa1r",
]


def test_what_is_no_message_is_ignored(waiting):
    client, getter, channel, redis = waiting
    for message in NONSENSE:
        publish(redis, channel, message)
    client.queue("q").put("item")
    assert getter.result() == "item"


def test_an_entry_of_the_future_is_looked_for_in_the_list(waiting):
    client, getter, channel, redis = waiting
    for number in (2, 100, 2**63 - 1, 2**64 - 1):
        publish(redis, channel, entry(number, 1, b"=\xa5wrong"))
    client.queue("q").put("item")
    assert getter.result() == "item"


def test_an_entry_that_comes_again_is_ignored(waiting, doing):
    client, getter, channel, redis = waiting
    queue = client.queue("q")
    queue.put("one")
    assert getter.result() == "one"
    again = doing(queue.get)
    wait_until(lambda: client.describe("q")["waiting"] == 1)
    for number in (0, 1):
        publish(redis, channel, entry(number, 2, b"=\xa5wrong"))
    queue.put("two")
    assert again.result() == "two"
