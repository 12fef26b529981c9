"""An event type with a field of every type, and events of it, for the tests of files."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated

from hypothesis import strategies as st

import tidegate.expressions  # noqa: F401  (gives fields their expressions)
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field
from tidegate.events.money import Money

Sender = entity("sender")
Dock = entity("dock", int)


class Way(Enum):
    AIR = "air"
    SEA = "sea"


class Shipment(Event, version=2):
    sender: Sender
    dock: Dock
    worth: Annotated[Money, Field(le=10**10)]
    fee: Annotated[Money | None, Field(currency="EUR")]
    way: Way
    weight: Annotated[float, Field(ge=0)]
    boxes: Annotated[int, Field(ge=1, le=1000)]
    fragile: bool
    packed: datetime | None
    note: Annotated[str | None, Field(max_length=40)]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.integers(0, 4 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us))
words = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=40)

shipments = st.builds(
    Shipment,
    id=words,
    at=times,
    sender=words,
    dock=st.integers(-(2**63) + 1, 2**63 - 1),
    worth=st.builds(Money, st.integers(0, 10**10), st.sampled_from(["EUR", "JPY", "KWD", "CLF"])),
    fee=st.none() | st.builds(Money, st.integers(0, 10**12), st.just("EUR")),
    way=st.sampled_from(Way),
    weight=st.floats(0, allow_nan=False, allow_infinity=False),
    boxes=st.integers(1, 1000),
    fragile=st.booleans(),
    packed=st.none() | times,
    note=st.none() | words,
)
