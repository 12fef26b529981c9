package tidegate;

import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.types.Row;

/**
 * Watermarks by a strategy that hears of events with a time alone.
 *
 * <p>What has none moves no watermark, and does not keep its partition from being idle: where nothing else comes, all
 * others would wait for a time that it never brings.
 */
public final class Marks implements WatermarkStrategy<Row> {
    private static final long serialVersionUID = 1;
    static final long NONE = Long.MIN_VALUE;

    private final WatermarkStrategy<Row> strategy;

    public Marks(WatermarkStrategy<Row> strategy) {
        this.strategy = strategy;
    }

    @Override
    public TimestampAssigner<Row> createTimestampAssigner(TimestampAssignerSupplier.Context context) {
        return strategy.createTimestampAssigner(context);
    }

    @Override
    public WatermarkGenerator<Row> createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        WatermarkGenerator<Row> generator = strategy.createWatermarkGenerator(context);
        return new WatermarkGenerator<>() {
            @Override
            public void onEvent(Row row, long time, WatermarkOutput out) {
                if (time != NONE) {
                    generator.onEvent(row, time, out);
                }
            }

            @Override
            public void onPeriodicEmit(WatermarkOutput out) {
                generator.onPeriodicEmit(out);
            }
        };
    }
}
