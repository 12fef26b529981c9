"""A flow that goes on from what another one kept decides as if it had been there from the beginning."""

import random
from collections.abc import Sequence
from pathlib import Path
from types import new_class
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.conftest import CASES
from tests.flink.traffic import traffic
from tests.flink.watched import Login, Paid, Shop, watched
from tests.runtimes.stages.pipeline import Pipeline, flags_of
from tidegate import Flow, count, decline, distinct, mean, mode, share, std, total
from tidegate.decisions.decision import Decision, to_json
from tidegate.decisions.lists import ListChange
from tidegate.errors import TidegateError
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.flink.change import earlier, gone_on, keep, kept_by
from tidegate.runtimes.flink.job import Input, Job
from tidegate.runtimes.stages.rows import HISTORY
from tidegate.runtimes.stages.staging import Staging

POOL: dict[str, Any] = {
    "often": count(per=Paid.card, last="10m"),
    "often_longer": count(per=Paid.card, last="20m"),
    "spent": total(Paid.amount, per=Paid.card, last="1h"),
    "usual": mean(Paid.amount, per=Paid.card, last="1d"),
    "far": mean(Paid.distance, per=Paid.card, last="1h"),
    "spread": std(Paid.distance, per=Paid.card, last="1h"),
    "paid_for": mean(Paid.distance, per=Paid.payer, seen_as=Paid.card, last="1h"),
    "home": mode(Paid.country, per=Paid.card, last="1d"),
    "failed": count(Login, per=Paid.card, seen_as=Login.card, last="1h", where=~Login.success),
    "cards_there": distinct(Paid.card, per=Shop, last="10m"),
    "sold_there": total(Paid.amount, per=Shop, last="1h"),
    "abroad_there": share(Paid.country != "DE", per=Shop, last="1h"),
    "listed": watched.has(Paid.card),
    "listed_there": count(per=Shop, last="1h", where=watched.has(Paid.card)),
    "together": count(per=(Paid.card, Paid.shop), last="1d"),
}


def _flow(names: Sequence[str], renamed: str = "") -> type[Flow[Any]]:
    lines = {f"{renamed}{name}": POOL[name] for name in names}
    rule = decline(Paid.distance > 90.0, because="Far away")
    body = {"__doc__": "A part of the pool.", "__module__": __name__, "currency": "EUR", "learns": [Login], **lines}
    return new_class("Some", (Flow[Paid],), {}, lambda space: space.update(body, distant=rule))


def _job(flow: type[Flow[Any]], shards: int) -> Job:
    return Job(
        flow="", digest=flow.definition.digest, models="", servers="", inputs=[Input("paid", 0)], output="out",
        dead_letters="dead", name="x", jars=[], python="", state="", shards=shards,
        stages=kept_by(flow.definition, Staging(flow.plan, shards)),
    )  # fmt: skip


def _gone_on(old: Job, flow: type[Flow[Any]], shards: int) -> tuple[Job, list[str]]:
    return gone_on(old, _job(flow, shards))


def _kept(old: Job, new: Job) -> dict[int, int]:
    before = {stage.state or stage.mark: number for number, stage in enumerate(old.stages)}
    found = {n: before.get(stage.state or stage.mark) for n, stage in enumerate(new.stages) if n not in new.rebuilt}
    return {number: old for number, old in found.items() if old is not None}


parts = st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=8, unique=True)


