"""Erasing one person's records, and those that are old: what they said goes, and the log stays verifiable."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from tidegate.actions.sink import Gone
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.store import Store
from tidegate.connectors.told import Told, sinks
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.errors import StoreError
from tidegate.events.times import microseconds_of
from tidegate.evidence.erasure import KIND, MOST, Erasure, erasures, is_blank, statement, why_erased
from tidegate.evidence.record import Row, Stored
from tidegate.evidence.snapshot import Snapshots

_DAY = timedelta(days=1)
_KEPT = {kind.__name__ for kind in INSTRUCTIONS}
"""Types of events that hold until others end them, however old they are."""
_OLD = "records older than"
"""How what was pruned is stated."""


def is_of_age(said: Erasure) -> bool:
    """Whether a statement is of records that were pruned, which windows keep; what else is erased they forget."""
    return said.what.startswith(_OLD)


def erased(store: Store, record: Stored) -> StoreError:
    """The fault that a record was asked for which says nothing any more."""
    why = why_erased(store, record)
    if not why:
        return StoreError(
            f"Record {record.seq}, {record.id!r}, is empty, and no statement of erasure names it: it was touched.",
            do="Run `tidegate verify`, then put back a copy of the store.",
        )
    return StoreError(
        f"{record.id} was erased: it cannot be explained or made again.",
        seen=why,
        do="`tidegate verify` shows that nothing else was changed.",
    )


def erase(
    store: Store, entities: Mapping[str, str], why: str, now: datetime | None = None, met: set[str] | None = None
) -> int:
    """Erase every record of a person, a card, or whom else fields of events name.

    Args:
        store: open for writing.
        entities: by field what it names; a record that has one of them is erased. The statement names the fields only.
        why: the reason, which is kept.
        now: the time of the statement.
        met: gets the fields by which records were found.

    Returns:
        How many records were erased.

    Raises:
        StoreError: the store cannot be written.
    """

    by_which = set[str]() if met is None else met

    def chosen(row: Row) -> bool:
        try:
            fields = msgspec.json.decode(_body(row))
        except msgspec.DecodeError:
            return False
        if not isinstance(fields, dict):
            return False
        by = [name for name, value in entities.items() if fields.get(name) is not None and str(fields[name]) == value]
        by_which.update(by)
        return bool(by)

    wanted = [value.encode() for value in entities.values()]
    plain = all(value.isascii() and value.isalnum() for value in entities.values())  # so that JSON writes it as it is

    def near(row: Row) -> bool:
        return not plain or any(value in _body(row) for value in wanted)

    what = "records of one " + " or ".join(sorted(entities))
    many = _erase(store, lambda row: near(row) and chosen(row), store.head().size, what, why, now)
    if many:
        store.scrub()
    return many


def forget_beside(store: Store) -> bool:
    """Let what lies beside a store forget what was erased from it: the index of alerts, and the snapshots.

    Returns:
        Whether windows forget it: where records were pruned, snapshots stay, since windows could not be made again.
    """
    _forget_alerts(store)
    snapshots = Snapshots.beside(store.place)
    if any(is_of_age(said) for _, said in erasures(store)):
        return not snapshots.files()
    for path in snapshots.files():
        path.unlink()
    return True


def _forget_alerts(store: Store) -> None:
    path = AlertsFile.place_beside(store.place)
    if not path.exists():
        return
    with AlertsFile(path) as file:
        for _, said in erasures(store):
            SqliteIndex(file).forget([Gone(seq, "", 0) for seq in said.seqs])
            for name in sinks(file):
                Told(file, name).let_go(said.seqs)
        file.scrub()


def prune(store: Store, days: int, why: str, now: datetime | None = None) -> int:
    """Erase the records of events that are older than so many days, where every snapshot has learned them.

    Instructions stay: a flow whose windows or lists change learns from the store who is on a list.

    Args:
        store: open for writing.
        days: how long records are to be kept.
        why: the reason, which is kept.
        now: the time from which the days are counted back.

    Returns:
        How many records were erased.

    Raises:
        StoreError: the store has no snapshots, so its state could not be made again without its records.
    """
    now, last = now or datetime.now(UTC), _learned(store)
    if not last and store.head().size:
        raise StoreError(
            f"The store {store.address} has no snapshot, so its records are what its windows are made from.",
            do="Serve or run its flow once and stop it, which writes one; then prune.",
        )
    return _erase(store, _older(days, now), last, f"{_OLD} {days} days", why, now)


def not_learned(store: Store, days: int, now: datetime | None = None) -> int:
    """How many records of events older than so many days `prune` leaves, because a snapshot has not learned them."""
    old = _older(days, now or datetime.now(UTC))
    rows = _all(store, store.head().size, _learned(store))
    return sum(row[2] != KIND and not is_blank(row) and old(row) for row in rows)


def _learned(store: Store) -> int:
    """The last record that every snapshot has learned; 0 without one."""
    taken = [int(path.stem) for path in Snapshots.beside(store.place).files() if path.stem.isdecimal()]
    return min(taken, default=0)


def _older(days: int, now: datetime) -> Callable[[Row], bool]:
    before = microseconds_of(now - days * _DAY)

    def old(row: Row) -> bool:
        return isinstance(row[3], int) and row[3] < before and str(row[2]).partition("@")[0] not in _KEPT

    return old


def _erase(store: Store, chosen: Callable[[Row], bool], last: int, what: str, why: str, now: datetime | None) -> int:
    """Erase the chosen of the first `last` records: first the statement that names them, then what they said."""
    many = 0
    rows: list[Row] = []
    for row in _all(store, last):
        if row[2] == KIND or is_blank(row) or not chosen(row):
            continue
        rows.append(row)
        if len(rows) == MOST:
            many += _state(store, rows, what, why, now)
            rows = []
    return many + _state(store, rows, what, why, now)


def _state(store: Store, rows: list[Row], what: str, why: str, now: datetime | None) -> int:
    if rows:
        store.append([statement(rows, what, why, now or datetime.now(UTC))])
        store.blank([int(str(row[0])) for row in rows])
    return len(rows)


def _all(store: Store, last: int, after: int = 0) -> Iterator[Row]:
    while after < last and (part := store.rows(after)):
        for row in part:
            after = int(str(row[0]))
            if after > last:
                return
            yield row


def _body(row: Row) -> bytes:
    found = row[11]
    return found if isinstance(found, bytes) else b""
