package tidegate;

import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.types.Row;

/**
 * Runs a {@link Gather}, and keeps it to itself when what comes before is idle.
 *
 * <p>Behind it a stage may still be busy with rows that it was given, and that those who hear of idleness would no longer
 * wait for: a watermark from elsewhere would overtake them.
 */
public final class Gathering extends KeyedProcessOperator<Row, Row, Row> {
    private static final long serialVersionUID = 1;

    public Gathering(Gather gather) {
        super(gather);
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) {}

    /** Of a source that is idle when its input ends Flink passes on no last watermark: what still waits is due here. */
    @Override
    public void finish() throws Exception {
        processWatermark(Watermark.MAX_WATERMARK);
        super.finish();
    }
}
