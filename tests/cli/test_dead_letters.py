"""`tidegate dead-letters` as it is typed, of messages that their topic did not take, that hold nothing, or that lie."""

import json
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from tests.cli.test_kafka import typed
from tests.runtimes.started import FLOW
from tests.runtimes.stream.topics import everything, put
from tests.servers.kafka import Kafka
from tidegate.cli import app
from tidegate.cli.letter_lines import mended_values
from tidegate.errors import StreamError
from tidegate.runtimes.letter_headers import CODES, OF_JOBS


def run(kafka: Kafka, own: str, folder: Path) -> str:
    """Run a stream to its end; gives where its dead letters are."""
    (folder / "flow.py").write_text(FLOW)
    at = f"kafka://{kafka.address}/{own}"
    done = typed(app, [
        "run", str(folder / "flow.py"), "--from", f"{at}-in", "--to", f"{at}-out", "--until-end",
        "--store", str(folder / "s.db"), "--models", str(folder),
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    return f"{at}-out.dead-letters"


@pytest.fixture
def small(kafka: Kafka, own: str) -> str:
    """Topics, of which that of dead letters takes 3,000 bytes."""
    kafka.topics(f"{own}-in", f"{own}-out")
    kafka.topics(f"{own}-out.dead-letters", max_message_bytes="3000")
    return own


def test_a_letter_without_its_message_says_where_that_is_and_it_is_sent_from_there(
    kafka: Kafka, small: str, tmp_path: Path
) -> None:
    event = '{"id":"p1","at":"2026-01-01T00:00:00Z","crad":"c1","note":"' + "n" * 5000 + '"}'
    key, headers = b"k" * 2000, [("large", b"h" * 2000)]
    put(kafka, f"{small}-in", [event.encode(), b"x" * 5000], key=key, headers=headers)
    dead = run(kafka, small, tmp_path)
    shown = typed(app, ["dead-letters", "show", dead]).output
    assert f"a value of {len(event):,} bytes, is larger than this topic takes" in shown
    assert f"it is only on {small}-in/0 at offset 0" in shown
    first = json.loads(typed(app, ["dead-letters", "show", dead, "--json"]).stdout.splitlines()[0])
    assert first["left_out"] == len(event) and first["value"] is None and first["key"] is None
    flow = ["--flow", str(tmp_path / "flow.py")]
    repair = ["dead-letters", "repair", dead, "--offset", "0", "--rename", "crad=card", "--remove", "note", *flow]
    done = typed(app, [*repair, "--send"])
    assert done.exit_code == 0 and "1 of 1 letter sent" in done.output, done.output
    (tmp_path / "letters").write_text(typed(app, ["dead-letters", "show", dead, "--json", "--unsent"]).stdout)
    done = typed(app, ["dead-letters", "send", dead, "--file", str(tmp_path / "letters")])
    assert done.exit_code == 0 and "1 message sent" in done.output, done.output
    mended, same = everything(kafka, f"{small}-in")[2:]
    assert mended.value() == b'{"id":"p1","at":"2026-01-01T00:00:00Z","card":"c1"}'
    assert same.value() == b"x" * 5000
    assert mended.key() == same.key() == key and mended.headers()[0] == same.headers()[0] == headers[0]
    assert dict(mended.headers())["tidegate-original"] == event.encode()
    assert len(everything(kafka, f"{small}-out.dead-letters")) == 4  # two letters, and two marks
    done = typed(app, ["dead-letters", "send", dead, "--offset", "1"])
    assert done.exit_code == 2 and "A dead letter is sent once" in done.output, done.output


def test_a_letter_whose_message_is_gone_is_not_sent(kafka: Kafka, small: str, tmp_path: Path) -> None:
    put(kafka, f"{small}-in", [b"x" * 5000, b"bad"], key=b"k")
    dead = run(kafka, small, tmp_path)
    admin = kafka.admin()  # by name: it must outlive what it is asked
    gone = admin.delete_records([TopicPartition(f"{small}-in", 0, 1)])
    assert [one.result(30).low_watermark for one in gone.values()] == [1]
    done = typed(app, ["dead-letters", "send", dead, "--code", "contract"])
    said = " ".join(done.output.split())
    assert done.exit_code == 2 and "which is no longer where it lay" in said, done.output
    assert f"{small}-in/0 does not hold it at offset 0 any more" in said
    done = typed(app, ["dead-letters", "repair", dead, "--code", "contract", "--send"])
    assert done.exit_code == 1 and "1 of 2 letters sent" in done.output, done.output
    assert "still not good" in done.output and "no longer where it lay" in done.output
    assert [one.value() for one in everything(kafka, f"{small}-in")] == [b"bad", b"bad"]


def test_a_letter_is_not_sent_with_what_lies_at_its_place_now(kafka: Kafka, small: str, tmp_path: Path) -> None:
    """As where the topic was removed and made again."""
    put(kafka, f"{small}-in", [b"x" * 5000])
    dead = run(kafka, small, tmp_path)
    kafka.remove(f"{small}-in")
    kafka.topics(f"{small}-in")
    put(kafka, f"{small}-in", [b"y" * 5000])
    done = typed(app, ["dead-letters", "send", dead, "--offset", "0"])
    assert done.exit_code == 2 and "no longer where it lay" in " ".join(done.output.split()), done.output
    assert len(everything(kafka, f"{small}-in")) == 1


def test_a_message_without_a_value_is_sent_again_without_one(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", [None, None, None], key=b"k")
    dead = run(kafka, own, tmp_path)
    assert typed(app, ["dead-letters", "show", dead]).output.count("no value (a tombstone)") == 3
    asked = f"{dead}?client.id=me&log_level=5"
    assert f"send '{asked}' --offset N" in typed(app, ["dead-letters", "show", asked]).output
    assert typed(app, ["dead-letters", "send", dead, "--offset", "0"]).exit_code == 0
    unsent = typed(app, ["dead-letters", "show", dead, "--json", "--unsent"]).stdout.splitlines()
    (tmp_path / "letters").write_text("\n".join(unsent[:1]))
    assert typed(app, ["dead-letters", "send", dead, "--file", str(tmp_path / "letters")]).exit_code == 0
    done = typed(app, ["dead-letters", "repair", dead, "--code", "empty", "--send"])
    assert done.exit_code == 0 and "1 of 1 letter sent" in done.output, done.output
    sent = everything(kafka, f"{own}-in")[3:]
    assert [(one.key(), one.value()) for one in sent] == [(b"k", None)] * 3
    assert all(dict(one.headers()).keys() == {"tidegate-repaired"} for one in sent)


@pytest.mark.parametrize("line", ['{"offset":null,"value":"x"}', '{"offset":1,"value_base64":null}', "[1]", "{"])
def test_a_line_that_is_no_letter_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "letters").write_text(f'{{"offset":0,"value":null}}\n{line}\n')
    with pytest.raises(StreamError, match="letters cannot be read"):
        mended_values(tmp_path / "letters")


def test_a_letter_that_was_mended_in_two_ways_is_told(tmp_path: Path) -> None:
    same, other = (json.dumps({"offset": 0, "value": value}) + "\n" for value in "ab")
    (tmp_path / "letters").write_text(same + same)
    assert mended_values(tmp_path / "letters") == {0: b"a"}
    (tmp_path / "letters").write_text(same + other)
    with pytest.raises(StreamError, match="has dead letter 0 twice, with two values"):
        mended_values(tmp_path / "letters")


def test_headers_of_a_message_change_nothing_of_its_dead_letter(kafka: Kafka, own: str, tmp_path: Path) -> None:
    """Whoever may only write the input neither chooses where a letter is sent, nor hides it."""
    kafka.topics(f"{own}-in", f"{own}-out")
    forged = [("tidegate-topic", f"{own}-out".encode()), ("tidegate-code", b"harmless"), ("tidegate-left-out", b"9")]
    lies = [("tidegate-original", b"never"), ("tidegate-repaired", f"{own}-out.dead-letters@0".encode())]
    put(kafka, f"{own}-in", [b'{"id":"forged","outcome":"approve"}'], headers=[forged[2], *forged[:2], *lies])
    put(kafka, f"{own}-in", [b"bad"], headers=[("tidegate-at", b"x"), ("trace", b"1")])
    dead = run(kafka, own, tmp_path)
    letters = [json.loads(line) for line in typed(app, ["dead-letters", "show", dead, "--json"]).stdout.splitlines()]
    assert [(one["code"], one["topic"], one["at_offset"]) for one in letters] == [
        ("contract", f"{own}-in", 0), ("contract", f"{own}-in", 1),
    ]  # fmt: skip
    sent = typed(app, ["dead-letters", "send", dead, "--code", "contract"])
    assert sent.exit_code == 0 and "2 messages sent" in sent.output, sent.output
    assert everything(kafka, f"{own}-out") == []
    again = [one.headers() for one in everything(kafka, f"{own}-in")[2:]]
    came = [[forged[2], *forged[:2]], [("tidegate-at", b"x"), ("trace", b"1")]]
    assert [headers[:-1] for headers in again] == came  # as they came, but for what is ours to say
    assert [headers[-1] for headers in again] == [
        ("tidegate-repaired", f"{own}-out.dead-letters@{number}".encode()) for number in (0, 1)
    ]


def test_a_letter_is_sent_to_the_partition_that_it_came_from(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", partitions=4)
    kafka.topics(f"{own}-out")
    for partition in range(4):  # one key in all of them: its hash is that of one at most
        put(kafka, f"{own}-in", [b"bad"], partition=partition, key=b"k")
    dead = run(kafka, own, tmp_path)
    done = typed(app, ["dead-letters", "send", dead, "--code", "contract"])
    assert done.exit_code == 0 and "4 messages sent" in done.output, done.output
    lie = sorted((one.partition(), one.key(), one.value()) for one in everything(kafka, f"{own}-in"))
    assert lie == [(partition, b"k", b"bad") for partition in range(4) for _ in range(2)]


def test_a_repair_that_is_not_good_enough_to_be_sent_says_so_by_its_status(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", [b'{"id":"p1"}'])
    dead = run(kafka, own, tmp_path)
    repair = ["dead-letters", "repair", dead, "--offset", "0", "--set", "card=c1", "--flow", str(tmp_path / "flow.py")]
    done = typed(app, [*repair, "--send"])
    assert done.exit_code == 1 and "0 of 1 letter sent" in done.output, done.output
    assert len(everything(kafka, f"{own}-in")) == 1


def test_a_topic_of_something_else_or_a_slip_in_its_name_is_told(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", [b"bad"])
    dead = run(kafka, own, tmp_path)
    done = typed(app, ["dead-letters", "show", dead.replace("-out.dead-letters", "-in")])
    assert done.exit_code == 2 and "holds no dead letters" in done.output and "1 message\n" in done.output
    done = typed(app, ["dead-letters", "show", dead.replace("letters", "leters")])
    said = " ".join(done.output.split())
    assert done.exit_code == 2 and said.endswith(f"Did you mean {own}-out.dead-letters?"), done.output
    for words in (["show"], ["send", "--offset", "0"]):
        said = " ".join(typed(app, ["dead-letters", *words, f"kafka://{kafka.address}/0"]).output.split())
        assert said.endswith(f"See which there are: kafka-topics.sh --bootstrap-server {kafka.address} --list."), said


def test_a_reason_that_there_is_not_is_refused_and_one_without_letters_is_told(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", [b"bad", None])
    dead = run(kafka, own, tmp_path)
    for words in (["show", dead], ["send", dead], ["repair", dead]):
        done = typed(app, ["dead-letters", *words, "--code", "contrct"])
        said = " ".join(done.output.split())
        assert done.exit_code == 2 and "No dead letter has the reason 'contrct'." in said, done.output
        assert "those on the topic: contract, empty" in said and "Did you mean 'contract'?" in said
        assert "There are: before-retention, behind-watermark, contract, empty, future, id-reused," in said
    done = typed(app, ["dead-letters", "show", dead, "--code", "behind-watermark"])
    assert done.exit_code == 0 and "There are no dead letters like this; there are 2 others." in done.output
    help = typed(app, ["dead-letters", "show", "--help"], env={"COLUMNS": "400"}).output
    assert all(code in help for code in (*CODES, *OF_JOBS))
