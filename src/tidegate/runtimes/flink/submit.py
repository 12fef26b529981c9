"""Puts a job together and hands it to Flink; runs where PyFlink is: `python -m … JOB.json [HOST:PORT]`.

Without a cluster it runs in this process. The last line on the output says how long its transactions
stay open, in milliseconds, and the job's id.
"""

import sys
from typing import Any

from msgspec.structs import replace
from pyflink.common import Configuration, Duration, Types, WatermarkStrategy
from pyflink.datastream import CheckpointingMode, DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from tidegate.runtimes.flink.job import Job, made
from tidegate.runtimes.flink.stage_function import StageFunction
from tidegate.runtimes.flink.topics import require_topics, transaction_timeout

_PARTS = "org.apache.flink.connector.kafka"


def _configuration(job: Job, cluster: str) -> Configuration:
    settings = {
        "pipeline.jars": ";".join(f"file://{jar}" for jar in job.jars),
        "pipeline.name": job.name,
        "pipeline.max-parallelism": str(job.shards),
        # Each watermark is a batch of every shard: five of them in the time that is waited for events out of order.
        "pipeline.auto-watermark-interval": f"{min(1000, max(50, job.out_of_order // 5))} ms",
        "execution.checkpointing.dir": f"{job.state}/checkpoints",
        "execution.checkpointing.savepoint-dir": f"{job.state}/savepoints",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.max-concurrent-checkpoints": "1",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "20 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": "12",
        "python.executable": job.python,
        "python.client.executable": job.python,
        "python.fn-execution.bundle.size": "32",  # batches, each of which can be a megabyte
        "python.fn-execution.bundle.time": "200",
        "python.metric.enabled": "false",
    }
    if job.savepoint:
        settings["execution.state-recovery.path"] = job.savepoint
        # What a changed flow keeps no more is let go; the command has said so.
        settings["execution.state-recovery.ignore-unclaimed-state"] = str(job.changed).lower()
    if cluster:
        host, _, port = cluster.rpartition(":")
        settings |= {
            "execution.target": "remote",
            "rest.address": host,
            "rest.port": port,
            "execution.attached": "false",
        }
    made = Configuration()
    for name, value in (settings | job.settings).items():
        made.set_string(name, value)
    return made


