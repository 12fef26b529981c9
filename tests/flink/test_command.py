"""What `tidegate flink` says of mistakes, before it makes or starts anything."""

import os
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from tests.flink.watched import Watched
from tests.runtimes.stream.test_letters import Said
from tests.servers.server import free_port
from tidegate.cli import app
from tidegate.connectors.flink import environment
from tidegate.connectors.flink.environment import Say
from tidegate.connectors.kafka import cluster
from tidegate.errors import TidegateError
from tidegate.runtimes.flink.causes import cause
from tidegate.runtimes.flink.change import keep
from tidegate.runtimes.flink.job import Input, Job, made, stage_of
from tidegate.runtimes.flink.outgoing import answers, letters
from tidegate.runtimes.letter_headers import EMPTY, NOTHING
from tidegate.runtimes.stages.stage import Answered, Refusal
from tidegate.runtimes.stream.dead_letters import DeadLetter, read_letter

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

FLOW = f"{Path(__file__).with_name('watched.py')}:Watched"
AT = "kafka://localhost:9092/"


def _said(*words: str) -> str:
    done = CliRunner().invoke(app, ["flink", FLOW, *words])
    assert done.exit_code == 2, done.output
    return done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "paid", "--to", f"{AT}out"], "not the URL of a topic"),
        (["--from", f"{AT}paid", "--to", f"{AT}a/b"], "name of a topic"),
        (["--from", f"{AT}paid", "--to", f"{AT}a,b"], "names one topic"),
        (["--from", f"{AT}paid", "--to", f"{AT}a?sasl.mechanism=PLAIN"], "no properties here"),
        (["--from", f"{AT}paid", "--to", "kafka://user:secret@a/t"], "holds no name and password"),
        (["--from", f"Logon={AT}paid", "--to", f"{AT}out"], "does not know Logon"),
        (["--from", f"{AT}paid", "--from", f"Login={AT}paid", "--to", f"{AT}out"], "Each topic is named once"),
        (["--from", f"{AT}paid", "--to", f"{AT}paid"], "paid is one topic, and cannot be two of a stream"),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "--dead-letters", "paid"], "seen --from and --dead-letters"),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "--dead-letters", "out"], "seen --to and --dead-letters"),
        (["--from", f"{AT}paid", "--to", "kafka://elsewhere/out"], "one cluster of Kafka"),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "-p", "9", "--shards", "8"], "more tasks than shards"),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "--until-now", "--from-savepoint", "x"], "--until-now"),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "--setting", "x"], "NAME=VALUE"),
        (
            ["--from", f"{AT}paid", "--to", f"{AT}out", "--value-format", "avro"],
            "Decide topics in Avro or Protobuf with",
        ),
        (["--from", f"{AT}paid", "--to", f"{AT}out", "--value-format", "paid=protobuf"], "paid=protobuf"),
    ],
)
def test_mistakes_are_told(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(environment, "environment", lambda say: pytest.fail("too late"))
    assert said in " ".join(_said(*words).split())


def _run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> tuple[int, str]:
    """The status of the command, and what it said until it would make PyFlink's environment, which it says too."""

    def made(say: Say) -> NoReturn:
        raise TidegateError("The environment would be made.")

    monkeypatch.chdir(folder)
    monkeypatch.setattr(environment, "environment", made)
    done = CliRunner().invoke(app, ["flink", FLOW, "--without-models", *words])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_SSL"])
def test_brokers_that_do_not_answer_are_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1.0)
    (tmp_path / "kafka.properties").write_text(f"security.protocol={security}\nssl.truststore.type=PEM\n")
    at = f"kafka://127.0.0.1:{free_port()}"
    words = ["--from", f"{at}/paid", "--to", f"{at}/out", "--kafka-config", "kafka.properties"]
    code, said = _run(monkeypatch, tmp_path, *words)
    assert code == 75 and "Nothing could be learned about topics." in said, said
    assert "Connection refused" in said and f"({at.removeprefix('kafka://')})" in said
    assert "See whether a broker runs there and can be reached." in said and "environment" not in said
    code, said = _run(monkeypatch, tmp_path, *words, "--cluster", "elsewhere:8081")
    assert code == 2 and "Connection refused" in said and "The job is handed in all the same" in said, said
    assert "The environment would be made." in said, "its cluster may reach them"


