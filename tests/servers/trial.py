"""Topics of the broker that `make servers` starts, and events on them, to try a stream on: `make topics`, `make send`.

python -m tests.servers.trial topics NAME…
python -m tests.servers.trial send TOPIC FILE [KEY [WITHOUT…]]
"""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

ADDRESS = "127.0.0.1:9092"
PARTITIONS = 3
_SECONDS = 30


def topics(names: list[str], address: str = ADDRESS) -> None:
    """Make topics, unless they are there."""
    admin = AdminClient({"bootstrap.servers": address})
    there = admin.list_topics(timeout=_SECONDS).topics
    lacking = [NewTopic(name, PARTITIONS) for name in names if name not in there]
    for name, made in (admin.create_topics(lacking) if lacking else {}).items():
        made.result(_SECONDS)
        print(f"{name}: made, {PARTITIONS} partitions")


def events(file: Path, without: list[str]) -> list[dict[str, Any]]:
    """The rows of a CSV file or the lines of an NDJSON file, but for some columns, such as labels; what is empty is
    left out."""
    table = pl.read_csv(file) if file.suffix == ".csv" else pl.read_ndjson(file)
    rows = table.drop(without).iter_rows(named=True)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def send(topic: str, file: Path, key: str, without: list[str], address: str = ADDRESS) -> int:
    """Put a file's events on a topic, in its order; those of one key share a partition. Gives how many there were."""
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 20})
    found = events(file, without)
    for event in found:
        while True:
            try:
                producer.produce(topic, json.dumps(event).encode(), str(event[key]).encode() if key else None)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(_SECONDS)
    if left:
        raise SystemExit(f"{left:,} of {len(found):,} events could not be sent to {topic} on {address}.")
    return len(found)


def main(verb: str = "", *words: str) -> int:
    """Do it; 1 if the broker does not."""
    try:
        if verb == "topics" and words:
            topics(list(words))
        elif verb == "send" and len(words) >= 2:
            topic, file, key, *without = (*words, "")[: max(3, len(words))]
            print(f"{send(topic, Path(file), key, without):,} events are on {topic}")
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except KafkaException as error:
        print(f"The broker on {ADDRESS} did not do it: {error}. `make servers ONLY=kafka` starts it.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
