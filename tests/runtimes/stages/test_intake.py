"""What the intake takes, knows again and refuses; and what rows and states say when they are no rows or states."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.conformance.events import Card
from tidegate import Event, Flow, count, decline
from tidegate.connectors.schemas.framing import framed
from tidegate.decisions.plan import LEARN, READ
from tidegate.errors import FlowError, SnapshotError
from tidegate.events.contract import body
from tidegate.events.times import microseconds_of
from tidegate.runtimes.stages.intake import IntakeAt
from tidegate.runtimes.stages.rows import (
    AHEAD,
    AT,
    FLAGS,
    HEAD,
    HISTORY,
    LATE,
    OFFSET,
    ON,
    SHARD,
    STAGE,
    TOMBSTONE,
    Rows,
)
from tidegate.runtimes.stages.stage import Output
from tidegate.runtimes.stages.staging import Staging, shards_of
from tidegate.runtimes.stages.windows import WindowsAt

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = 3_600_000_000


class Paid(Event):
    card: Card
    payee: Card
    euros: int


class Fast(Flow[Paid]):
    """Payments in quick succession."""

    often = count(per=Paid.card, last="1h")
    known = count(per=Paid.payee, seen_as=Paid.card, last="1h")
    fast = decline(often >= 2, because="Two in an hour")


STAGING = Staging(Fast.plan, 8)


def _raw(*payloads: bytes, at: datetime = NOON, flags: int = READ | LEARN) -> Rows:
    words = np.zeros((len(payloads), HEAD), np.int64)
    words[:, AT], words[:, FLAGS], words[:, OFFSET] = microseconds_of(at), flags, np.arange(len(payloads))
    return Rows(words, list(payloads))


def _paid(id: str, at: datetime = NOON, euros: int = 1, card: str = "a") -> bytes:
    return body(Paid(id=id, at=at, card=card, payee="z", euros=euros))


def _intake(remember: int = HOUR) -> IntakeAt:
    return IntakeAt(Fast.definition, STAGING, remember)


def _codes(out: Output) -> list[tuple[int, str]]:
    return [(one.offset, one.code) for one in out.refused]


def test_an_id_is_taken_once() -> None:
    intake = _intake()
    out = intake.take(0, _raw(_paid("1"), _paid("1"), _paid("1", euros=2), _paid("2")))
    assert out.repeated == 1
    assert _codes(out) == [(2, "id-reused")]
    first = out.rows[0].words
    assert first[first[:, FLAGS] & ON != 0, OFFSET].tolist() == [0, 3]
    again = intake.take(0, _raw(_paid("2"), _paid("2", euros=9)))
    assert again.repeated == 1
    assert _codes(again) == [(1, "id-reused")]


def test_ids_are_known_after_a_restart_and_for_as_long_as_was_asked() -> None:
    intake = _intake()
    first = intake.take(3, _raw(_paid("1")))
    logged, kept = _intake(), _intake()
    logged.learn(3, first.entry)
    kept.restore(3, intake.snapshot(3))
    later = NOON + timedelta(minutes=59)
    for one in (intake, logged, kept):
        assert one.take(3, _raw(_paid("2", later), at=later)).repeated == 0
        assert one.take(3, _raw(_paid("1"))).repeated == 1
    long_after = NOON + timedelta(hours=2)
    for one in (intake, logged, kept):
        assert one.take(3, _raw(_paid("3", long_after), at=long_after)).repeated == 0
        assert one.take(3, _raw(_paid("1"))).repeated == 0


def test_what_cannot_be_taken_is_refused_with_the_reason() -> None:
    out = _intake().take(0, _raw(b"{", _paid("1", NOON + timedelta(seconds=1)), _paid("2")[:-1] + b', "x": 1}'))
    assert sorted(_codes(out)) == [(0, "contract"), (1, "time-unread"), (2, "contract")]
    assert out.refused[0].body == b"{"
    late = _intake()
    late.take(0, _raw(_paid("0")))
    out = late.take(0, _raw(_paid("0"), _paid("5"), flags=READ | LEARN | LATE))
    assert (out.repeated, _codes(out)) == (1, [(1, "behind-watermark")])
    assert out.rows == []


def test_a_message_without_a_value_is_refused_as_that_and_one_without_bytes_is_not() -> None:
    rows = _raw(b"", b"", _paid("1"))
    rows.words[0, FLAGS] |= TOMBSTONE
    out = _intake().take(0, rows)
    assert [(one.offset, one.code, one.body) for one in out.refused] == [(0, "empty", None), (1, "contract", b"")]
    assert len(out.rows[0]) == 1


def test_what_is_ahead_of_the_clock_is_refused_and_stays_out_when_its_time_has_come() -> None:
    ahead = READ | LEARN | AHEAD
    intake, logged, kept = _intake(), _intake(), _intake()
    out = intake.take(0, _raw(_paid("1"), b"{", flags=ahead))
    assert sorted(_codes(out)) == [(0, "future"), (1, "contract")]
    assert (out.rows, out.repeated) == ([], 0)
    assert "2026-03-01 12:00:00+00:00, lies in the future: a clock is wrong" in out.refused[0].reason
    logged.learn(0, out.entry)
    kept.restore(0, intake.snapshot(0))
    for one in (intake, logged, kept):
        assert one.take(0, _raw(_paid("1"), flags=READ | LEARN | HISTORY)).rows == []
        again = one.take(0, _raw(b"", b"", _paid("1")))
        assert len(again.rows[0]) == 1, "sent again, it is taken: a refusal leaves no id behind"


def test_a_row_goes_to_the_shard_of_its_key_and_copies_to_those_where_it_is_learned() -> None:
    out = _intake().take(0, _raw(*(_paid(str(i), card=f"c{i}") for i in range(50))))
    one, two = (sent.words for sent in out.rows)
    assert [set(sent[:, STAGE].tolist()) for sent in (one, two)] == [{1}, {2}]
    main = one[:, FLAGS] & ON != 0
    assert main.sum() == len(main) == 50
    assert [stage.key for stage in STAGING.windows] == [STAGING.windows[0].key, STAGING.windows[1].key]
    assert not (two[:, FLAGS] & ON).any(), "read under the payee, learned under the card"
    home = {int(row[OFFSET]): int(row[SHARD]) for row in one}
    assert all(home[int(row[OFFSET])] == int(row[SHARD]) for row in two), "both are by the card"


def test_shards_are_even() -> None:
    counts = np.bincount(shards_of(np.arange(8000, dtype=np.int64), 8), minlength=8)
    assert counts.min() > 900
    assert counts.max() < 1100


def test_what_cannot_be_cut_is_said() -> None:
    with pytest.raises(FlowError, match="1 to 1024 shards"):
        Staging(Fast.plan, 0)


def test_no_rows_and_no_state_are_told() -> None:
    rows = _raw(_paid("1"), b"", _paid("2"))
    again = Rows.unpack(rows.pack())
    assert again.payloads == rows.payloads
    assert (again.words == rows.words).all()
    assert len(Rows.unpack(Rows.none(HEAD).pack())) == 0
    for wrong in (b"", rows.pack()[:-1], rows.pack() + b"x", rows.pack()[:40]):
        with pytest.raises(SnapshotError):
            Rows.unpack(wrong)
    windows = [WindowsAt(STAGING, stage) for stage in STAGING.windows]
    with pytest.raises(SnapshotError, match="another flow"):
        windows[1].restore(0, windows[0].snapshot(0))
    with pytest.raises(SnapshotError, match="cannot be read"):
        windows[0].restore(0, b"nothing")


def test_stages_have_names() -> None:
    assert STAGING.names() == [
        "events taken in, by id",
        "windows, by Paid.card",
        "windows, by Paid.payee",
        "decisions",
    ]


class Renamed(Flow[Paid]):
    """The same windows in another order, under other names, and more beside them."""

    huge = Paid.euros > 1000
    received = count(per=Paid.payee, seen_as=Paid.card, last="1h")
    quick = count(per=Paid.card, last="1h")
    fast = decline((quick >= 5) & huge, because="Five in an hour")


class Longer(Fast):
    often = count(per=Paid.card, last="2h")


def test_a_mark_stays_while_what_is_kept_is_defined_so() -> None:
    marks = STAGING.marks()
    assert Staging(Renamed.plan, 8).marks() == marks, "whatever it is called, and whatever is thought of it"
    longer = Staging(Longer.plan, 8).marks()
    assert [one == other for one, other in zip(longer, marks, strict=True)] == [True, False, True, True]


def test_history_leaves_out_what_was_not_taken_and_learns_the_rest_where_it_is_missing() -> None:
    staging, first = Staging(Fast.plan, 8, rebuilt=[1]), _intake()
    sent = _raw(_paid("1"), _paid("1"), _paid("1", euros=2), b"{", _paid("2"))
    logged, kept = (IntakeAt(Fast.definition, staging, HOUR) for _ in range(2))
    logged.learn(0, first.take(0, sent).entry)
    kept.restore(0, first.snapshot(0))
    for one in (logged, kept):
        again = Rows(sent.words.copy(), sent.payloads)
        again.words[:, FLAGS] |= HISTORY
        out = one.take(0, again)
        assert (out.refused, out.repeated, out.entry) == ([], 0, b"")
        assert [(row[STAGE], row[OFFSET], row[FLAGS] & ON) for part in out.rows for row in part.words.tolist()] == [
            (1, 0, 0),
            (1, 4, 0),
        ]
        again.words[:, FLAGS] |= LATE
        with pytest.raises(SnapshotError, match="behind the watermark"):
            one.take(0, again)


def test_a_message_written_with_a_schema_is_told_as_one() -> None:
    out = _intake().take(0, _raw(framed(7, b"\x06abc"), b"\x00\x01", _paid("a")))
    assert [code for _, code in _codes(out)] == ["schema", "contract"]
    assert "schema 7 of a registry" in out.refused[0].reason and "tidegate run --value-format" in out.refused[0].reason
    assert out.refused[0].body == framed(7, b"\x06abc")
