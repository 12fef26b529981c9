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
    private static final long EARLIEST = start(1), LATEST = start(2200) - 1; // times that the contract of events has

    private final Shards shards;
    private final Map<String, Integer> kinds;
    private final Map<String, Integer> numbers;
    private final long ahead;

    /** The event type and the number of each topic; and how many milliseconds a time may be ahead of the clock. */
    public Incoming(Shards shards, Map<String, Integer> kinds, Map<String, Integer> numbers, long ahead) {
        this.shards = shards;
        this.ahead = ahead;
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
        head[Batch.FLAGS] = READ_AND_LEARN;
        if (record.value() == null) {
            head[Batch.FLAGS] |= TOMBSTONE;
        }
        if (Math.floorDiv(at, 1000L) - System.currentTimeMillis() > ahead) {
            head[Batch.FLAGS] |= Batch.AHEAD;
        }
        head[Batch.SHARD] = shard;
        out.collect(shards.keyed(shard, Batch.single(head, value)));
    }

    private static long start(int year) {
        return LocalDate.of(year, 1, 1).toEpochDay() * 86_400_000_000L;
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
        Batch batch = new Batch((byte[]) row.getField(1));
        return batch.timely() ? Math.floorDiv(batch.word(0, Batch.AT), 1000L) : Marks.NONE;
    }

    @Override
    public TypeInformation<Row> getProducedType() {
        return keyed();
    }

    /** What goes between stages: the key of a shard, and rows. */
    public static TypeInformation<Row> keyed() {
        return Types.ROW(Types.INT, Types.PRIMITIVE_ARRAY(Types.BYTE));
    }

    /** A time that an event can have, in microseconds since 1970 UTC; missing if the contract would refuse it. */
    public static long microseconds(String text) {
        try {
            int n = text.length();
            if (n < 20 || text.charAt(4) != '-' || text.charAt(7) != '-' || "Tt ".indexOf(text.charAt(10)) < 0
                    || text.charAt(13) != ':' || text.charAt(16) != ':') {
                return Batch.MISSING;
            }
            long day = LocalDate.of(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)).toEpochDay();
            long second = day * 86400 + ofDay(text, 11, 14) + within(60, text, 17);
            int place = 19;
            long micros = 0;
            if (text.charAt(place) == '.') {
                int scale = 100000;
                for (place++; text.charAt(place) >= '0' && text.charAt(place) <= '9'; place++, scale /= 10) {
                    int digit = text.charAt(place) - '0';
                    if (scale > 0) {
                        micros += (long) digit * scale;
                    } else if (place == 26 && digit >= 5) {
                        micros++;
                    }
                }
                if (place == 20) {
                    return Batch.MISSING; // a point, and no digits
                }
            }
            char zone = text.charAt(place);
            if ((zone == 'Z' || zone == 'z') && place == n - 1) {
                return bounded(second * 1_000_000 + micros);
            }
            int minutes = text.indexOf(':', place) > 0 ? place + 4 : place + 3;
            if ((zone != '+' && zone != '-') || minutes + 2 != n) {
                return Batch.MISSING;
            }
            long behind = ofDay(text, place + 1, minutes);
            return bounded((second - (zone == '+' ? behind : -behind)) * 1_000_000 + micros);
        } catch (RuntimeException wrong) {
            return Batch.MISSING;
        }
    }

    private static long bounded(long at) {
        return EARLIEST <= at && at <= LATEST ? at : Batch.MISSING;
    }

    /** Seconds of two digits of hours, and two of minutes. */
    private static long ofDay(String text, int hours, int minutes) {
        return within(24, text, hours) * 3600L + within(60, text, minutes) * 60L;
    }

    private static int within(int bound, String text, int from) {
        int number = digits(text, from, from + 2);
        if (number >= bound) {
            throw new NumberFormatException(text);
        }
        return number;
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
