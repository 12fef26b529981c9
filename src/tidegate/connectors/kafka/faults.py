"""What the errors of the Kafka client mean: which pass by themselves, which tell of a cause, and what to do."""

from confluent_kafka import KafkaError

DO = {
    KafkaError._TRANSPORT: "See whether a broker runs there and can be reached.",
    KafkaError._ALL_BROKERS_DOWN: "See whether a broker runs there and can be reached.",
    KafkaError._TIMED_OUT: "See whether a broker runs there and can be reached.",
    KafkaError._TIMED_OUT_QUEUE: "See whether a broker runs there and can be reached.",
    KafkaError._RESOLVE: "See whether the host's name is right.",
    KafkaError._AUTHENTICATION: "See whether sasl.mechanisms, sasl.username and sasl.password are right.",
    KafkaError._SSL: "See whether security.protocol and the files of the certificate are right and not expired.",
    KafkaError._UNKNOWN_TOPIC: "See whether the topic's name is right, and make it if it is not there.",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "See whether the topic's name is right, and make it if it is not there.",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "Give this user the rights that docs/howto/kafka.md lists.",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Give this user the rights that docs/howto/kafka.md lists.",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Give this user the rights that docs/howto/kafka.md lists.",
    KafkaError.INVALID_TIMESTAMP: "Decisions and dead letters have the timestamp of their event's message: raise "
    "message.timestamp.before.max.ms and message.timestamp.after.max.ms of that topic, or set its "
    "message.timestamp.type to LogAppendTime; then start this again. Nothing of the batch was committed.",
    KafkaError.INVALID_RECORD: "See what that topic asks of its messages: cleanup.policy=compact takes none without a "
    "key, and message.timestamp.before.max.ms and .after.max.ms none that are too old or ahead. Change that, and start "
    "this again: nothing of the batch was committed.",
    KafkaError._BAD_MSG: "What lies there is damaged: see what the broker's log and its disk say of that partition.",
    KafkaError._BAD_COMPRESSION: "What lies there is damaged: see what the broker's log and its disk say of that "
    "partition.",
    KafkaError.MSG_SIZE_TOO_LARGE: "Raise max.message.bytes of the topic, and message.max.bytes here.",
}
"""What to do about an error, by its code."""
VAGUE = {
    KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT_QUEUE, KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
}  # fmt: skip
"""No answer. A question that was sent to a broker that stands still times out; that ends the connection, and the next
question times out in the queue before the next one, where it waits for a connection that does not come about."""
EARLY = {
    KafkaError._UNKNOWN_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REPLICA_NOT_AVAILABLE, KafkaError.LISTENER_NOT_FOUND, KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.OFFSET_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR, KafkaError.NOT_CONTROLLER,
    KafkaError.REQUEST_TIMED_OUT, KafkaError.NETWORK_EXCEPTION, KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.KAFKA_STORAGE_ERROR, KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.STALE_BROKER_EPOCH, KafkaError.THROTTLING_QUOTA_EXCEEDED, KafkaError.REBOOTSTRAP_REQUIRED,
}  # fmt: skip
"""What brokers say of something that was just made, is being moved from one of them to another, or is taken up again by
one that was away: what Kafka's protocol calls errors that may be retried."""
MOVED = {
    KafkaError._DESTROY_BROKER, KafkaError._NODE_UPDATE, KafkaError._UNKNOWN_BROKER, KafkaError._WAIT_COORD,
    KafkaError._WAIT_CACHE, KafkaError._FAIL, KafkaError._IN_PROGRESS, KafkaError._PREV_IN_PROGRESS, KafkaError._RETRY,
    KafkaError._OUTDATED, KafkaError._INTR,
}  # fmt: skip
"""What the client says while it learns which brokers there are now, and lets go of connections to others."""
ROOT_CAUSES = {KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE}
"""What does not pass by waiting, and is heard of once while everything else only times out."""
PROTOCOL = 2


def telling(error: KafkaError) -> int:
    """How much an error tells of why there is no connection: most are only that there is none."""
    if error.code() in ROOT_CAUSES:
        return 3
    if "security.protocol" in error.str() or "PLAINTEXT broker listener" in error.str():
        return PROTOCOL
    return 0 if error.code() == KafkaError._ALL_BROKERS_DOWN else 1
