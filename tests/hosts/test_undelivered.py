"""What the engine gives to a session that is gone by then goes back to where it was."""
import signal

import pytest

from hosts import wait_until

GETS = {
    "get": ("queue.get", "q"),
    "get_many": ("queue.get_many", "q", 3),
    "get_any": ("queue.get_any", ["other", "q"]),
    "atomic": ("atomic", [["queue.get", ["q"]], ["queue.get_many", ["q", 2]]]),
}


@pytest.mark.parametrize("how", GETS)
@pytest.mark.parametrize("joinable", [False, True])
def test_what_is_answered_when_its_client_is_gone_goes_back(scene, doing, how, joinable):
    server = scene.redis()
    host = scene.host(server.url, "one", lease="20s")
    keeper, gone = scene.connect(host), scene.connect(host)
    queue = keeper.queue("q", joinable=joinable)
    keeper.queue("other")
    values = [1, "x" * 5000, 3, 4]
    keeper.call("queue.put_many", "q", values)
    keeper.call("queue.qsize", "q")  # what is known of it is remembered
    server.signal(signal.SIGSTOP)
    asked = host.engine()["ops"]
    getter = doing(gone.call, *GETS[how])
    wait_until(lambda: host.engine()["ops"] > asked, "for it to be sent")
    keeper.kill_session(gone.session)
    wait_until(lambda: host.engine()["ending"] > 0)
    server.signal(signal.SIGCONT)
    with pytest.raises(Exception):
        getter.result()
    wait_until(lambda: host.engine()["ending"] == 0, "for the end of the session")
    assert keeper.call("queue.peek", "q", 0, 9) == values
    description = keeper.describe("q")
    assert (description["size"], description["unfinished"]) == (4, 4)
    assert joinable or description["gets"] == 0
    # Whether it comes back by the session's end, as in memory, or before that as what nobody has seen.
    assert queue.take().deliveries in ((1, 2) if joinable else (1,))