@settings(max_examples=max(2, CASES // 12))
@given(st.lists(parts, min_size=2, max_size=3), st.integers(1, 4), st.integers(0, 2**32))
def test_decisions_after_a_change_are_those_of_the_new_flow_with_all_of_the_past(
    versions: list[list[str]], shards: int, seed: int
) -> None:
    chance = random.Random(seed)
    events = sorted((event for _, _, event in traffic(60 * len(versions), seed=seed % 97)), key=lambda event: event.at)
    flows = [_flow(names, "x" * number) for number, names in enumerate(versions)]
    line, job = Pipeline(flows[0], {}, shards, chance.randint), _job(flows[0], shards)
    start = 0
    for number, flow in enumerate(flows):
        if number:
            before, (job, _) = job, _gone_on(job, flow, shards)
            line.change(flow, {}, job.rebuilt, _kept(before, job))
            for place in range(start if job.rebuilt else 0):
                line.put(place, events[place], flags_of(overdue=False, learn=False) | HISTORY)
                if chance.randint(0, 9) == 0:
                    line.run_to(place)
        end = len(events) if flow is flows[-1] else chance.randint(start, len(events))
        for place in range(start, end):
            line.put(place, events[place], flags_of(overdue=False, learn=False))
            if chance.randint(0, 9) == 0:
                line.run_to(place)
        line.end(len(events))
        past = [event for event in events[:end] if flow.plan.lists or not isinstance(event, ListChange)]
        answers = Engine(flow, explain=True, remember=10**9).process(past)
        own = {event.id for event in events[start:end]}
        right = {answer.id: to_json(answer) for answer in answers if isinstance(answer, Decision) and answer.id in own}
        assert {id: line.decided[id] for id in right} == right
        assert len(line.decided) == sum(isinstance(event, Paid) for event in events[:end])
        start = end


def test_what_is_kept_rebuilt_and_let_go_is_said() -> None:
    old = _job(_flow(["often", "spent", "cards_there", "sold_there"]), 4)
    job, words = _gone_on(old, _flow(["often_longer", "spent", "cards_there", "sold_there"], "my_"), 4)
    assert words == [
        "kept: events taken in, by id",
        "rebuilt from the topics: windows, by Paid.card: my_often_longer = count(per=Paid.card, last='20m')",
        "  and with them, whose past is kept in one with theirs: "
        "my_spent = total(Paid.amount, per=Paid.card, last='1h')",
        "kept: windows, by Paid.shop: my_cards_there = distinct(Paid.card, per=Shop, last='10m'), "
        "my_sold_there = total(Paid.amount, per=Shop, last='1h')",
        "kept: decisions",
        "let go: often = count(per=Paid.card, last='10m')",
    ]
    assert (job.rebuilt, job.reading, job.changed) == ([1], 1, True)
    again, words = gone_on(job, replace(job, stages=kept_by_names(job), rebuilt=[], reading=0, changed=False))
    assert words == []
    assert (again.rebuilt, again.reading) == ([1], 1), "it may not have learned everything yet"
    assert [stage.state for stage in again.stages] == [stage.state for stage in job.stages]


def kept_by_names(job: Job) -> list[Any]:
    return [replace(stage, state="") for stage in job.stages]


def test_where_windows_look_at_lists_both_are_rebuilt() -> None:
    job, _ = _gone_on(_job(_flow(["listed", "often"]), 4), _flow(["listed", "often", "listed_there"]), 4)
    assert [job.stages[number].name for number in job.rebuilt] == ["lists asked, by Paid.card", "windows, by Paid.shop"]
    assert job.stages[1].state.endswith("-1"), "what it knew is not what it begins with"


def test_topics_and_shards_stay() -> None:
    old = _job(_flow(["often"]), 4)
    with pytest.raises(TidegateError, match="goes with its topics"):
        gone_on(old, replace(old, digest="other", inputs=[Input("more", 0), Input("paid", 0)]))
    with pytest.raises(TidegateError, match="fixed for the life"):
        gone_on(old, replace(old, digest="other", shards=8))


def test_a_job_is_found_by_its_savepoint(tmp_path: Path) -> None:
    id, job = "8d397456" + "0" * 24, _job(_flow(["often"]), 4)
    keep(tmp_path, id, job)
    assert earlier(tmp_path, f"s3://bank/savepoints/savepoint-{id[:6]}-0123456789ab") == job
    assert earlier(tmp_path, f"file:///x/checkpoints/{id}/chk-17") == job
    assert earlier(tmp_path, "file:///x/savepoint-ffffff-0123456789ab") is None
    (tmp_path / "jobs" / f"{id}.json").write_text("{")
    with pytest.raises(TidegateError, match="cannot be read"):
        earlier(tmp_path, f"x/checkpoints/{id}/chk-1")
