"""`replay --against` a topic of decisions in Avro or Protobuf: each as it would be written of the replay's."""

from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.started import FLOW
from tests.runtimes.stream.topics import decisions, put
from tests.servers.kafka import Kafka
from tests.servers.registry import Registry as Server
from tidegate import Store
from tidegate.connectors.schemas.decisions import write_as
from tidegate.connectors.schemas.framing import framed, unframed
from tidegate.connectors.schemas.messages import Format

from .test_against import MODELS, found, lines, payments, streamed, typed

OTHERS: dict[Format, str] = {
    "avro": '{"type": "record", "name": "Other", "fields": [{"name": "id", "type": "string"}]}',
    "protobuf": 'syntax = "proto3"; message Other { string id = 1; }',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIDEGATE_SCHEMA_REGISTRY", raising=False)
    (tmp_path / "flow.py").write_text(FLOW)
    return tmp_path


def many(told: dict[str, Any]) -> dict[str, int]:
    return {name: told[name]["many"] for name in ("different", "lost", "repeated", "unknown", "strange")}


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_decisions_with_a_schema_are_compared_by_the_registry(
    kafka: Kafka, registry: Server, own: str, folder: Path, form: Format
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out", f"{own}-seeded")
    bodies, by = payments(60), ("--schema-registry", registry.url)
    put(kafka, f"{own}-in", bodies)
    streamed(kafka, own, folder, "", "--value-format", f"{own}-out={form}", *by)
    events, there = lines(folder / "events.ndjson", bodies), f"kafka://{kafka.address}/{own}-out"
    whole = found(0, "flow.py", events, "--against", there, *by)
    assert (whole["whole"], whole["decided"], whole["equal"]) == (True, 60, 60)
    assert found(0, "flow.py", "--recorded", "s.db", "--against", there, *by)["equal"] == 60
    without = typed("replay", "flow.py", events, "--against", there, *MODELS)
    assert without.exit_code == 2 and "cannot be read without its registry" in without.output, without.output
    assert "--schema-registry" in without.output
    away = typed("replay", "flow.py", events, "--against", there, *MODELS, "--schema-registry", "http://127.0.0.1:9")
    assert away.exit_code == 2 and "http://127.0.0.1:9 cannot be reached" in " ".join(away.output.split())

    told = decisions(kafka, f"{own}-out")
    with Store.open(folder / "s.db", read_only=True) as store:
        answers = [one.answer or b"" for n in (30, 5) if (one := store.get(f"p{n}")) is not None]
    write, other = write_as(form, unframed(told[0])), registry.register(f"{own}-other", OTHERS[form], form.upper())
    assert write(answers[0]) == told[30] and b'"decline"' in answers[0]
    seeded = [*told[:17], *told[18:30], write(answers[0].replace(b'"decline"', b'"approve"', 1)), *told[31:], told[12]]
    seeded += [write(answers[1].replace(b'"p5"', b'"q5"')), told[3][:-4], framed(other, told[3][5:])]
    seeded += [framed(2**31 - 5, b"p1"), answers[1]]
    put(kafka, f"{own}-seeded", seeded)
    otherwise = found(1, "flow.py", events, "--against", there.replace("-out", "-seeded"), *by)
    assert otherwise["equal"] == 58, "one of them also in JSON"
    assert many(otherwise) == {"different": 1, "lost": 1, "repeated": 2, "unknown": 1, "strange": 3}
    (changed,) = otherwise["different"]["first"]
    assert changed.startswith("p30 (") and changed.endswith('/outcome was "approve" and is now "decline"')
    said = " ".join(otherwise["strange"]["first"])
    for words in (f"schema {unframed(told[0])}", f"{other} is not that of decisions", f"no schema {2**31 - 5}"):
        assert words in said, said
