"""`tidegate run --traces`: a transaction is a span with its stages, linked to what its messages were sent by."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.runtimes.collector import ABOVE, TRACE, Collector, values
from tests.runtimes.started import FLOW
from tests.runtimes.stream.topics import everything, payments, put, replayed, run, settings
from tests.servers.kafka import Kafka
from tidegate.cli import app
from tidegate.connectors.kafka.writer import Writer
from tidegate.connectors.traces import Traces
from tidegate.runtimes.stream.stream import Stream

ASKED, REFUSED = f"00-{TRACE}-{ABOVE}-01", f"00-{TRACE}-{ABOVE}-00"


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def traced(kafka: Kafka, own: str, folder: Path, collector: Collector, share: float) -> Stream:
    """A stream run to the end of what is there, whose spans are with the collector."""
    traces = Traces(collector.url, share, {"tidegate.flow": "Fraud"})
    try:
        return run(kafka, own, folder, traces=traces)
    finally:
        traces.close()


def event(number: int, second: int) -> bytes:
    return json.dumps({"id": f"p{number}", "at": f"2026-01-01T00:00:{second:02d}Z", "card": "c1"}).encode()


def test_as_it_is_typed(kafka: Kafka, own: str, tmp_path: Path, collector: Collector) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    put(kafka, f"{own}-in", [event(0, 0), event(1, 1)], headers=[("traceparent", ASKED)])
    put(kafka, f"{own}-in", [event(2, 2), event(2, 2), b"broken"])
    words = ["run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
             "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"),
             "--models", str(tmp_path), "--traces", collector.url, "--traces-share", "0"]  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert (collector.service["service.name"], collector.service["tidegate.flow"]) == ("tidegate", "Fraud")
    roots = collector.named(f"process {own}-in")
    said = [values(span.attributes) for span in roots]
    first = said[0]
    assert (first["messaging.system"], first["messaging.operation.type"]) == ("kafka", "process")
    assert first["messaging.consumer.group.name"] == f"tidegate-Fraud-{own}-out"
    assert (first["messaging.destination.name"], first["messaging.destination.partition.id"]) == (f"{own}-in", "0")
    assert [one.string_value for one in first["tidegate.partitions"].values] == [f"{own}-in/0"]
    linked = [one for span in roots for one in span.links]
    assert {(one.trace_id.hex(), one.span_id.hex()) for one in linked} == {(TRACE, ABOVE)}
    assert [values(one.attributes)["tidegate.id"] for one in linked] == ["p0", "p1"]
    assert [values(one.attributes)["messaging.kafka.offset"] for one in linked] == [0, 1]


def test_a_transaction_and_its_stages(kafka: Kafka, own: str, tmp_path: Path, collector: Collector) -> None:
    kafka.topics(f"{own}-in", partitions=2)
    kafka.topics(f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 40), headers=[("traceparent", ASKED)])
    put(kafka, f"{own}-in", [*payments(40, 60), *payments(40, 60), b"broken"], partition=1)
    stream = traced(kafka, own, tmp_path, collector, 1.0)
    roots = sorted(collector.named(f"process {own}-in"), key=lambda span: span.start_time_unix_nano)
    said = [values(span.attributes) for span in roots]

    def total(name: str) -> int:
        return sum(one.get(name, 0) for one in said)

    outcomes = stream.figures.metrics.outcomes
    assert total("messaging.batch.message_count") == 81 and total("tidegate.records") == 60
    assert {name: total(f"tidegate.decisions.{name}") for name in outcomes} == dict(outcomes)
    assert (total("tidegate.repeated"), total("tidegate.dead_letters")) == (20, 1)
    read: dict[str, int] = {}
    for one in said:  # without a gap
        names = [each.string_value for each in one["tidegate.partitions"].values]
        firsts, ends = ([each.int_value for each in one[f"tidegate.offsets.{n}"].values] for n in ("first", "next"))
        for name, start, end in zip(names, firsts, ends, strict=True):
            assert start == read.get(name, 0) and end > start
            read[name] = end
    assert read == {f"{own}-in/0": 40, f"{own}-in/1": 41}
    for span in roots:
        stages = [one for one in collector.spans if one.parent_span_id == span.span_id]
        stages.sort(key=lambda one: one.start_time_unix_nano)
        assert [one.name for one in stages] == ["read", "decide", "produce", "commit", "keep"]
        assert stages[0].start_time_unix_nano == span.start_time_unix_nano
        assert all(a.end_time_unix_nano == b.start_time_unix_nano for a, b in pairwise(stages))
        assert stages[-1].end_time_unix_nano <= span.end_time_unix_nano


def test_decisions_carry_the_trace_on(kafka: Kafka, own: str, tmp_path: Path, collector: Collector) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 3), headers=[("traceparent", ASKED), ("mine", b"kept")])
    put(kafka, f"{own}-in", payments(3, 5))
    traced(kafka, own, tmp_path, collector, 0.0)
    found = everything(kafka, f"{own}-out")
    assert [one.value() for one in found] == replayed(payments(0, 5))
    assert [one.headers() for one in found[:3]] == [[("traceparent", ASKED.encode()), ("mine", b"kept")]] * 3
    spans = {(one.trace_id.hex(), one.span_id.hex()) for one in collector.named(f"process {own}-in")}
    for one in found[3:]:
        if one.headers() is None:  # its transaction held nothing that anybody traced
            continue
        ((name, value),) = one.headers()
        _, trace, span, flags = value.decode().split("-")
        assert name == "traceparent" and (trace, span) in spans and flags == "01"


@pytest.mark.parametrize(
    ("header", "share", "spans"),
    [(REFUSED, 1.0, False), (None, 0.0, False), (None, 1.0, True), ("what?", 1.0, True), (ASKED, 0.0, True)],
)
def test_who_says_no_is_not_traced(
    kafka: Kafka, own: str, tmp_path: Path, collector: Collector, header: str | None, share: float, spans: bool
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 5), headers=[("traceparent", header)] if header else None)
    traced(kafka, own, tmp_path, collector, share)
    assert bool(collector.spans) == spans
    carried = [one.headers() for one in everything(kafka, f"{own}-out")]
    assert carried[0] is not None or header is None


def test_more_links_than_opentelemetry_keeps_by_itself(
    kafka: Kafka, own: str, tmp_path: Path, collector: Collector
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 1000), headers=[("traceparent", ASKED)])
    traced(kafka, own, tmp_path, collector, 0.0)
    assert sum(len(span.links) for span in collector.named(f"process {own}-in")) == 1000


def test_a_transaction_that_is_given_up_says_where_and_why(
    kafka: Kafka, own: str, tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 5))
    commit, broken = Writer._commit, list[bool]()

    def failing(self: Writer, until: float) -> None:
        if not broken:
            broken.append(True)
            Writer(self._cluster, f"{own}-out.order")  # another one takes over: what is written is fenced
        commit(self, until)

    monkeypatch.setattr(Writer, "_commit", failing)
    traced(kafka, own, tmp_path, collector, 1.0)
    (failed,) = [one for one in collector.named(f"process {own}-in") if one.status.code]
    assert values(failed.attributes)["error.type"] == "UncertainError"
    assert "not committed" in failed.status.message
    (stage,) = [one for one in collector.spans if one.parent_span_id == failed.span_id and one.status.code]
    assert stage.name == "commit"


def test_a_collector_that_is_away_costs_no_decision(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 20))
    traces: Any = Traces("http://127.0.0.1:9", 1.0, {})
    run(kafka, own, tmp_path, traces=traces)
    traces.close()
    assert [one.value() for one in everything(kafka, f"{own}-out")] == replayed(payments(0, 20))


def test_none_is_asked_of_opentelemetry_when_nobody_wants_to_know(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 5), headers=[("traceparent", ASKED)])
    assert settings(kafka, own, tmp_path).traces is None
    run(kafka, own, tmp_path)
    assert {one.headers()[0] for one in everything(kafka, f"{own}-out")} == {("traceparent", ASKED.encode())}
