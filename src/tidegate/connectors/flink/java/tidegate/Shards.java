package tidegate;

import java.io.Serializable;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.types.Row;

/** For each shard a key that Flink puts into the key group of the same number, so that shards are spread evenly. */
public final class Shards implements Serializable {
    private static final long serialVersionUID = 1;
    private final int[] keys;

    public Shards(int count) {
        keys = new int[count];
        boolean[] found = new boolean[count];
        for (int key = 0, left = count; left > 0; key++) {
            int group = KeyGroupRangeAssignment.assignToKeyGroup(Row.of(key), count);
            if (!found[group]) {
                found[group] = true;
                keys[group] = key;
                left--;
            }
        }
    }

    int count() {
        return keys.length;
    }

    Row keyed(int shard, byte[] batch) {
        return Row.of(keys[shard], batch);
    }
}
