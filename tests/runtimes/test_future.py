"""Events from a future that cannot be: refused where it can be known, and named where it cannot."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import pytest

from tests.cli.conftest import typed
from tidegate import (
    ContractError,
    Decision,
    Engine,
    Event,
    Flow,
    Label,
    ListChange,
    Money,
    Refused,
    Store,
    count,
    decline,
    entity,
    entity_list,
    eur,
)
from tidegate.connectors.quarantine import Quarantine
from tidegate.runtimes.backtest import replay as run
from tidegate.runtimes.remake import remake

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class Payment(Event):
    card: Card
    amount: Money
    fraud: Annotated[bool | None, Label(known_after="7d")]


blocked = entity_list("blocked", Card)


class Busy(Flow[Payment]):
    n = count(per=Card, last="1d")
    busy = decline(n >= 2, because="Two in a day")
    listed = decline(blocked.has(Payment.card), because="Blocked")
    currency = "EUR"


def payment(id: str, minutes: int = 0, at: datetime | None = None) -> Payment:
    return Payment(id=id, at=at or START + timedelta(minutes=minutes), card="c", amount=eur(1))


def test_the_contract_ends_with_the_year_2199() -> None:
    engine = Engine(Busy)
    for at in (NEVER, datetime(2200, 1, 1, tzinfo=UTC), datetime(2262, 4, 11, tzinfo=UTC)):
        with pytest.raises(ContractError, match="after the year 2199") as caught:
            engine.decide(payment("a", at=at))
        assert caught.value.pointer == "/at"
        with pytest.raises(ContractError, match="after the year 2199"):
            engine.decide_json(
                b'{"id":"a","at":"%b","card":"c","amount":"1.00 EUR"}' % at.isoformat().replace("+00:00", "Z").encode()
            )
    for id in "abc":
        assert isinstance(engine.decide(payment(id)), Decision)  # nothing of it was taken
    last = datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert isinstance(engine.decide(payment("z", at=last)), Decision)


def test_an_entry_may_hold_for_ever() -> None:
    engine = Engine(Busy)
    engine.learn(ListChange(id="l", at=START, list="blocked", key="c", listed=True, until=NEVER))
    decision = engine.decide(payment("a", 1))
    assert isinstance(decision, Decision) and decision.outcome == "decline"


def test_what_an_older_store_took_is_recovered(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        Engine(Busy, store=store).process([payment("a"), payment("b", at=NEVER)])  # as before there was a bound
    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Busy, store=store)
        assert engine.recovered == 2
        again = engine.process([payment("b", at=NEVER)])[0]
        assert isinstance(again, Decision) and again.repeated and remake(store, "b").equal


def test_an_engine_with_a_clock_refuses_what_is_ahead_of_it(tmp_path: Path) -> None:
    read: list[datetime] = []

    def now() -> datetime:
        read.append(START + timedelta(minutes=len(read)))
        return read[-1]

    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Busy, store=store, now=now)
        answers = engine.decide_many(
            [payment("a", 5), payment("b", 7 * 24 * 60), payment("c", 1), payment("b", 7 * 24 * 60), payment("d", 2)]
        )
        assert [type(answer) for answer in answers] == [Decision, Refused, Decision, Refused, Decision]
        refused = answers[1]
        assert isinstance(refused, Refused)
        assert (refused.code, refused.pointer) == ("future", "/at") and "300 seconds ahead" in refused.reason
        assert [kept.id for _, kept in store.refusals()] == ["b", "b"]
        assert len(read) == 3  # only for what its last answer does not settle
    late = Engine(Busy, now=lambda: START, ahead=timedelta(days=30))
    assert isinstance(late.decide(payment("b", 7 * 24 * 60)), Decision)
    without = Engine(Busy)
    assert isinstance(without.decide(payment("b", 7 * 24 * 60)), Decision)


def lines(folder: Path, form: str, rows: list[dict[str, Any]]) -> Path:
    """The rows as a file, with blank lines where the form has such."""
    path = folder / f"p.{form}"
    if form == "ndjson":
        path.write_text("\n\n".join(json.dumps(row) for row in rows) + "\n")
    elif form == "csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        pl.DataFrame(rows).write_parquet(path)
    return path


def row(id: str, minutes: int, amount: str = "1.00 EUR", at: str = "") -> dict[str, Any]:
    said = at or (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"id": id, "at": said, "card": "c", "amount": amount}


ROWS = [
    row("a", 0), row("b", 1, at="9999-12-31T23:59:59Z"), row("c", 2), row("a", 0, "2.00 EUR"), row("c", 2),
    row("d", 3, at="2031-01-01T00:00:00Z"), row("e", 4), row("f", 5, "none"), row("g", 6),
]  # fmt: skip


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "frame"])
@pytest.mark.parametrize("kept", [False, True])
def test_refused_rows_are_in_the_quarantine(tmp_path: Path, form: str, kept: bool) -> None:
    given: Any = pl.DataFrame(ROWS) if form == "frame" else lines(tmp_path, form, ROWS)
    with Quarantine(tmp_path / "q.ndjson") as quarantine:
        if kept:
            with Store.open(tmp_path / "a.db") as store:
                done = run(Busy, given, store=store, quarantine=quarantine, batch=2)
        else:
            done = run(Busy, given, quarantine=quarantine, batch=2)
    counts = done.counts
    assert (counts.read, counts.decided, counts.repeated) == (9, 3, 1)
    assert (counts.quarantined, counts.reused, counts.late) == (2, 1, 2)
    *rows, end = [json.loads(line) for line in (tmp_path / "q.ndjson").read_text().splitlines()]
    found = {
        entry["line"]: (entry["pointer"], entry["reason"].split(".")[0][:40], json.loads(entry["original"]))
        for entry in rows
    }
    place = {"ndjson": lambda n: 2 * n + 1, "csv": lambda n: n + 2}.get(form, lambda n: n + 1)
    assert {n: (pointer, original) for n, (pointer, _, original) in found.items()} == {
        place(1): ("/at", ROWS[1]), place(3): ("/id", ROWS[3]), place(6): ("/at", ROWS[6]),
        place(7): ("/amount", ROWS[7]), place(8): ("/at", ROWS[8]),
    }  # fmt: skip
    assert found[place(3)][1] == "This id was used before, with other cont" and "lateness" in rows[-1]["reason"]
    assert end["refused"] == 5
    behind = counts.behind
    late = counts.first_late
    assert late is not None and (late.id, late.line) == ("e", place(6))
    assert late.at == int((START + timedelta(minutes=4)).timestamp() * 1e6)
    assert behind is not None and (behind.id, behind.line) == ("d", place(5))
    assert behind.ahead == (datetime(2031, 1, 1, tzinfo=UTC) - START - timedelta(minutes=2)) // timedelta(
        microseconds=1
    )


def test_several_sources_keep_their_lines_apart(tmp_path: Path) -> None:
    one, other = tmp_path / "one.ndjson", tmp_path / "other.csv"
    one.write_text("\n".join(json.dumps(row(f"a{n}", 10 * n)) for n in range(6)) + "\n")
    second = [row(f"b{n}", 10 * n + 5) for n in range(4)]
    second[2:2] = [row("a1", 22, "9.00 EUR"), row("b0", 23, "9.00 EUR")]
    pl.DataFrame(second).write_csv(other)
    with Quarantine(tmp_path / "q.ndjson") as quarantine:
        assert run(Busy, [one, other], quarantine=quarantine).counts.reused_ids == ["a1", "b0"]
    *rows, _ = [json.loads(line) for line in (tmp_path / "q.ndjson").read_text().splitlines()]
    assert [(entry["file"], entry["line"]) for entry in rows] == [(str(other), 4), (str(other), 5)]
    assert [json.loads(entry["original"])["id"] for entry in rows] == ["a1", "b0"]


def test_a_first_event_from_the_future_is_named() -> None:
    frame = pl.DataFrame([row("z", 0, at="2031-01-01T00:00:00Z"), row("a", 0), row("b", 1)])
    counts = run(Busy, frame).counts
    assert counts.late == 2 and counts.behind is not None
    assert (counts.behind.id, counts.behind.line, counts.behind.ahead) == ("z", 1, None)


FLOW = '''"""A flow."""

from tidegate import Event, Flow, Money, count, decline, entity

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Money


class Busy(Flow[Payment]):
    n = count(per=Card, last="1d")
    busy = decline(n >= 2, because="Two in a day")
    currency = "EUR"
'''


@pytest.mark.parametrize("kept", [False, True])
def test_the_command_says_what_made_the_rest_too_late(tmp_path: Path, kept: bool) -> None:
    (tmp_path / "f.py").write_text(FLOW)
    file = lines(tmp_path, "ndjson", ROWS)
    store = ["--store", tmp_path / "s.db"] if kept else []
    result = typed("replay", tmp_path / "f.py", file, *store)
    said = " ".join(result.stderr.split())
    assert "2 rows are no events" in said and "at of Payment lies after the year 2199" in said.replace(
        "field 'at'", "at"
    )
    assert "2 events came too late" in said
    assert said.index("The first is e of 20") < said.index("too late for d of")
    assert "too late for d of 2031-01-01 00:00:00 UTC, 1,826 days ahead of all before it" in said
    assert "line 11" in said and "mend or take out its line" in said
    assert "1 event was refused" in said and str(file) + ".quarantine.ndjson" in said.replace(" ", "")
    assert "1d, the flow" not in said  # the refusals' own reasons are not told among rows that are no events
