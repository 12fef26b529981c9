"""What all tests share: the budget of random cases, the shared data, and the rule about skipping."""

import os
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.servers.fixtures", "tests.connectors.stores"]

ROOT = Path(__file__).resolve().parent.parent

CASES = int(os.environ.get("TIDEGATE_CASES", "500"))
"""Random flows and streams a run may try in all: 500 in `make test`, 10,000 in `make test-long`."""

KILLS = int(os.environ.get("TIDEGATE_KILLS") or (30 if CASES > 500 else 5))
"""How often the tests of `kill -9` kill a server or a writer: 5 times in `make test`, 30 in `make test-long`."""

IN_CI = os.environ.get("CI") == "true"

# One property test takes a fifth of the budget; the oracle's own tests divide `cases` among themselves.
# In CI the cases are the same from run to run, so that a change is judged by what it changes; elsewhere they vary.
hypothesis.settings.register_profile(
    "tidegate",
    max_examples=max(1, CASES // 5),
    deadline=None,
    derandomize=IN_CI,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tidegate")


def shared_data() -> Path:
    """The folder of data sets and truth files too large for the repository: TIDEGATE_SHARED, or `shared` beside it."""
    return Path(os.environ.get("TIDEGATE_SHARED") or ROOT.parent / "shared")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder; a test that asks for it is skipped where there is none."""
    folder = shared_data()
    if not folder.is_dir():
        pytest.skip(f"TIDEGATE_SHARED: no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def cases() -> int:
    """The run's budget of random cases, for the tests that divide it among themselves."""
    return CASES


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run, unless it is for want of the shared data and there is none."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not IN_CI or reporter is None or hasattr(session.config, "workerinput"):
        return
    absent = not shared_data().is_dir()
    wrong = [
        report
        for report in reporter.stats.get("skipped", [])
        if not (absent and "TIDEGATE_SHARED" in str(report.longrepr))
    ]
    for report in wrong:
        reporter.write_line(f"\nSKIPPED IN CI, which fails the run: {report.nodeid}: {report.longrepr}", red=True)
    if wrong and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
