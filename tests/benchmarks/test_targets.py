"""A benchmark whose ratio is missed ends with exit code 1 and says so; a figure of the machine ends nothing."""

import pytest

from benchmarks.targets import Targets


@pytest.mark.parametrize(
    ("found", "bounds", "holds"),
    [
        (30.0, {"least": 30}, True),
        (29.9, {"least": 30}, False),
        (2.0, {"most": 2}, True),
        (2.1, {"most": 2}, False),
        (float("nan"), {"least": 30}, False),
        (float("nan"), {"most": 2}, False),
    ],
)
def test_a_missed_ratio_ends_the_run(
    found: float, bounds: dict[str, float], holds: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for held in (True, False):
        targets = Targets(held=held)
        targets.ratio("ours against theirs", found, **bounds)
        told = capsys.readouterr().out
        assert told.startswith(("PASS" if holds else "MISS") + "  ours against theirs: ")
        if holds or not held:
            targets.end()
        else:
            with pytest.raises(SystemExit, match="below the target: ours against theirs"):
                targets.end()


def test_a_figure_of_the_machine_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    targets = Targets(held=True)
    targets.figure("answers a second", 99_000, least=100_000)
    targets.figure("answers a second", 100_000, least=100_000)
    targets.end()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "MISS  answers a second: 99,000, at least 100,000, as this machine goes"
    assert told[1].startswith("PASS")
