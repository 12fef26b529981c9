"""W1 as one would write it for Flink, to be measured by `benchmarks.flink`; runs in the environment that has PyFlink.

`keyed` is a PyFlink job of two KeyedProcessFunctions, by card and by merchant. Its ValueState holds the events of the
longest window once, as arrays, which are pickled as bytes; all windows share them: of each it holds where it begins,
and its sums. `sql` is Flink SQL: one OVER window after another, since one query takes one only, by event time. Both
read JSON from the topic, as many events as they are told, keep checkpoints as our job does, and give their features to
nobody.
"""

import json
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
CARD_WINDOWS = {"1m": MINUTE, "10m": 10 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY}
MERCHANT_WINDOWS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY}


_MOST_GONE = 64
"""Events behind the longest window that are let go together."""

Past = tuple["array[int]", "array[int]", "array[int]", list[int], list[int], list[int], list[int]]
"""Times, amounts and what else is asked of the events of an entity; of each window where in them it begins, and the
sums of its amounts, their squares, and the rest."""


def nothing(windows: Sequence[int]) -> Past:
    """The past of an entity that was not seen."""
    none = [0] * len(windows)
    return array("q"), array("q"), array("q"), none, none[:], none[:], none[:]


def move(past: Past, windows: Sequence[int], at: int) -> None:
    """Let every window begin where it does at a time."""
    times, amounts, others, begins, sums, squares, rest = past
    for place, span in enumerate(windows):
        begin, end = begins[place], len(times)
        while begin < end and times[begin] <= at - span:
            sums[place] -= amounts[begin]
            squares[place] -= amounts[begin] ** 2
            rest[place] -= others[begin]
            begin += 1
        begins[place] = begin
    gone = begins[-1]
    if gone > _MOST_GONE:
        del times[:gone], amounts[:gone], others[:gone]
        begins[:] = [begin - gone for begin in begins]


def of_card(past: Past, at: int) -> list[Any]:
    """What W1 asks of a card's past: 27 features."""
    times, amounts, others, begins, sums, squares, _ = past
    row: list[Any] = []
    for begin, total, square in zip(begins, sums, squares, strict=True):
        n = len(times) - begin
        mean = total / n if n else None
        std = (max(0.0, square - total * total / n) / (n - 1)) ** 0.5 if n > 1 else None
        row += [n, total, mean, max(amounts[begin:]) if n else None, std]
    day = list(CARD_WINDOWS).index("24h")
    return [*row, len(set(others[begins[day] :])), at - times[-1] if times else None]


def of_merchant(past: Past, at: int) -> list[Any]:
    """What W1 asks of a merchant's past: 7 features."""
    times, _, _, begins, sums, _, rest = past
    row: list[Any] = []
    for begin, total in zip(begins, sums, strict=True):
        row += [len(times) - begin, total]
    day = list(MERCHANT_WINDOWS).index("24h")
    n = len(times) - begins[day]
    return [*row, rest[day] / n if n else None]


def learn(past: Past, at: int, amount: int, other: int) -> None:
    """Put an event behind the others."""
    for column, value in zip(past[:3], (at, amount, other), strict=True):
        column.append(value)
    for of, value in zip(past[4:], (amount, amount**2, other), strict=True):
        for place in range(len(of)):
            of[place] += value


def settings(folder: str) -> dict[str, str]:
    """What both are run with: one task of each operator, and a checkpoint each second."""
    return {
        "parallelism.default": "1",
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.dir": f"file://{folder}",
    }