def test_topics_that_are_not_there_are_told_before_anything_is_made(
    kafka: "Kafka", own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = f"kafka://{kafka.address}/{own}"
    kafka.topics(f"{own}-paid", f"{own}-out")
    words = ["--from", f"{at}-paid", "--to", f"{at}-out"]
    code, said = _run(monkeypatch, tmp_path, "--from", f"{at}-payd", *words[2:])
    assert code == 2 and f"There is no topic {own}-payd on" in said and f"Did you mean {own}-paid?" in said, said
    code, said = _run(monkeypatch, tmp_path, *words)
    assert code == 2 and f"--create --topic {own}-out.dead-letters" in said and "environment" not in said, said
    kafka.topics(f"{own}-out.dead-letters")
    assert "The environment would be made." in _run(monkeypatch, tmp_path, *words)[1]


def test_a_broken_line_of_properties_is_told_without_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("security.protocol=SSL\nssl.key.password secret\n")
    told = _said("--from", f"{AT}paid", "--to", f"{AT}out", "--kafka-config", str(file))
    assert "Line 2" in told
    assert "secret" not in told


def _job() -> Job:
    return Job(
        flow=FLOW, digest=Watched.definition.digest, models="", servers="", inputs=[Input("paid", 0)],
        output="out", dead_letters="dead", name="x", jars=[], python="", state="",
    )  # fmt: skip


def _asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[list[Job], str]:
    """The job that would be handed in, if any, and what is said."""
    (tmp_path / "opt").mkdir(exist_ok=True)
    (tmp_path / "opt" / "flink-python-0.jar").touch()
    command, jobs = import_module("tidegate.cli.flink"), list[Job]()
    there = SimpleNamespace(jars=[], python=tmp_path / "python", home=tmp_path)
    monkeypatch.setattr(environment, "environment", lambda say: there)
    monkeypatch.setattr(command, "require_there", lambda *given, **more: None)
    monkeypatch.setattr(command, "_run", lambda job, *more: jobs.append(job))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["flink", FLOW, "--from", f"{AT}paid", "--without-models", *words])
    assert done.exit_code == (0 if jobs else 2), done.output
    return jobs, " ".join(done.output.split())


def test_a_job_s_transactions_are_called_after_its_topic_and_stay_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,), _ = _asked(tmp_path, monkeypatch, "--to", f"{AT}out")
    (other,), _ = _asked(tmp_path, monkeypatch, "--to", f"{AT}out-us")
    assert first.name == other.name == "tidegate-Watched"
    assert not first.prefix.startswith(other.prefix) and not other.prefix.startswith(first.prefix)
    id = "0a" * 16
    for kept, wanted in ((first, first.prefix), (replace(first, transactions=""), "tidegate-Watched")):
        keep(tmp_path / "flink-state", id, kept)  # one of old had the group alone
        at = f"{tmp_path}/savepoint-0a0a0a-1"
        (again,), _ = _asked(tmp_path, monkeypatch, "--to", f"{AT}out", "--from-savepoint", at)
        assert again.prefix == wanted
        # with another topic of decisions the earlier job may run on beside it
        (there,), _ = _asked(tmp_path, monkeypatch, "--to", f"{AT}out-us", "--from-savepoint", at)
        assert there.prefix == other.prefix


def test_a_checkpoint_that_kafka_may_have_given_up_is_refused_without_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,), _ = _asked(tmp_path, monkeypatch, "--to", f"{AT}out")
    id = "0b" * 16
    keep(tmp_path / "flink-state", id, replace(job, transaction_timeout=900_000))
    written = tmp_path / "flink-state" / "checkpoints" / id / "chk-7" / "_metadata"
    written.parent.mkdir(parents=True)
    written.touch()

    def going_on(minutes: int, *more: str, path: str = f"file://{written.parent}") -> tuple[list[Job], str]:
        os.utime(written, (time.time() - 60 * minutes,) * 2)
        return _asked(tmp_path, monkeypatch, "--to", f"{AT}out", "--from-savepoint", path, *more)

    for young in (0, 13):
        jobs, said = going_on(young)
        assert len(jobs) == 1 and "too old" not in said
    for path in (f"file://{written.parent}", f"{written.parent}/", str(written)):
        jobs, said = going_on(16, path=path)
        assert not jobs and "The checkpoint is too old" in said
        assert "written 16 min ago; its transactions stay open for 15m" in said
        assert "another topic in --to" in said and "--override" in said
    assert not going_on(15)[0], "a job needs some time until it commits"
    (late,), said = going_on(16, "--override", "--why", "all of it is on the topic")
    assert late.why == "all of it is on the topic" and late.why in said
    assert "goes with" in going_on(16, "--override")[1]
    assert "goes with" in _asked(tmp_path, monkeypatch, "--to", f"{AT}out", "--override", "--why", "x")[1]
    (tmp_path / "flink-state" / "jobs" / f"{id}.json").unlink()
    assert "stay open for 10m" in going_on(11)[1], "what all jobs had that said nothing of it"
    jobs, said = going_on(0, path=f"s3://bank/checkpoints/{id}/chk-7")
    assert jobs and "cannot be seen from here" in said
    jobs, said = going_on(0, path="/a/savepoint-0b0b0b-0123456789ab")
    assert jobs and "cannot be seen" not in said


