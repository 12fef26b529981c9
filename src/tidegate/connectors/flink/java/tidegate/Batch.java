package tidegate;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Rows as bytes, as tidegate.runtimes.stages.rows packs them: count, width, words, ends of payloads, payloads. */
final class Batch {
    static final int AT = 0, SOURCE = 1, OFFSET = 2, KIND = 3, FLAGS = 4, STAGE = 5, SHARD = 6, HEAD = 7;
    static final long MISSING = Long.MIN_VALUE;
    static final long AHEAD = 128; // of its FLAGS: ahead of the clock when it was read

    final byte[] bytes;
    final ByteBuffer view;
    final int rows;
    final int width;

    Batch(byte[] bytes) {
        this.bytes = bytes;
        view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        rows = (int) view.getLong(0);
        width = (int) view.getLong(8);
    }

    long word(int row, int place) {
        return view.getLong(16 + 8 * (row * width + place));
    }

    void put(int row, int place, long value) {
        view.putLong(16 + 8 * (row * width + place), value);
    }

    /** Whether the time of a single row is one that may be waited for, and moves the watermark. */
    boolean timely() {
        return word(0, AT) != MISSING && (word(0, FLAGS) & AHEAD) == 0;
    }

    private int end(int row) {
        return row < 0 ? 0 : (int) view.getLong(16 + 8 * (rows * width + row));
    }

    private int payloads() {
        return 16 + 8 * rows * (width + 1);
    }

    int payloadStart(int row) {
        return payloads() + end(row - 1);
    }

    int payloadSize(int row) {
        return end(row) - end(row - 1);
    }

    /** One row, of a head alone. */
    static byte[] single(long[] head, byte[] payload) {
        ByteBuffer made = ByteBuffer.allocate(16 + 8 * (HEAD + 1) + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        made.putLong(1).putLong(HEAD);
        for (long word : head) {
            made.putLong(word);
        }
        return made.putLong(payload.length).put(payload).array();
    }

    /** Some rows of some batches, in this order. */
    static byte[] of(Batch[] from, int[] row, int count) {
        int width = count == 0 ? HEAD : from[0].width, payload = 0;
        for (int i = 0; i < count; i++) {
            payload += from[i].payloadSize(row[i]);
        }
        byte[] made = new byte[16 + 8 * count * (width + 1) + payload];
        ByteBuffer out = ByteBuffer.wrap(made).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(count).putLong(width);
        for (int i = 0; i < count; i++) {
            out.put(from[i].bytes, 16 + 8 * row[i] * width, 8 * width);
        }
        long end = 0;
        for (int i = 0; i < count; i++) {
            end += from[i].payloadSize(row[i]);
            out.putLong(end);
        }
        for (int i = 0; i < count; i++) {
            out.put(from[i].bytes, from[i].payloadStart(row[i]), from[i].payloadSize(row[i]));
        }
        return made;
    }

    /** The first of these rows of a batch. */
    static byte[] of(Batch batch, int[] rows, int count) {
        Batch[] each = new Batch[count];
        Arrays.fill(each, batch);
        return of(each, rows, count);
    }
}