def keyed(servers: str, topic: str, events: str, jar: str, folder: str) -> None:
    """The DataStream job."""
    from pyflink.common import Configuration, Types, WatermarkStrategy
    from pyflink.common.serialization import SimpleStringSchema
    from pyflink.datastream import KeyedProcessFunction, StreamExecutionEnvironment
    from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaSource, KafkaTopicPartition
    from pyflink.datastream.state import ValueStateDescriptor

    class PerKey(KeyedProcessFunction):  # type: ignore[misc]
        """Everything of an entity in one value."""

        def __init__(self, windows: list[int], other: str, ask: Callable[[Past, int], list[Any]]) -> None:
            self.windows, self.other, self.ask = windows, other, ask

        def open(self, context: Any) -> None:
            self.state = context.get_state(ValueStateDescriptor("windows", Types.PICKLED_BYTE_ARRAY()))

        def process_element(self, event: dict[str, Any], context: Any) -> Iterator[dict[str, Any]]:
            at = event["at"]
            past: Past = self.state.value() or nothing(self.windows)
            move(past, self.windows, at)
            row = self.ask(past, at)
            learn(past, at, event["amount_cents"], int(event[self.other]))
            self.state.update(past)
            yield {**event, "features": event.get("features", []) + row}

    def read(text: str) -> Any:
        event = json.loads(text)
        event["at"] = int(datetime.fromisoformat(event["at"]).timestamp() * 1000)
        return event

    configured = Configuration()
    configured.set_string("pipeline.jars", f"file://{jar}")
    for name in ("python.executable", "python.client.executable"):
        configured.set_string(name, sys.executable)
    for name, value in settings(folder).items():
        configured.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configured)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(servers)
        .set_topics(topic)
        .set_group_id(f"keyed-{events}")
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.offsets({KafkaTopicPartition(topic, 0): int(events)}))
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    read_events = env.from_source(source, WatermarkStrategy.no_watermarks(), "events").map(read)
    cards = read_events.key_by(lambda event: event["card"], Types.LONG()).process(
        PerKey(list(CARD_WINDOWS.values()), "merchant", of_card)
    )
    done = cards.key_by(lambda event: event["merchant"], Types.LONG()).process(
        PerKey(list(MERCHANT_WINDOWS.values()), "declined", of_merchant)
    )
    done.filter(lambda event: len(event["features"]) < 34).print()
    env.execute("W1 keyed")


def sql(servers: str, topic: str, events: str, jar: str, folder: str) -> None:
    """The SQL job."""
    from pyflink.table import EnvironmentSettings, TableEnvironment

    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in ({"pipeline.jars": f"file://{jar}"} | settings(folder)).items():
        table.get_config().set(name, value)
    table.execute_sql(
        f"""
        CREATE TABLE events (id STRING, `at` TIMESTAMP_LTZ(3), card BIGINT,
            merchant BIGINT, amount_cents BIGINT, declined BOOLEAN, WATERMARK FOR `at` AS `at`)
        WITH ('connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{servers}',
            'properties.group.id' = 'sql-{events}', 'scan.startup.mode' = 'earliest-offset',
            'scan.bounded.mode' = 'specific-offsets',
            'scan.bounded.specific-offsets' = 'partition:0,offset:{events}', 'format' = 'json',
            'json.timestamp-format.standard' = 'ISO-8601')"""
    )
    columns, query = ["id", "`at`", "card", "merchant", "amount_cents", "declined"], "events"
    for per, windows in (("card", CARD_WINDOWS), ("merchant", MERCHANT_WINDOWS)):
        for name, span in windows.items():
            unit, word = next((u, w) for u, w in ((DAY, "DAY"), (HOUR, "HOUR"), (MINUTE, "MINUTE")) if span % u == 0)
            reach = f"INTERVAL '{span // unit}' {word} PRECEDING"
            over = f"OVER (PARTITION BY {per} ORDER BY `at` RANGE BETWEEN {reach} AND CURRENT ROW)"
            added = [f"COUNT(*) {over} AS {per}_count_{name}", f"SUM(amount_cents) {over} AS {per}_sum_{name}"]
            if per == "card":
                added += [f"{f}(amount_cents) {over} AS card_{f}_{name}" for f in ("AVG", "MAX", "STDDEV_SAMP")]
            if span == DAY:
                more = "COUNT(DISTINCT merchant)" if per == "card" else "AVG(CASE WHEN declined THEN 1.0 ELSE 0.0 END)"
                added.append(f"{more} {over} AS {per}_more")
            query = f"(SELECT {', '.join(columns + added)} FROM {query})"
            columns += [text.rpartition(" AS ")[2] for text in added]
    kinds = ", ".join(f"f{i} DOUBLE" for i in range(len(columns) - 6))
    table.execute_sql(f"CREATE TABLE nobody (id STRING, {kinds}) WITH ('connector' = 'blackhole')")
    features = ", ".join(f"CAST({name} AS DOUBLE)" for name in columns[6:])
    table.execute_sql(f"INSERT INTO nobody SELECT id, {features} FROM {query}").wait()
