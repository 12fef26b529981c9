package tidegate;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;

/** Records for Kafka as tidegate.runtimes.flink.outgoing packs them: parts of bytes, each after its length, -1 of none. */
public final class Outgoing implements KafkaRecordSerializationSchema<byte[]>, KafkaDatasetFacetProvider {
    private static final long serialVersionUID = 1;

    private final ArrayList<String> topics;

    /** The topics that records may be for: a pool of transactional ids asks Kafka which of them are open there. */
    public Outgoing(List<String> topics) {
        this.topics = new ArrayList<>(topics);
    }

    @Override
    public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
        return Optional.of(new DefaultKafkaDatasetFacet(DefaultKafkaDatasetIdentifier.ofTopics(topics)));
    }

    /** Packed records, one by one: each is its length and its parts. */
    static List<byte[]> cut(byte[] packed) {
        ByteBuffer in = ByteBuffer.wrap(packed);
        List<byte[]> records = new ArrayList<>();
        while (in.hasRemaining()) {
            records.add(part(in));
        }
        return records;
    }

    private static byte[] part(ByteBuffer in) {
        int size = in.getInt();
        if (size < 0) {
            return null;
        }
        byte[] bytes = new byte[size];
        in.get(bytes);
        return bytes;
    }

    /** Topic, key and value; then the names and values of headers in turn. */
    @Override
    public ProducerRecord<byte[], byte[]> serialize(byte[] record, KafkaSinkContext context, Long timestamp) {
        ByteBuffer in = ByteBuffer.wrap(record);
        String topic = new String(part(in), StandardCharsets.UTF_8);
        byte[] key = part(in);
        ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(topic, key.length == 0 ? null : key, part(in));
        while (in.hasRemaining()) {
            made.headers().add(new String(part(in), StandardCharsets.UTF_8), part(in));
        }
        return made;
    }
}
