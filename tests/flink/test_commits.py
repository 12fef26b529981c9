"""When it is said that a job which runs has committed nothing."""

from tidegate.runtimes.flink.commits import Commits


def test_it_is_said_every_half_minute_that_nothing_was_committed() -> None:
    commits = Commits(30)
    seen = [(0, 100), (0, 129), (0, 130), (0, 159), (0, 161), (1, 162), (1, 191), (1, 192)]
    said = [commits.look(done, now) for done, now in seen]
    assert [bool(one) for one in said] == [False, False, True, False, True, False, False, True]
    assert "for 30 seconds" in said[2] and "for 61 seconds" in said[4] and "for 30 seconds" in said[7]


def test_a_job_that_is_not_running_is_not_said_to_stand_still() -> None:
    commits = Commits(30)
    assert not any(commits.look(-1, now) for now in range(0, 300, 10))
    assert not commits.look(0, 310)