def _source(job: Job, env: StreamExecutionEnvironment, shards: Any) -> Any:
    """Everything that comes, as rows by the shard of their id, with watermarks by partition."""
    jvm = get_gateway().jvm
    kinds, numbers, topics = jvm.java.util.HashMap(), jvm.java.util.HashMap(), jvm.java.util.ArrayList()
    for number, given in enumerate(job.inputs):
        kinds.put(given.topic, given.kind)
        numbers.put(given.topic, number)
        topics.add(given.topic)
    incoming = jvm.tidegate.Incoming(shards, kinds, numbers, job.ahead)
    offsets = jvm.org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer
    builder = (
        jvm.org.apache.flink.connector.kafka.source.KafkaSource.builder()
        .setBootstrapServers(job.servers)
        .setGroupId(job.name)
        .setTopics(topics)
        .setStartingOffsets(offsets.earliest())
        .setDeserializer(incoming)
        .setProperty("isolation.level", "read_committed")
        # Sooner than what a new partition holds can be behind the watermark of the others, which have no gaps.
        .setProperty("partition.discovery.interval.ms", str(min(10_000, max(500, job.out_of_order // 2))))
    )
    for name, value in job.properties.items():
        builder.setProperty(name, value)
    if job.bounded:
        builder.setBounded(offsets.latest())
    marks = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(job.out_of_order))
    if job.idle and not job.bounded:  # of what has an end a partition without events ends at once, and holds up nobody
        marks = marks.with_idleness(Duration.of_millis(job.idle))
    strategy = jvm.tidegate.Marks(marks._j_watermark_strategy.withTimestampAssigner(incoming))
    return env._j_stream_execution_environment.fromSource(
        builder.build(), strategy, "events", incoming.getProducedType()
    )


def _sink(job: Job, records: Any) -> None:
    jvm = get_gateway().jvm
    topics = jvm.java.util.ArrayList()
    for topic in (job.output, job.dead_letters):
        topics.add(topic)
    builder = (
        jvm.org.apache.flink.connector.kafka.sink.KafkaSink.builder()
        .setBootstrapServers(job.servers)
        .setRecordSerializer(jvm.tidegate.Outgoing(topics))
        .setDeliveryGuarantee(jvm.org.apache.flink.connector.base.DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(job.prefix)
        .setTransactionNamingStrategy(jvm.org.apache.flink.connector.kafka.sink.TransactionNamingStrategy.POOLING)
        .setProperty("transaction.timeout.ms", str(job.transaction_timeout))
    )
    for name, value in job.properties.items():
        builder.setProperty(name, value)
    records.sinkTo(builder.build()).uid("sink").name("decisions to Kafka")


def _assembled(job: Job, env: StreamExecutionEnvironment) -> None:
    """The stages one after another, each behind a gatherer and before a scatterer."""
    jvm = get_gateway().jvm
    _, staging = made(job)
    shards = jvm.tidegate.Shards(job.shards)
    arriving: dict[int, list[Any]] = {number: [] for number in range(staging.decision + 1)}
    arriving[0] = [_source(job, env, shards).uid(f"source-{job.reading}" if job.reading else "source")]
    key = Types.ROW([Types.INT()]).get_java_type_info()
    plain = Types.ROW([Types.INT(), Types.PRIMITIVE_ARRAY(Types.BYTE())])
    reinterpret = jvm.org.apache.flink.streaming.api.datastream.DataStreamUtils.reinterpretAsKeyedStream
    outgoing = []
    marks, states = staging.marks(), [stage.state for stage in job.stages] or [""] * (staging.decision + 1)
    for number, name in enumerate(staging.names()):
        first, *more = arriving[number]
        for stream in more:
            first = first.union(_array(jvm, stream))
        gather = jvm.tidegate.Gathering(jvm.tidegate.Gather(number == 0, bool(job.rebuilt)))
        gathered = first.keyBy(jvm.KeyByKeySelector(), key).transform("gather", jvm.tidegate.Incoming.keyed(), gather)
        # state is found again by these names: what was laid out otherwise is then not taken for ours
        mark = states[number] or marks[number]
        gathered = gathered.uid(f"gather-{mark}").name(f"gather {number}")
        keyed = KeyedStream(
            reinterpret(gathered, jvm.KeyByKeySelector(), key),
            Types.PRIMITIVE_ARRAY(Types.BYTE()),
            DataStream(gathered),
        )
        stage = keyed.process(StageFunction(job, number), plain).uid(f"stage-{mark}").name(f"{number}: {name}")
        cut = stage._j_data_stream.process(jvm.tidegate.Scatter(shards), jvm.tidegate.Scatter.records())
        cut = cut.uid(f"scatter-{mark}").name(f"scatter {number}")
        for later in range(number + 1, staging.decision + 1):
            if number in (0, len(staging.lists)) or later == number + 1:
                arriving[later].append(cut.getSideOutput(jvm.tidegate.Scatter.to(later)))
        outgoing.append(cut)
    first, *more = [outgoing[0], outgoing[-1]]
    for stream in more:
        first = first.union(_array(jvm, stream))
    _sink(job, first)


def _array(jvm: Any, stream: Any) -> Any:
    made = get_gateway().new_array(jvm.org.apache.flink.streaming.api.datastream.DataStream, 1)
    made[0] = stream
    return made


def _environment(settings: Configuration, cluster: str) -> StreamExecutionEnvironment:
    if not cluster:
        return StreamExecutionEnvironment.get_execution_environment(settings)
    # PyFlink's own way to an environment takes the local one, whatever target is set, unless Flink's shell started it.
    own = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    return StreamExecutionEnvironment(own(settings._j_configuration))


def main() -> None:
    """Submit the job."""
    job, cluster = Job.load(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    env = _environment(_configuration(job, cluster), cluster)
    env.set_parallelism(job.parallelism)
    env.enable_checkpointing(job.checkpoint, CheckpointingMode.EXACTLY_ONCE)
    require_topics(job)
    job = replace(job, transaction_timeout=transaction_timeout(job))
    _assembled(job, env)
    if cluster:
        sys.stdout.write(f"{job.transaction_timeout} {env.execute_async(job.name).get_job_id()}\n")
    else:
        env.execute(job.name)


if __name__ == "__main__":
    main()
