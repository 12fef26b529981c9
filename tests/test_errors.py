"""What an error says in one line."""

import pytest

from tidegate.errors import TidegateError


@pytest.mark.parametrize(("seen", "told"), [("7", "7."), ("It ended.", "It ended."), ("Does it run?", "Does it run?")])
def test_what_was_seen_ends_once(seen: str, told: str) -> None:
    assert str(TidegateError("It is wrong.", seen=seen, do="Mend it.")) == f"It is wrong. Seen: {told} Mend it."
    assert str(TidegateError("It is wrong.", do="Mend it.")) == "It is wrong. Mend it."
