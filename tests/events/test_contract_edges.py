"""The edges of a contract: the last moment of the last year, and texts that are none, also among many."""

from datetime import UTC, datetime

import pytest

from tidegate import Event, entity
from tidegate.errors import ContractError
from tidegate.events.contract import check, check_all
from tidegate.events.event import LAST_YEAR

Card = entity("card")


class Pay(Event):
    """A payment."""

    card: Card
    note: str | None


def test_the_last_year_is_taken_to_its_end() -> None:
    at = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert check(Pay(id="1", at=at, card="c", note=None)).at == at
    with pytest.raises(ContractError, match="after the year"):
        check(Pay(id="1", at=datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC), card="c", note=None))


@pytest.mark.parametrize("note", ["a\ud800b", "\udfff"])
def test_half_of_a_surrogate_pair_is_refused_among_many_too(note: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    good = Pay(id="1", at=at, card="c", note="é")
    with pytest.raises(ContractError, match="surrogate"):
        check_all([good, Pay(id="2", at=at, card="c", note=note)])
