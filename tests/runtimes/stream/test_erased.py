"""What is erased from a stream's store: the stream goes on where it was, and the stores of others follow."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, run, stored
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.connectors.store import Store as AnyStore
from tidegate.errors import StreamError
from tidegate.evidence.log import verify
from tidegate.evidence.record import TreeHead
from tidegate.evidence.snapshot import Snapshots
from tidegate.runtimes.copying import copy
from tidegate.runtimes.erasing import erase, forget_beside, prune
from tidegate.runtimes.stream.order import ERASING, read

_LATER = datetime(2030, 1, 1, tzinfo=UTC)


def _head(path: Path) -> TreeHead:
    """The head of a store of which every seal holds."""
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok
        return store.head()


def _empty(path: Path) -> int:
    """How many records say nothing any more."""
    with Store.open(path, read_only=True) as store:
        return sum(1 for row in store.rows(limit=1000) if row[11] == b"")


def _followed(kafka: Kafka, own: str, folder: Path) -> Path:
    """A stream that decided 60 payments, and the folder of a stand-by that has them too."""
    kafka.topics(f"{own}-in", f"{own}-out")
    second = folder / "b"
    second.mkdir()
    put(kafka, f"{own}-in", payments(0, 60))
    run(kafka, own, folder)
    run(kafka, own, second, catch_up=True)
    return second


def test_what_was_erased_and_comes_again_is_dropped_and_becomes_no_dead_letter(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    second = _followed(kafka, own, tmp_path)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20 and forget_beside(store)
    other = payments(1, 2)[0].replace(b'"units": 137', b'"units": 999')
    put(kafka, f"{own}-in", [*payments(0, 60), other, *payments(60, 66)])
    again = run(kafka, own, tmp_path)
    counted = again.figures.metrics
    assert (again.figures.taken, counted.repeated, +again.figures.letters) == (67, 60, {"id-reused": 1})
    assert [one.value() for one in everything(kafka, f"{own}-out.dead-letters")] == [other]
    assert counted.refusals == {"id-reused": 1} and len(decisions(kafka, f"{own}-out")) == 66
    with Store.open(tmp_path / "s.db", read_only=True) as store:
        assert [one.id for _, one in store.refusals()] == ["c11-1"], "of what is dropped nothing is kept"
    run(kafka, own, second, catch_up=True)
    assert _head(second / "s.db") == _head(tmp_path / "s.db") and _empty(second / "s.db") == 20


def test_another_group_is_refused_where_an_erasure_was_the_last_that_was_told(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    _followed(kafka, own, tmp_path)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20 and forget_beside(store)
    run(kafka, own, tmp_path)
    put(kafka, f"{own}-in", payments(60, 66))
    with pytest.raises(StreamError, match="is decided by another consumer group"):
        run(kafka, own, tmp_path, group=f"{own}-slip")
    assert len(decisions(kafka, f"{own}-out")) == 60


@pytest.mark.parametrize("begin", ["earliest", "latest"])
def test_a_stream_goes_on_after_an_erasure(kafka: Kafka, own: str, tmp_path: Path, begin: str) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 60))
    run(kafka, own, tmp_path)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20
        assert forget_beside(store)
        with Store.open(tmp_path / "copy.db") as other:
            copy(store, other)
    put(kafka, f"{own}-in", payments(60, 120))  # before it is there again
    again = run(kafka, own, tmp_path, begin=begin)
    assert again.figures.taken == 60 and len(decisions(kafka, f"{own}-out")) == 120
    head = _head(tmp_path / "s.db")
    assert head.size == 121
    for other in ("copy.db", "empty.db"):  # one that has the erasure, and one that is made anew with it
        run(kafka, own, tmp_path, store=tmp_path / other, catch_up=True)
        assert _head(tmp_path / other) == head and _empty(tmp_path / other) == 20
    assert decisions(kafka, f"{own}-out")[:60] == replayed(payments(0, 60))


def test_a_stand_by_erases_what_was_erased_and_decides_as_the_other_one_would(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    second = _followed(kafka, own, tmp_path)
    assert Snapshots.beside(second / "s.db").files()
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20 and erase(store, {"card": "c12"}, "so did she") == 20
        assert forget_beside(store)
    put(kafka, f"{own}-in", payments(60, 120))
    run(kafka, own, tmp_path)
    orders = [read(one.value(), "order") for one in everything(kafka, f"{own}-out.order")]
    assert [one.seq for one in orders if one.version == ERASING] == [60, 61]
    run(kafka, own, second, catch_up=True)
    assert _head(second / "s.db") == _head(tmp_path / "s.db") and _empty(second / "s.db") == 40
    put(kafka, f"{own}-in", payments(120, 180))
    assert run(kafka, own, second).figures.taken == 60  # the other one decides now
    run(kafka, own, tmp_path, catch_up=True)
    assert _head(second / "s.db") == _head(tmp_path / "s.db") and len(decisions(kafka, f"{own}-out")) == 180
    assert stored(second)[-60:] == decisions(kafka, f"{own}-out")[-60:]


def test_what_a_start_had_to_learn_again_is_in_a_snapshot_though_nothing_new_came(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    second = _followed(kafka, own, tmp_path)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20 and forget_beside(store)
    assert [run(kafka, own, tmp_path).engine.recovered for _ in range(2)] == [40, 0]
    for path in Snapshots.beside(second / "s.db").files():
        path.unlink()
    run(kafka, own, second, catch_up=True)
    assert _empty(second / "s.db") == 20
    assert run(kafka, own, second, catch_up=True).engine.recovered == 0


def test_an_erasure_that_was_cut_off_on_a_stand_by_is_done_again(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = _followed(kafka, own, tmp_path)
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 20 and forget_beside(store)
    put(kafka, f"{own}-in", payments(60, 90))
    run(kafka, own, tmp_path)

    def cut(self: AnyStore, numbers: list[int]) -> None:
        blank(self, numbers[:7])
        raise KeyboardInterrupt

    blank = AnyStore.blank
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(AnyStore, "blank", cut)
        run(kafka, own, second, catch_up=True)
    run(kafka, own, second, catch_up=True)
    assert _head(second / "s.db") == _head(tmp_path / "s.db") and _empty(second / "s.db") == 20


def test_what_was_pruned_is_pruned_on_a_stand_by_and_its_windows_keep_it(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    second = _followed(kafka, own, tmp_path)
    put(kafka, f"{own}-in", payments(60, 90))
    run(kafka, own, tmp_path)
    for path in Snapshots.beside(tmp_path / "s.db").files()[1:]:
        path.unlink()
    with Store.open(tmp_path / "s.db") as store:
        assert prune(store, 1, "retention", _LATER) == 90 and not forget_beside(store)
    put(kafka, f"{own}-in", payments(90, 120))
    run(kafka, own, tmp_path)
    run(kafka, own, second, catch_up=True)
    assert _head(second / "s.db") == _head(tmp_path / "s.db") and _empty(second / "s.db") == 90
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 120))
    for path in Snapshots.beside(second / "s.db").files():
        assert int(path.stem) >= 90  # an older one could not be brought forward any more
    with Store.open(tmp_path / "s.db") as store:
        assert erase(store, {"card": "c11"}, "asked for") == 10 and not forget_beside(store)
    put(kafka, f"{own}-in", payments(120, 130))
    run(kafka, own, tmp_path)
    with pytest.raises(StreamError, match=r"cannot be forgotten here.*copy"):
        run(kafka, own, second, catch_up=True)
