"""What was not taken is known by place: exactly, in few bytes, and from what earlier versions kept."""

import gc
import random
import tracemalloc

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.runtimes.stages.test_intake import HOUR, Fast, _paid, _raw
from tidegate.runtimes.stages.intake import IntakeAt
from tidegate.runtimes.stages.rows import FLAGS, HISTORY, OFFSET, ON, SOURCE, Words
from tidegate.runtimes.stages.stage import packed, unpacked
from tidegate.runtimes.stages.staging import Staging
from tidegate.runtimes.stages.untaken import Untaken

REBUILT = Staging(Fast.plan, 8, rebuilt=[1, 2])


def _restored(snapshot: dict[str, np.ndarray], log: list[dict[int, list[int]]]) -> Untaken:
    untaken = Untaken()
    if snapshot:
        untaken.load(snapshot)
    for told in log:
        untaken.learn(told)
    return untaken


def _noted(untaken: Untaken, rows: list[tuple[int, int, bool]]) -> dict[int, list[int]]:
    sources, offsets, refused = (np.array(of) for of in zip(*rows, strict=True))
    return untaken.note(sources, offsets, refused)


@given(st.integers(0, 2**32))
def test_every_row_that_came_is_known_as_taken_or_not_wherever_it_was_kept(seed: int) -> None:
    chance = random.Random(seed)
    often = chance.choice((0.05, 0.5, 0.95))
    rows, offsets = list[tuple[int, int, bool]](), dict.fromkeys(range(3), 0)
    for _ in range(chance.randint(1, 120)):
        source = chance.randint(0, 2)
        offsets[source] += chance.choice((1, 1, 2, 30))
        if chance.random() < 0.1:
            often = 1 - often
        rows.append((source, offsets[source], chance.random() < often))
    rows.sort(key=lambda row: row[1] + chance.choice((0, 0, 3, 40)))  # in order of time
    old = rows[: chance.choice((0, 0, len(rows) // 3))]
    untaken, snapshot, log = Untaken(), dict[str, np.ndarray](), list[dict[int, list[int]]]()
    if old:
        places = {source: sorted(o for s, o, refused in old if refused and s == source) for source in range(3)}
        snapshot = {f"untaken {source}": np.array(of, np.int64) for source, of in places.items() if of}
        snapshot["young"] = snapshot["old"] = np.zeros((2, 0), np.int64)
        untaken = _restored(snapshot, [])
    start = len(old)
    while start < len(rows):
        end = chance.randint(start + 1, min(len(rows), start + 20))
        log.append(_noted(untaken, rows[start:end]))
        start = end
        if chance.random() < 0.2:
            snapshot, log = untaken.dump(), []
        if chance.random() < 0.2:
            before, untaken = untaken, _restored(snapshot, log)
            assert {n: a.tolist() for n, a in untaken.dump().items()} == {
                n: a.tolist() for n, a in before.dump().items()
            }
        for source, offset, refused in rows[:start]:
            assert untaken.has(source, offset) == refused


def _bytes(untaken: Untaken) -> int:
    return sum(places.nbytes for places in untaken.dump().values())


def test_what_is_sent_twice_is_one_run_in_each_shard() -> None:
    untaken, mine = Untaken(), np.flatnonzero(np.random.default_rng(1).random(320_000) < 1 / 32)
    taken = np.zeros(len(mine), np.bool_)
    for start in range(0, len(mine), 100):
        untaken.note(np.zeros_like(mine)[start : start + 100], mine[start : start + 100], taken[start : start + 100])
    again = mine + 320_000
    for start in range(0, len(mine), 100):
        untaken.note(np.zeros_like(mine)[start : start + 100], again[start : start + 100], ~taken[start : start + 100])
    assert len(again) > 9000
    assert all(untaken.has(0, int(offset)) for offset in again)
    assert not any(untaken.has(0, int(offset)) for offset in mine)
    assert _bytes(untaken) < 64


def test_a_state_does_not_grow_by_what_is_sent_twice() -> None:
    intake, payloads = IntakeAt(Fast.definition, REBUILT, HOUR), [_paid(str(number)) for number in range(1000)]
    rows, sizes = _raw(*payloads), list[int]()
    for sent in range(3):
        rows.words[:, OFFSET] = np.arange(1000) * 7 + sent * 10_000  # what is between went to other shards
        assert intake.take(0, rows).repeated == (1000 if sent else 0)
        sizes.append(len(intake.snapshot(0)))
    assert sizes[2] - sizes[0] < 100


def test_a_repeat_among_others_takes_sixteen_bytes_and_room_to_grow() -> None:
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    untaken = Untaken()
    for start in range(0, 1_000_000, 2000):
        offsets = np.arange(start, start + 2000, dtype=np.int64)
        untaken.note(np.zeros_like(offsets), offsets, offsets % 20 == 7)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / 50_000 < 20
    assert _bytes(untaken) / 50_000 < 16.1


def _again(intake: IntakeAt, words: Words, payloads: list[bytes]) -> list[tuple[int, int]]:
    rows = _raw(*payloads)
    rows.words[:] = words
    rows.words[:, FLAGS] |= HISTORY
    out = intake.take(0, rows)
    return sorted(
        {(row[SOURCE], row[OFFSET]) for part in out.rows for row in part.words.tolist() if not row[FLAGS] & ON}
    )


def test_what_earlier_versions_kept_is_left_out_of_history_as_before() -> None:
    payloads = [_paid("1"), _paid("1"), _paid("1", euros=2), b"{", _paid("2"), _paid("2"), _paid("3")]
    first, sent = IntakeAt(Fast.definition, REBUILT, HOUR), _raw(*payloads)
    sent.words[:, OFFSET] = [10, 11, 12, 13, 20, 35, 30]
    sent.words[:, SOURCE] = 1 << 32
    entry = first.take(0, sent).entry
    header, arrays = unpacked("intake", first.snapshot(0))
    arrays = {name: arrays[name] for name in ("young", "old")} | {f"untaken {1 << 32}": np.array([11, 12, 13, 35])}
    taken, *_ = msgspec.msgpack.decode(entry)
    whole = packed("intake", header, arrays)
    logged = msgspec.msgpack.encode([taken, {1 << 32: [11, 12, 13, 35]}])
    more = [_paid("2"), _paid("4"), _paid("4")]
    later = _raw(*more)
    later.words[:, SOURCE], later.words[:, OFFSET] = 1 << 32, [25, 40, 45]
    for snapshot, log in ((whole, []), (b"", [logged])):
        intake = IntakeAt(Fast.definition, REBUILT, HOUR)
        intake.restore(0, snapshot)
        for one in log:
            intake.learn(0, one)
        intake.take(0, later)
        both, all_of_it = np.concatenate([sent.words, later.words]), payloads + more
        right = [(1 << 32, offset) for offset in (10, 20, 30, 40)]
        assert _again(intake, both, all_of_it) == right
        kept = IntakeAt(Fast.definition, REBUILT, HOUR)
        kept.restore(0, intake.snapshot(0))
        assert _again(kept, both, all_of_it) == right
