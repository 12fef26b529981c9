package tidegate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/**
 * Gathers what comes for a shard until the watermark has passed it, and gives it out in order in batches.
 *
 * <p>At the intake, what comes behind the watermark is marked as late; later on nothing may. What comes for the second
 * time from the same place of a topic, since a job of a changed flow reads the topics again, is marked as history; or left
 * out, if it is still waiting here.
 */
public final class Gather extends KeyedProcessFunction<Row, Row, Row> implements CheckpointedFunction {
    private static final long serialVersionUID = 1;
    private static final long LATE = 16;
    private static final long HISTORY = 32;
    private static final int MOST = 2048; // rows in one batch: all that a restart left waiting would fill the memory

    private final boolean intake;
    private final boolean rebuilding;
    private transient ListState<byte[]> waiting;
    private transient ListState<Long> passed;
    private transient long floor; // watermark of the last release, before a restart too: Flink's own begins anew
    private transient MapState<Long, Long> read;
    private transient ValueState<Long> released;

    /** Whether it is that of the intake; and, there, whether the topics are read once more. */
    public Gather(boolean intake, boolean rebuilding) {
        this.intake = intake;
        this.rebuilding = rebuilding;
    }

    @Override
    public void open(OpenContext context) {
        waiting = getRuntimeContext()
                .getListState(new ListStateDescriptor<>(
                        "waiting", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        if (intake) {
            read = getRuntimeContext().getMapState(new MapStateDescriptor<>("read", Types.LONG, Types.LONG));
            released = getRuntimeContext().getState(new ValueStateDescriptor<>("released", Types.LONG));
        }
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        passed = context.getOperatorStateStore()
                .getUnionListState(new ListStateDescriptor<>("passed", Types.LONG));
        floor = Long.MIN_VALUE;
        for (long one : passed.get()) {
            floor = Math.max(floor, one);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        passed.update(List.of(floor));
    }

    /** Whether the one row of a batch is to be taken; marks it as what it is. */
    private boolean taken(Batch batch, long watermark) throws Exception {
        long source = batch.word(0, Batch.SOURCE), offset = batch.word(0, Batch.OFFSET), flags = 0;
        long at = batch.word(0, Batch.AT);
        Long last = read.get(source);
        if (last == null || offset > last) {
            read.put(source, offset);
        } else if (rebuilding) {
            Long newest = released.value();
            if (at == Batch.MISSING || newest == null || at > newest) {
                return false; // refused before, or waiting here
            }
            flags = HISTORY;
            batch.put(0, Batch.FLAGS, batch.word(0, Batch.FLAGS) & ~Batch.AHEAD); // a clock let it in
        }
        if (batch.timely() && due(batch, 0, flags == HISTORY ? watermark : Math.max(watermark, floor))) {
            flags |= LATE;
        }
        batch.put(0, Batch.FLAGS, batch.word(0, Batch.FLAGS) | flags);
        return true;
    }

    private static boolean due(Batch batch, int row, long watermark) {
        long at = batch.word(row, Batch.AT);
        return at == Batch.MISSING || Math.floorDiv(at, 1000L) <= watermark;
    }

    @Override
    public void processElement(Row row, Context context, Collector<Row> out) throws Exception {
        Batch batch = new Batch((byte[]) row.getField(1));
        long watermark = context.timerService().currentWatermark();
        if (intake) {
            if (!taken(batch, watermark)) {
                return;
            }
            if (!batch.timely()) { // no watermark is one to wait for
                out.collect(Row.of(row.getField(0), batch.bytes));
                return;
            }
        } else {
            for (int i = 0; i < batch.rows; i++) {
                if (due(batch, i, watermark)) {
                    throw new IllegalStateException("A row of time " + batch.word(i, Batch.AT)
                            + " came to stage " + batch.word(i, Batch.STAGE) + " behind the watermark " + watermark);
                }
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
            floor = Math.max(floor, watermark);
            long[][] sorted = order.toArray(new long[0][]);
            Arrays.sort(sorted, Gather::compare); // quick where they are in order already, as they mostly are
            if (intake) {
                long newest = sorted[sorted.length - 1][0];
                Long before = released.value();
                released.update(before == null ? newest : Math.max(before, newest));
            }
            for (int start = 0; start < sorted.length; start += MOST) {
                int many = Math.min(MOST, sorted.length - start);
                Batch[] batches = new Batch[many];
                int[] rows = new int[many];
                for (int i = 0; i < many; i++) {
                    batches[i] = from.get((int) sorted[start + i][3]);
                    rows[i] = (int) sorted[start + i][4];
                }
                out.collect(Row.of(key, Batch.of(batches, rows, many)));
            }
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