def test_a_job_makes_every_stage_of_its_flow(tmp_path: Path) -> None:
    _job().save(tmp_path / "job.json")
    job = Job.load(tmp_path / "job.json")
    assert job == _job()
    flow, staging = made(job)
    stages = [type(stage_of(job, flow, staging, number)).__name__ for number in range(staging.decision + 1)]
    assert stages == ["IntakeAt", "ListsAt", "WindowsAt", "WindowsAt", "WindowsAt", "DecisionsAt"]


def test_records_are_lengths_and_parts() -> None:
    parts = b"\0\0\0\3out\0\0\0\1a\0\0\0\2{}"
    assert answers(_job(), [Answered("a", b"{}")] * 2) == (b"\0\0\0\x12" + parts) * 2


def _parts(packed: bytes) -> list[bytes | None]:
    """The parts of a record, as the Java side cuts them."""
    parts: list[bytes | None] = []
    while packed:
        size = int.from_bytes(packed[:4], "big", signed=True)
        parts.append(packed[4 : 4 + size] if size >= 0 else None)
        packed = packed[4 + max(0, size) :]
    return parts


def test_a_tombstone_is_a_letter_without_a_value() -> None:
    parts = _parts(letters(_job(), [Refusal(2, 7, NOTHING, EMPTY, None)])[4:])
    assert parts[:3] == [b"dead", b"", None] and b"" not in parts[3:]
    bare = _parts(letters(_job(), [Refusal(2, 7, "Why", "contract", b"")])[4:])
    assert bare[:3] == [b"dead", b"", b""]


def test_a_letter_is_read_as_that_of_a_stream() -> None:
    parts = _parts(letters(_job(), [Refusal(2, 7, "Why", "code", b"raw")])[4:])
    assert parts[:3] == [b"dead", b"", b"raw"]
    headers = [(name.decode(), value) for name, value in zip(parts[3::2], parts[4::2], strict=True)]
    letter = read_letter(Said(parts[2], headers))
    assert letter == DeadLetter(
        offset=7,
        code="code",
        reason="Why",
        topic="paid",
        partition=2,
        place=7,
        at=-1,
        key=None,
        value=b"raw",
        headers=[],
    )


def test_of_a_stack_of_exceptions_the_cause_is_told() -> None:
    java = "o.FlinkException: Global failure\n\tat a.b(C.java:1)\nCaused by: x.SaslException: No password\n\t... 7"
    assert cause(java) == "Caused by: x.SaslException: No password"
    python = (
        "java.util.concurrent.ExecutionException: java.lang.RuntimeException: Error received from SDK harness\n"
        "Caused by: java.lang.RuntimeException: Error received: Traceback (most recent call last):\n"
        '  File "stage_function.py", line 40, in open\n    raise FlowError(\n'
        "tidegate.errors.FlowError: f.py is another flow here.\n\n\tat org.apache.beam.X.y(Z.java:2)"
    )
    assert cause(python) == "tidegate.errors.FlowError: f.py is another flow here."
    bare = (
        "x.ProducerFencedException: There is a newer producer\n\tat java.base/a.run(B.java:1)\n\tat c.run(D.java:2)\n"
    )
    assert cause(bare) == "x.ProducerFencedException: There is a newer producer"
    logged = f'WARNING: an option is old\nException in thread "main" {bare}'
    assert cause(logged) == 'Exception in thread "main" x.ProducerFencedException: There is a newer producer'
    assert cause("Error: no memory\nThe machine could not be made.\n") == "The machine could not be made."
    assert cause("") == "nothing was said"
