"""What tells of a stream's decisions outlasts what it did not expect."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from tidegate.runtimes.stream.telling import Telling


class Closed:
    """In the place of what is shared, which is not asked."""

    def close(self) -> None:
        pass


def test_a_fault_that_nobody_expected_is_logged_and_the_next_look_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    looks, again = [0], threading.Event()

    def decides() -> bool:
        looks[0] += 1
        if looks[0] == 1:
            raise RuntimeError("not expected")
        again.set()
        return False

    telling = Telling(cast(Any, None), cast(Any, tmp_path / "s.db"), cast(Any, Closed()), decides)
    telling.start()
    assert again.wait(30)
    telling.stop()
    assert "Telling of decisions failed" in caplog.text and "RuntimeError: not expected" in caplog.text
