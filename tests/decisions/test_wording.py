"""The wording of texts: begun again, and taken over with a state."""

from tests.runtimes.test_fast_path import Worded, paid
from tidegate import Engine
from tidegate.decisions.wording import Wording


def test_a_wording_that_forgets_begins_again() -> None:
    words = Wording(10)
    words[1] = "one"
    words.age(0)
    words.age(100)  # from now on 1 is old
    words[2] = "two"
    words.forget()
    assert not words
    words.update({2: "two"})  # as a snapshot is read, which makes nothing young
    words.age(-50)
    words.age(-39)
    assert 2 not in words


def test_a_state_that_is_taken_over_replaces_the_wordings() -> None:
    one, other = Engine(Worded), Engine(Worded)
    one.decide(paid(1, shop="here"))
    other.decide(paid(1, shop="there"))
    words = one.decider.words
    one.restore(*other.snapshot())
    assert one.decider.words is words is one.rows.encoder.words  # whoever holds it sees the new ones
    assert words == other.decider.words and "here" not in words.values()
