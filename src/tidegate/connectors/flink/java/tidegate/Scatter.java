package tidegate;

import java.util.Arrays;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Cuts what a stage gave: rows by the stage and shard that they go to, and records for Kafka one by one. */
public final class Scatter extends ProcessFunction<Row, byte[]> {
    private static final long serialVersionUID = 1;
    private static final int ROWS = 0;

    private final Shards shards;

    public Scatter(Shards shards) {
        this.shards = shards;
    }

    /** The side output for a stage. */
    public static OutputTag<Row> to(int stage) {
        return new OutputTag<>("stage-" + stage, Incoming.keyed());
    }

    /** What the main output holds: records for Kafka. */
    public static TypeInformation<byte[]> records() {
        return PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;
    }

    @Override
    public void processElement(Row row, Context context, Collector<byte[]> out) {
        byte[] bytes = (byte[]) row.getField(1);
        if ((Integer) row.getField(0) != ROWS) {
            for (byte[] record : Outgoing.cut(bytes)) {
                out.collect(record);
            }
            return;
        }
        Batch batch = new Batch(bytes);
        long[] order = new long[batch.rows]; // by stage and shard, which are below 2^11 and 2^10, then by row
        for (int i = 0; i < batch.rows; i++) {
            order[i] = (batch.word(i, Batch.STAGE) << 10 | batch.word(i, Batch.SHARD)) << 32 | i;
        }
        Arrays.sort(order);
        for (int from = 0, to; from < order.length; from = to) {
            int where = (int) (order[from] >> 32);
            for (to = from + 1; to < order.length && (int) (order[to] >> 32) == where; to++) {}
            int[] rows = new int[to - from];
            for (int i = from; i < to; i++) {
                rows[i - from] = (int) order[i];
            }
            context.output(to(where >> 10), shards.keyed(where & 1023, Batch.of(batch, rows, rows.length)));
        }
    }
}
