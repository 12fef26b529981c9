"""`tidegate serve --traces`: a collector gets each request as OpenTelemetry has it, and is missed by nobody."""

import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.runtimes.collector import ABOVE, TRACE, Collector, values
from tests.runtimes.started import FLOW, Process, served
from tidegate import TidegateError
from tidegate.connectors.traces import Traces


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def flow(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)


def end(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def payment(id: str) -> dict[str, str]:
    return {"id": id, "at": "2026-01-01T00:00:00Z", "card": "c1"}


def test_a_request_is_a_span_with_its_stages_below_it(tmp_path: Path, collector: Collector) -> None:
    with served(tmp_path, "flow.py", "--traces", collector.url, "--traces-share", "0") as (process, client):
        client.post("/decisions", json=payment("silent"))  # nobody asked for a trace
        for number in (1, 2):
            given = {"traceparent": f"00-{TRACE}-{ABOVE}-01"}
            assert client.post("/decisions", json=payment(f"p{number}"), headers=given).status_code == 200
        assert client.post("/decisions", json={"id": "p3"}, headers=given).status_code == 422
        lines = b"".join(b'{"id":"%d","at":"2026-01-01T00:00:01Z","card":"c2"}\n' % n for n in range(3))
        many = given | {"content-type": "application/x-ndjson"}
        assert client.post("/decisions", content=lines, headers=many).status_code == 200
        assert client.get("/decisions/p1", headers=given).status_code == 200
        end(process)
    assert collector.paths == {"/v1/traces"}
    assert (collector.service["service.name"], collector.service["tidegate.flow"]) == ("tidegate", "Fraud")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    roots = collector.named("POST /decisions")
    first, second, third, batch = sorted(roots, key=lambda span: span.start_time_unix_nano)
    assert {span.parent_span_id.hex() for span in roots} == {ABOVE}
    said = [values(span.attributes) for span in (first, second, third, batch)]
    assert [one.get("tidegate.id") for one in said] == ["p1", "p2", None, None]
    # p2 is the third payment of its card: the one that nobody traced counts.
    assert [one["tidegate.outcome"] for one in said[:2]] == ["approve", "decline"]
    assert said[0]["http.response.status_code"] == 200
    assert said[2]["http.response.status_code"] == 422 and said[2]["tidegate.problem"] == "contract"
    assert "silent" not in str(said)
    stages = [span for span in collector.spans if span.parent_span_id == first.span_id]
    stages.sort(key=lambda span: span.start_time_unix_nano)
    assert [span.name for span in stages] == ["wait", "decide", "keep"]
    assert stages[0].start_time_unix_nano == first.start_time_unix_nano
    assert all(a.end_time_unix_nano == b.start_time_unix_nano for a, b in pairwise(stages))
    assert first.start_time_unix_nano < stages[2].end_time_unix_nano <= first.end_time_unix_nano + 2_000_000
    (read,) = collector.named("GET /decisions/{id}")
    assert values(read.attributes)["url.path"] == "/decisions/p1"


def test_who_does_not_say_is_traced_by_share_and_who_says_no_is_not(tmp_path: Path, collector: Collector) -> None:
    with served(tmp_path, "flow.py", "--traces", collector.url) as (process, client):
        client.post("/decisions", json=payment("traced"))
        client.post("/decisions", json=payment("not"), headers={"traceparent": f"00-{TRACE}-{ABOVE}-00"})
        client.post("/decisions", json=payment("garbled"), headers={"traceparent": "what?"})
        end(process)
    ids = [values(span.attributes)["tidegate.id"] for span in collector.named("POST /decisions")]
    assert ids == ["traced", "garbled"]


def test_a_collector_that_is_away_costs_no_decision(tmp_path: Path) -> None:
    with served(tmp_path, "flow.py", "--traces", "http://127.0.0.1:9") as (process, client):
        for number in range(20):
            assert client.post("/decisions", json=payment(f"p{number}")).status_code == 200
        end(process)


@pytest.mark.parametrize("url", ["localhost:4318", "grpc://localhost:4317", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(TidegateError, match=r"http://HOST:4318"):
        Traces(url, 1.0, {})
