"""What is erased from a stream's store: the stream goes on where it was, and a stand-by from a copy of that store."""

from pathlib import Path

import pytest

from tests.runtimes.stream.topics import decisions, payments, put, replayed, run
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.errors import StreamError
from tidegate.evidence.log import verify
from tidegate.runtimes.copying import copy
from tidegate.runtimes.erasing import erase, forget_beside


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
    with Store.open(tmp_path / "s.db", read_only=True) as store:
        assert verify(store).ok and store.head().size == 121
        head = store.head()
    follower = run(kafka, own, tmp_path, store=tmp_path / "copy.db", catch_up=True)
    assert follower.figures.taken == 0
    with Store.open(tmp_path / "copy.db", read_only=True) as store:
        assert store.head() == head and verify(store).ok
    with pytest.raises(StreamError, match="after an erasure from another instance's store, copy that one"):
        run(kafka, own, tmp_path, store=tmp_path / "empty.db", catch_up=True)
    assert decisions(kafka, f"{own}-out")[:60] == replayed(payments(0, 60))
