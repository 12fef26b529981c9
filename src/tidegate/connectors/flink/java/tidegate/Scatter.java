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
        Integer[] order = new Integer[batch.rows];
        long[] target = new long[batch.rows];
        for (int i = 0; i < batch.rows; i++) {
            order[i] = i;
            target[i] = batch.word(i, Batch.STAGE) << 32 | batch.word(i, Batch.SHARD);
        }
        Arrays.sort(order, (a, b) -> Long.compare(target[a], target[b]));
        for (int from = 0, to; from < order.length; from = to) {
            long where = target[order[from]];
            for (to = from + 1; to < order.length && target[order[to]] == where; to++) {}
            byte[] some = Batch.of(batch, order, from, to);
            context.output(to((int) (where >> 32)), shards.keyed((int) where, some));
        }
    }
}
