"""How long the intake knows an id, held to a dictionary, over snapshots, logs and another `remember`."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtimes.stages.test_intake import Fast, Paid
from tidegate.decisions.plan import LEARN, READ
from tidegate.events.contract import body
from tidegate.events.times import microseconds_of
from tidegate.runtimes.stages.intake import IntakeAt
from tidegate.runtimes.stages.rows import AT, FLAGS, HEAD, LATE, OFFSET, Rows
from tidegate.runtimes.stages.staging import Staging

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = 60_000_000
STAGING = Staging(Fast.plan, 1)


def _rows(events: list[Paid], late: set[int]) -> Rows:
    words = np.zeros((len(events), HEAD), np.int64)
    words[:, AT] = [microseconds_of(event.at) for event in events]
    words[:, OFFSET], words[:, FLAGS] = np.arange(len(events)), READ | LEARN
    words[sorted(late), FLAGS] |= LATE
    return Rows(words, [body(event) for event in events])


def _paid(id: str, at: datetime) -> Paid:
    return Paid(id=id, at=at, card="a", payee="z", euros=1)


class Known:
    """A dictionary of ids: the event, and when it came. Known for as long as `remember`, and at most for twice that."""

    def __init__(self, remember: int) -> None:
        self.came: dict[str, tuple[Paid, int]] = {}
        self.newest, self.remember, self.changed = -(2**63), remember, False

    def change(self, remember: int) -> None:
        """Another `remember`: what is known when the last was taken is known as of the next that is."""
        if remember != self.remember:
            self.came = {id: one for id, one in self.came.items() if self._knows(one[1], self.newest)}
            self.remember, self.changed = remember, True

    def _knows(self, came: int, now: int) -> bool:
        if self.changed:
            return True
        knows, age = now // self.remember - came // self.remember <= 1, now - came
        assert knows if age < self.remember else not knows or age < 2 * self.remember
        return knows

    def verdict(self, event: Paid, late: bool) -> str:
        """What becomes of the event, which is known from now on if it is new."""
        now = self.newest if late else microseconds_of(event.at)
        if event.id in self.came and self._knows(self.came[event.id][1], now):
            return "repeated" if event == self.came[event.id][0] else "id-reused"
        if late:
            return "behind-watermark"
        if self.changed:
            self.came = {id: (one, now) for id, (one, _) in self.came.items()}
        self.newest, self.changed = now, False
        self.came[event.id] = event, now
        return "taken"


class Kept:
    """An intake with what Flink would keep of its one shard."""

    def __init__(self, remember: int) -> None:
        self.snapshot, self.log = b"", list[bytes]()
        self.begin(remember)

    def begin(self, remember: int) -> None:
        self.intake = IntakeAt(Fast.definition, STAGING, remember)
        self.intake.restore(0, self.snapshot)
        for entry in self.log:
            self.intake.learn(0, entry)

    def compact(self) -> None:
        self.snapshot, self.log = self.intake.snapshot(0), []

    def verdicts(self, events: list[Paid], late: set[int]) -> list[str]:
        out = self.intake.take(0, _rows(events, late))
        if out.entry:
            self.log.append(out.entry)
        said = dict.fromkeys(range(len(events)), "repeated")
        said |= {one.offset: one.code for one in out.refused}
        said |= {offset: "taken" for sent in out.rows for offset in sent.words[:, OFFSET].tolist()}
        assert out.repeated == list(said.values()).count("repeated")
        return list(said.values())


@given(st.integers(0, 2**32))
def test_an_id_is_known_as_a_dictionary_of_times_says(seed: int) -> None:
    chance = random.Random(seed)
    remember, now = chance.randint(1, 90), NOON
    kept, known, sent = Kept(remember * MINUTE), Known(remember * MINUTE), [_paid("0", NOON)]
    for _ in range(chance.randint(1, 25)):
        if chance.random() < 0.3:
            kept.compact()
        if chance.random() < 0.3:
            remember = chance.choice((remember, chance.randint(1, 90)))
            kept.begin(remember * MINUTE)
            known.change(remember * MINUTE)
        # as Flink gives them: what is behind the watermark first, the others in the order of their times
        late = [
            chance.choice((chance.choice(sent[-12:]), _paid(_id(chance), now))) for _ in range(chance.randint(0, 2))
        ]
        events = list(late)
        for _ in range(chance.randint(0 if late else 1, 5)):
            now += timedelta(minutes=chance.choice((0, 0, 1, 7, remember // 2, remember, 3 * remember)))
            same = [event for event in sent + events if event.at == now]
            events.append(chance.choice(same) if same and chance.random() < 0.5 else _paid(_id(chance), now))
        sent += events
        right = [known.verdict(event, place < len(late)) for place, event in enumerate(events)]
        assert kept.verdicts(events, set(range(len(late)))) == right


def _id(chance: random.Random) -> str:
    return str(chance.randint(0, 29))


@pytest.mark.parametrize("remember", [20, 59, 60, 61, 600])
@pytest.mark.parametrize("compacted", [0, 1, 2])
def test_ids_stay_known_when_it_was_changed_and_are_forgotten_one_to_two_periods_later(
    remember: int, compacted: int
) -> None:
    kept = Kept(60 * MINUTE)
    for minute in range(2):
        if compacted > minute:
            kept.compact()
        kept.verdicts([_paid(str(minute), NOON + timedelta(minutes=50 * minute))], set())
    kept.begin(remember * MINUTE)
    again = NOON + timedelta(minutes=51)
    first, second = _paid("0", NOON), _paid("1", NOON + timedelta(minutes=50))
    assert kept.verdicts([_paid("2", again), first, second], set()) == ["taken", "repeated", "repeated"]
    soon = again + timedelta(minutes=remember - 1)
    assert kept.verdicts([_paid("3", soon), first, second], set()) == ["taken", "repeated", "repeated"]
    kept.compact()
    kept.begin(remember * MINUTE)
    long_after = again + timedelta(minutes=2 * remember)
    assert kept.verdicts([_paid("4", long_after), first, second], set())[1:] == ["taken", "taken"]


def test_logs_and_snapshots_of_earlier_versions_were_for_the_time_that_their_snapshot_says() -> None:
    kept = Kept(60 * MINUTE)
    kept.verdicts([_paid("0", NOON)], set())
    kept.compact()
    kept.verdicts([_paid("1", NOON + timedelta(minutes=50))], set())
    kept.log = [msgspec.msgpack.encode(msgspec.msgpack.decode(entry)[:2]) for entry in kept.log]
    kept.begin(10 * MINUTE)
    old = [_paid("0", NOON), _paid("1", NOON + timedelta(minutes=50))]
    assert kept.verdicts([_paid("2", NOON + timedelta(minutes=51)), *old], set()) == ["taken", "repeated", "repeated"]
