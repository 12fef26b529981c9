"""Which of the transactions that could not be committed are lost."""

import pytest

from tidegate.runtimes.flink.losses import Losses, Lost, Point

NONE = Point()
MINUTE = 60_000
NOON = 1_796_032_000_000
TIMEOUT = 15 * MINUTE


def test_what_cannot_be_committed_while_a_job_runs_is_lost_and_told_once() -> None:
    losses = Losses(TIMEOUT, 1000)
    newest = Point(7, NOON)
    assert losses.look(0, NONE, newest, NOON) is None
    assert losses.look(1, NONE, newest, NOON + 1000) == Lost(1)
    assert losses.look(1, NONE, newest, NOON + 2000) is None
    assert losses.look(3, NONE, newest, NOON + 3000) == Lost(2)


@pytest.mark.parametrize(("minutes", "lost"), [(0, None), (13, None), (16, Lost(1))])
def test_of_what_was_pending_as_flink_went_on_by_itself_the_age_decides(minutes: int, lost: Lost | None) -> None:
    losses = Losses(TIMEOUT, 1000)
    for number in range(1, 8):
        losses.look(0, NONE, Point(number, NOON + 1000 * number), NOON)
    again = Point(7, NOON + 7000 + MINUTE * minutes)
    assert losses.look(0, again, Point(7, NOON + 7000), again.at + 100) is None
    assert losses.look(1, again, Point(8, again.at + 1000), again.at + 11_000) == lost
    assert losses.look(1, again, Point(9, again.at + 2000), again.at + 12_000) is None
    assert losses.look(2, again, Point(500, again.at + 200_000), again.at + 200_000) == Lost(1), (
        "nothing is pending now"
    )


@pytest.mark.parametrize(
    ("written", "lost"),
    [
        (NOON - 20 * MINUTE, Lost(1)),
        (NOON - 5 * MINUTE, None),
        (None, Lost(1, sure=False)),
        (0, None),  # a savepoint: what was pending then was committed as the job stopped
    ],
)
def test_of_what_was_pending_as_a_job_was_begun_the_age_decides(written: int | None, lost: Lost | None) -> None:
    losses = Losses(TIMEOUT, 1000, written)
    assert losses.look(1, Point(11, NOON), Point(12, NOON + 1000), NOON + 5000) == lost
    again = Point(12, NOON + MINUTE)  # and of what it left itself, that of its own
    assert losses.look(0, again, Point(12, NOON + 1000), again.at) is None
    assert losses.look(1, again, Point(13, again.at + 1000), again.at + 5000) is None


def test_a_checkpoint_that_was_not_seen_is_of_an_age_that_is_not_known() -> None:
    losses = Losses(TIMEOUT, 1000)
    losses.look(0, NONE, Point(1, NOON), NOON)
    losses.look(0, Point(1, NOON + 1000), Point(1, NOON), NOON + 2000)
    assert losses.look(1, Point(9, NOON + MINUTE), Point(10, NOON + MINUTE), NOON + MINUTE) == Lost(1, sure=False)
