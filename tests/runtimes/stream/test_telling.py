"""What tells of a stream's decisions outlasts what it did not expect, and knows how far others told."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from tests.runtimes.served import Fraud, payment
from tests.runtimes.started import until
from tests.servers.kafka import Kafka
from tidegate import Engine, Store
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.shared import SharedProgress
from tidegate.connectors.store_address import Address
from tidegate.connectors.told import Told
from tidegate.errors import StreamError
from tidegate.runtimes.stream import telling as tellings
from tidegate.runtimes.stream.telling import Telling

HOOK = "https://cases.example/alarms"
HOUR, WEEK = 3600.0, 7 * 86_400.0


class Shared:
    """In the place of what brokers keep: how far each sink was told, until they drop it a week after it was written."""

    def __init__(self) -> None:
        self.now, self.reads, self.writes, self.failing = 0.0, 0, list[dict[str, int]](), 0
        self._kept: tuple[float, dict[str, int]] = (0.0, {})

    def read(self) -> dict[str, int]:
        self.reads += 1
        at, noted = self._kept
        return dict(noted) if self.now - at < WEEK else {}

    def write(self, told: Mapping[str, int]) -> None:
        if self.failing:
            self.failing -= 1
            raise StreamError("How far others were told of alerts cannot be kept.")
        self.writes.append(dict(told))
        self._kept = self.now, dict(told)

    def written(self, many: int) -> bool:
        return len(self.writes) == many

    def close(self) -> None:
        pass


class Beside:
    """In the place of the process that delivers: it tells all that is there from where it is to go on, and notes it."""

    def __init__(self, store: Path) -> None:
        self.store, self.told, self.running = store, list[int](), False

    def again(self) -> "Beside":
        return self

    def start(self) -> None:
        self.running = True
        with AlertsFile.beside(self.store) as file, Store.open(self.store, read_only=True) as kept:
            progress, size = Told(file, HOOK), kept.head().size
            marks = progress.marks()
            self.told += range((marks[0][0] if marks else 0) + 1, size + 1)
            (leaf,) = kept.leaves(size - 1, size)
            progress.reached(size, leaf, [])

    def stop(self) -> None:
        self.running = False


class Instance:
    """One of a stream, with a store of so many records."""

    def __init__(self, folder: Path, shared: Any, records: int, now: Callable[[], float] | None = None) -> None:
        self.store, self.deciding, self.past = folder / "s.db", False, records
        self._shared, self._now = shared, now or (lambda: shared.now)
        folder.mkdir()
        self.add(0, records)

    def add(self, first: int, last: int) -> None:
        with Store.open(self.store) as kept:
            Engine(Fraud, store=kept).decide_json_many([json.dumps(payment(n)).encode() for n in range(first, last)])

    @contextmanager
    def up(self) -> Iterator[Beside]:
        beside = Beside(self.store)
        telling = Telling(
            cast(Any, beside), Address(str(self.store)), ["search", HOOK], self._shared, lambda: self.deciding,
            lambda: self.past, self._now,
        )  # fmt: skip
        telling.start()
        try:
            yield beside
        finally:
            telling.stop()

    def reached(self) -> int:
        with AlertsFile.beside(self.store) as file:
            marks = Told(file, HOOK).marks()
        return marks[0][0] if marks else 0


@pytest.fixture
def shared() -> Shared:
    return Shared()


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

    telling = Telling(cast(Any, None), cast(Any, tmp_path / "s.db"), [], cast(Any, Closed()), decides, lambda: 0)
    telling.start()
    assert again.wait(30)
    telling.stop()
    assert "Telling of decisions failed" in caplog.text and "RuntimeError: not expected" in caplog.text


def test_how_far_others_were_told_is_noted_again_each_hour_of_a_quiet_week(tmp_path: Path, shared: Shared) -> None:
    leader = Instance(tmp_path / "a", shared, 20)
    leader.deciding = True
    with leader.up():
        until(lambda: shared.writes == [{HOOK: 20}])
        reads, shared.now = shared.reads, HOUR - 1
        time.sleep(0.3)
        assert shared.reads == reads
        for days in range(9):
            shared.now = days * 86_400 + HOUR
            until(partial(shared.written, days + 2))
    other = Instance(tmp_path / "b", shared, 20)  # which never met the first
    other.deciding = True
    with other.up() as beside:
        until(lambda: beside.running)
    assert beside.told == [] and shared.read() == {HOOK: 20}


@pytest.mark.timeout(900)
def test_brokers_that_drop_what_is_not_written_again_keep_what_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tellings, "_AGAIN", 5.0)
    short = {"offsets_retention_minutes": 1, "offsets_retention_check_interval_ms": 1_000}
    with Kafka(tmp_path / "kafka", **short) as broker:
        broker.topics("out.order")

        def progress(group: str) -> SharedProgress:
            return SharedProgress(Cluster(broker.address), "out.order", group)

        def noted(where: SharedProgress) -> dict[str, int] | None:
            try:
                return where.read()
            except PassingError:  # a broker that has just begun, and is asked for a group for the first time
                return None

        one, once, looking = progress("g"), progress("h"), progress("g")
        leader = Instance(tmp_path / "a", one, 20, time.monotonic)
        leader.deciding = True
        with leader.up():
            until(lambda: noted(looking) == {HOOK: 20})
            until(lambda: noted(once) == {})
            once.write({HOOK: 20})
            until(lambda: noted(once) == {}, 300)  # as all of it did
            assert looking.read() == {HOOK: 20}
        for each in (once, looking):
            each.close()
        other = Instance(tmp_path / "b", progress("g"), 20, time.monotonic)
        other.deciding = True
        with other.up() as beside:
            until(lambda: beside.running)
        assert beside.told == []


def test_it_is_noted_at_the_start_although_nothing_changed(tmp_path: Path, shared: Shared) -> None:
    leader = Instance(tmp_path / "a", shared, 20)
    leader.deciding = True
    for starts in (1, 2):
        with leader.up() as beside:
            until(partial(shared.written, starts))
        assert beside.told == (list(range(1, 21)) if starts == 1 else [])


def test_what_could_not_be_noted_is_noted_although_nothing_more_comes(tmp_path: Path, shared: Shared) -> None:
    leader, shared.failing = Instance(tmp_path / "a", shared, 20), 2
    leader.deciding = True
    with leader.up():
        until(lambda: shared.writes == [{HOOK: 20}])


def test_who_stands_by_keeps_how_far_the_other_told_for_when_the_cluster_forgot(
    tmp_path: Path, shared: Shared, caplog: pytest.LogCaptureFixture
) -> None:
    stand_by = Instance(tmp_path / "b", shared, 20)
    shared.write({HOOK: 15})
    with stand_by.up():
        until(lambda: stand_by.reached() == 15)
        reads = shared.reads
        shared.write({HOOK: 25})  # of which the last are still to come here
        shared.now = 61.0
        until(lambda: shared.reads > reads)
        stand_by.add(20, 30)
        shared.write({HOOK: 35})
        shared.now = 122.0
        until(lambda: stand_by.reached() == 25)
    shared.now += WEEK + HOUR  # all were away
    stand_by.deciding, stand_by.past = True, 30
    with stand_by.up() as beside:
        until(lambda: beside.running)
    assert beside.told == list(range(26, 31)) and shared.read() == {HOOK: 30}
    assert f"How far {HOOK} was told is not noted in the cluster. Seen: record 25 of 30" in caplog.text


def test_who_knows_nothing_of_what_was_told_tells_all_again_and_says_so(
    tmp_path: Path, shared: Shared, caplog: pytest.LogCaptureFixture
) -> None:
    shared.write({HOOK: 20})
    shared.now = WEEK + HOUR
    alone = Instance(tmp_path / "a", shared, 20)
    alone.deciding = True
    with alone.up() as beside:
        until(lambda: beside.running)
    assert beside.told == list(range(1, 21))
    assert "neither in the cluster nor in" in caplog.text and "all 20 records" in caplog.text
    assert str(AlertsFile.place_beside(alone.store)) in caplog.text and "search" not in caplog.text


def test_one_that_is_new_is_told_from_the_first_record_and_it_is_said(
    tmp_path: Path, shared: Shared, caplog: pytest.LogCaptureFixture
) -> None:
    shared.write({"https://other.example/": 20})
    leader = Instance(tmp_path / "a", shared, 20)
    leader.deciding = True
    with leader.up() as beside:
        until(lambda: shared.read().get(HOOK) == 20)
    assert beside.told == list(range(1, 21)) and shared.read()["https://other.example/"] == 20
    assert f"{HOOK} is told for the first time: of all 20 records" in caplog.text


def test_a_new_stream_says_nothing_of_it(tmp_path: Path, shared: Shared, caplog: pytest.LogCaptureFixture) -> None:
    leader = Instance(tmp_path / "a", shared, 20)
    leader.deciding, leader.past = True, 0  # all of it was decided since it began
    with leader.up() as beside:
        until(lambda: shared.writes != [])
    assert beside.told == list(range(1, 21)) and caplog.text == ""


class Refusing:
    """In the place of a client that is answered, but not of the one partition."""

    metadata, error = None, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)

    def committed(self, *_: object, **__: object) -> "list[Refusing]":
        return [self]

    def close(self) -> None:
        pass


def test_brokers_that_refuse_to_say_do_not_mean_that_nothing_was_told() -> None:
    shared = SharedProgress(Cluster("127.0.0.1:1"), "out.order", "g")
    shared._consumer.close()
    shared._consumer = cast(Any, Refusing())
    with pytest.raises(StreamError, match="cannot be read"):
        shared.read()
    shared.close()
