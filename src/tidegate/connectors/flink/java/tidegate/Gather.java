package tidegate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/**
 * Gathers what comes for a shard until the watermark has passed it, and gives it out in order as one batch.
 *
 * <p>At the intake, what comes behind the watermark is marked as late; later on nothing may.
 */
public final class Gather extends KeyedProcessFunction<Row, Row, Row> {
    private static final long serialVersionUID = 1;
    private static final long LATE = 16;

    private final boolean intake;
    private transient ListState<byte[]> waiting;

    public Gather(boolean intake) {
        this.intake = intake;
    }

    @Override
    public void open(OpenContext context) {
        waiting = getRuntimeContext()
                .getListState(new ListStateDescriptor<>(
                        "waiting", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    }

    private static boolean due(Batch batch, int row, long watermark) {
        long at = batch.word(row, Batch.AT);
        return at == Batch.MISSING || Math.floorDiv(at, 1000L) <= watermark;
    }

    @Override
    public void processElement(Row row, Context context, Collector<Row> out) throws Exception {
        Batch batch = new Batch((byte[]) row.getField(1));
        long watermark = context.timerService().currentWatermark();
        for (int i = 0; i < batch.rows; i++) {
            if (batch.word(i, Batch.AT) != Batch.MISSING && due(batch, i, watermark)) {
                if (!intake) {
                    throw new IllegalStateException("A row of time " + batch.word(i, Batch.AT)
                            + " came to stage " + batch.word(i, Batch.STAGE) + " behind the watermark " + watermark);
                }
                batch.put(i, Batch.FLAGS, batch.word(i, Batch.FLAGS) | LATE);
            }
        }
        waiting.add(batch.bytes);
        if (watermark < Long.MAX_VALUE) {
            context.timerService().registerEventTimeTimer(watermark + 1);
        } else {
            release(watermark, row.getField(0), out);
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Row> out) throws Exception {
        long watermark = context.timerService().currentWatermark();
        if (release(watermark, context.getCurrentKey().getField(0), out)) {
            context.timerService().registerEventTimeTimer(watermark + 1);
        }
    }

    /** Give out what is due; whether something is still waiting. */
    private boolean release(long watermark, Object key, Collector<Row> out) throws Exception {
        List<byte[]> left = new ArrayList<>();
        List<Batch> from = new ArrayList<>();
        List<long[]> order = new ArrayList<>();
        boolean changed = false;
        for (byte[] bytes : waiting.get()) {
            Batch batch = new Batch(bytes);
            int[] kept = new int[batch.rows];
            int keeping = 0;
            int place = from.size();
            for (int i = 0; i < batch.rows; i++) {
                if (due(batch, i, watermark)) {
                    order.add(new long[] {
                        batch.word(i, Batch.AT), batch.word(i, Batch.SOURCE), batch.word(i, Batch.OFFSET), place, i
                    });
                } else {
                    kept[keeping++] = i;
                }
            }
            if (keeping < batch.rows) {
                from.add(batch);
                changed = true;
                if (keeping > 0) {
                    left.add(Batch.of(batch, kept, keeping));
                }
            } else {
                left.add(bytes);
            }
        }
        if (changed) {
            waiting.update(left);
        }
        if (!order.isEmpty()) {
            long[][] sorted = order.toArray(new long[0][]);
            Arrays.sort(sorted, Gather::compare); // quick where they are in order already, as they mostly are
            Batch[] batches = new Batch[sorted.length];
            int[] rows = new int[sorted.length];
            for (int i = 0; i < sorted.length; i++) {
                batches[i] = from.get((int) sorted[i][3]);
                rows[i] = (int) sorted[i][4];
            }
            out.collect(Row.of(key, Batch.of(batches, rows, rows.length)));
        }
        return !left.isEmpty();
    }

    private static int compare(long[] a, long[] b) {
        for (int i = 0; i < 3; i++) {
            int compared = Long.compare(a[i], b[i]);
            if (compared != 0) {
                return compared;
            }
        }
        return 0;
    }
}
