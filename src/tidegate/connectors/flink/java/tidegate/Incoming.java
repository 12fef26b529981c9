package tidegate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Map;
import org.apache.flink.api.common.eventtime.SerializableTimestampAssigner;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/** From a Kafka record to a row for the intake, by the id of its event; and its time, as the watermark needs it. */
public final class Incoming
        implements KafkaRecordDeserializationSchema<Row>, SerializableTimestampAssigner<Row> {
    private static final long serialVersionUID = 1;
    private static final JsonFactory JSON = new JsonFactory();
    private static final long READ_AND_LEARN = 3;
    private static final long TOMBSTONE = 64;

    private final Shards shards;
    private final Map<String, Integer> kinds;
    private final Map<String, Integer> numbers;

    /** The event type and the number of each topic. */
    public Incoming(Shards shards, Map<String, Integer> kinds, Map<String, Integer> numbers) {
        this.shards = shards;
        this.kinds = new java.util.HashMap<>(kinds);
        this.numbers = new java.util.HashMap<>(numbers);
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Row> out) throws IOException {
        byte[] value = record.value() == null ? new byte[0] : record.value();
        String id = null;
        long at = Batch.MISSING;
        try (JsonParser json = JSON.createParser(value)) {
            if (json.nextToken() == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    JsonToken token = json.nextToken();
                    if (token == JsonToken.VALUE_STRING && name.equals("id")) {
                        id = json.getText();
                    } else if (token == JsonToken.VALUE_STRING && name.equals("at")) {
                        at = microseconds(json.getText());
                    } else {
                        json.skipChildren();
                    }
                }
            }
        } catch (IOException broken) {
            at = Batch.MISSING; // the intake says what is wrong with it
        }
        int shard = id == null ? 0 : Math.floorMod(mixed(id), shards.count());
        long source = ((long) numbers.get(record.topic()) << 32) | record.partition();
        long[] head = new long[Batch.HEAD];
        head[Batch.AT] = at;
        head[Batch.SOURCE] = source;
        head[Batch.OFFSET] = record.offset();
        head[Batch.KIND] = kinds.get(record.topic());
        head[Batch.FLAGS] = record.value() == null ? READ_AND_LEARN | TOMBSTONE : READ_AND_LEARN;
        head[Batch.SHARD] = shard;
        out.collect(shards.keyed(shard, Batch.single(head, value)));
    }

    private static int mixed(String id) {
        int hash = 0x811c9dc5; // FNV-1a
        for (byte each : id.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (each & 0xff)) * 0x01000193;
        }
        return hash ^ (hash >>> 15);
    }

    @Override
    public long extractTimestamp(Row row, long recorded) {
        long at = new Batch((byte[]) row.getField(1)).word(0, Batch.AT);
        return at == Batch.MISSING ? Long.MIN_VALUE : Math.floorDiv(at, 1000L);
    }

    @Override
    public TypeInformation<Row> getProducedType() {
        return keyed();
    }

    /** What goes between stages: the key of a shard, and rows. */
    public static TypeInformation<Row> keyed() {
        return Types.ROW(Types.INT, Types.PRIMITIVE_ARRAY(Types.BYTE));
    }

    /** A time as RFC 3339 writes it, in microseconds since 1970 UTC; missing if it is none. */
    static long microseconds(String text) {
        try {
            int n = text.length();
            if (n < 20 || text.charAt(4) != '-' || text.charAt(7) != '-' || text.charAt(13) != ':' || text.charAt(16) != ':') {
                return Batch.MISSING;
            }
            long day = LocalDate.of(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)).toEpochDay();
            long second = day * 86400 + digits(text, 11, 13) * 3600L + digits(text, 14, 16) * 60L + digits(text, 17, 19);
            int place = 19;
            long micros = 0;
            if (text.charAt(place) == '.') {
                int scale = 100000;
                for (place++; place < n && Character.isDigit(text.charAt(place)); place++, scale /= 10) {
                    int digit = text.charAt(place) - '0';
                    if (scale > 0) {
                        micros += (long) digit * scale;
                    } else if (place == 26 && digit >= 5) {
                        micros++;
                    }
                }
            }
            char zone = text.charAt(place);
            if ((zone == 'Z' || zone == 'z') && place == n - 1) {
                return second * 1_000_000 + micros;
            }
            int minutes = text.indexOf(':', place) > 0 ? place + 4 : place + 3;
            if ((zone != '+' && zone != '-') || minutes + 2 != n) {
                return Batch.MISSING;
            }
            long behind = digits(text, place + 1, place + 3) * 3600L + digits(text, minutes, minutes + 2) * 60L;
            return (second - (zone == '+' ? behind : -behind)) * 1_000_000 + micros;
        } catch (RuntimeException wrong) {
            return Batch.MISSING;
        }
    }

    private static int digits(String text, int from, int to) {
        int number = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw new NumberFormatException(text);
            }
            number = 10 * number + digit;
        }
        return number;
    }
}
