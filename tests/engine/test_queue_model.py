"""Random calls on queues: see queue_player.py."""
import pytest

from queue_player import Player

STEPS = 400


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_random_calls_answer_what_the_model_answers(engine, seed, is_watched):
    player = Player(engine, seed, is_watched)
    for _ in range(STEPS):
        player.play()
    player.finish()
