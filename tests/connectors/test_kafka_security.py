"""A broker with TLS and SASL: streams, dead letters and alarms run on it, and each mistake says what to do."""

import json
import time
from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tests.connectors.test_webhook import alarms
from tests.runtimes.stream.topics import everything, payments, put
from tests.servers.secure import PASSWORD, SecureKafka
from tidegate.actions.sink import UnavailableError
from tidegate.connectors.kafka.alarms import KafkaAlarms
from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.place import place, properties
from tidegate.errors import StreamError


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_stream_runs_by_tls_with_a_password(
    secure_kafka: SecureKafka, own: str, tmp_path: Path, mechanism: str
) -> None:
    broker, config = secure_kafka, secure_kafka.properties(tmp_path / "kafka.properties", sasl_mechanisms=mechanism)
    broker.topics(f"{own}-in", f"{own}-out", f"{own}-alarms")
    put(broker, f"{own}-in", [*payments(0, 20), b"{"])
    said = typed(
        "run", "tests/runtimes/served.py:Fraud", "--from", f"kafka://{broker.secure}/{own}-in",
        "--to", f"kafka://{broker.secure}/{own}-out", "--store", tmp_path / "s.db", "--kafka-config", config,
        "--until-end",
    )  # fmt: skip
    assert said.exit_code == 0 and "21 messages taken" in said.output, said.output
    assert PASSWORD not in said.output
    assert len(everything(broker, f"{own}-out")) == 20
    dead = f"kafka://{broker.secure}/{own}-out.dead-letters"
    letters = typed("dead-letters", "show", dead, "--json", "--kafka-config", config)
    assert json.loads(letters.stdout)["code"] == "contract"
    sink = KafkaAlarms(place(f"kafka://{broker.secure}/{own}-alarms", properties(config)))
    assert sink.send(alarms("a")) == []
    sink.close()
    assert [one.key() for one in everything(broker, f"{own}-alarms")] == [b"a"]


CASES = {
    "a wrong password": ("secure", {"sasl_password": "hunter2"}, r"invalid credentials.*sasl\.password"),
    "a wrong password, PLAIN": (
        "secure", {"sasl_password": "hunter2", "sasl_mechanisms": "PLAIN"}, r"Invalid username.*sasl\.password",
    ),
    "another mechanism": ("secure", {"sasl_mechanisms": "SCRAM-SHA-512"}, r"PLAIN,SCRAM-SHA-256.*sasl\.mechanisms"),
    "another authority": ("secure", {"ssl_ca_location": "OTHER"}, r"not trusted: .*issuer.*ssl\.ca\.location is /"),
    "no authority": ("secure", {"ssl_ca_location": ""}, r"not trusted: .*issuer.*ssl\.ca\.location is not set"),
    "an expired certificate": ("expired", {}, r"certificate has expired.*new certificate"),
    "another host's certificate": ("elsewhere", {}, r"not valid for '127\.0\.0\.1'.*address as its certificate has it"),
    "no such file": ("secure", {"ssl_ca_location": "/nowhere.pem"}, r"property.*not right.*ssl\.ca\.location"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_does_not_pass_by_waiting_is_told_at_once(secure_kafka: SecureKafka, tmp_path: Path, case: str) -> None:
    listener, changed, words = CASES[case]
    other = {name: str(secure_kafka.other) if value == "OTHER" else value for name, value in changed.items()}
    config = secure_kafka.properties(tmp_path / "kafka.properties", **other)
    where = place(f"kafka://{getattr(secure_kafka, listener)}/in", properties(config))
    began = time.monotonic()
    with pytest.raises(StreamError, match=f"(?s){words}") as told:
        Cluster(where.servers, where.settings).topics()
    assert not isinstance(told.value, PassingError)
    assert PASSWORD not in str(told.value) and "hunter2" not in str(told.value)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("way", ["in plain to TLS", "by TLS to plain"])
def test_another_protocol_is_thought_of(
    secure_kafka: SecureKafka, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.connectors.kafka.cluster._PATIENCE", 3.0)
    protocol = "PLAINTEXT" if way == "in plain to TLS" else "SASL_SSL"
    address = secure_kafka.secure if protocol == "PLAINTEXT" else secure_kafka.address
    config = secure_kafka.properties(tmp_path / "kafka.properties", security_protocol=protocol)
    where = place(f"kafka://{address}/in", properties(config))
    with pytest.raises(PassingError, match=r"Something listens there.*security\.protocol"):
        Cluster(where.servers, where.settings).topics()


def test_alarms_that_may_not_be_sent_say_why_and_wait(secure_kafka: SecureKafka, tmp_path: Path) -> None:
    for listener, changed, words in (CASES["a wrong password"], CASES["an expired certificate"]):
        config = secure_kafka.properties(tmp_path / "kafka.properties", **changed)
        sink = KafkaAlarms(place(f"kafka://{getattr(secure_kafka, listener)}/in", properties(config)), patience=3)
        with pytest.raises(UnavailableError, match=f"(?s)does not take alarms.*{words}"):
            sink.send(alarms("a"))
        sink.close()
