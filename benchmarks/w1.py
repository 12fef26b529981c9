"""W1, the reference workload of windowed features: ours beside plain Python, in one run, and equal to DuckDB's answers.

    python -m benchmarks.w1 [--events 1000000] [--seed 7] [--check] [--plain-events 100000]

The workload and its reference live in `bench/w1.py` of the folder that TIDEGATE_SHARED names (default `../shared`).
Plain Python takes rows whose columns are ready, as Python numbers, and gives 34 columns. What is fairly held against it
goes from columns to columns, too: the windows alone, whose cells are ready as well, and the replay of a frame, which
also reads and checks it, looks for repeated ids and decides; those are W1 in batches. W1 with one event a call is the
windows again, from Python numbers to Python numbers as in plain Python. The engine's lines do more: an event is checked
against its contract and remembered by its id, and the answer is a `Decision`, or JSON from JSON.

Plain Python is timed on the same events; with `--plain-events` on the first of them only, which flatters it, because
its windows are still filling. Memory is the peak of a process of its own that takes all events and nothing else.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import numpy as np

from tidegate.features.plan import MISSING, StreamPlan, WindowPlan
from tidegate.features.windows import Windows

SHARED = Path(os.environ.get("TIDEGATE_SHARED", Path(__file__).parents[2] / "shared"))
AT, CARD, MERCHANT, AMOUNT, DECLINED = range(5)
BATCH = 8192
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
CARD_WINDOWS = {"1m": MINUTE, "10m": 10 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY}
MERCHANT_WINDOWS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY}


def workload() -> ModuleType:
    """The shared module that makes W1 and its truth."""
    spec = importlib.util.spec_from_file_location("w1_shared", SHARED / "bench" / "w1.py")
    if spec is None or spec.loader is None or not (SHARED / "bench" / "w1.py").exists():
        sys.exit(f"No bench/w1.py under {SHARED}: set TIDEGATE_SHARED.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plan() -> tuple[list[StreamPlan], dict[str, tuple[int, bool, float]]]:
    """The streams, and for each column of the truth its cell column, whether it is a float, and its unit in cells."""
    columns: dict[str, tuple[int, bool, float]] = {}

    def window(name: str, aggregate: str, key: int, last: int, value: int = -1, unit: float = 1.0) -> WindowPlan:
        out = 5 + len(columns)
        columns[name] = (out, aggregate in ("mean", "std", "share"), unit)
        return WindowPlan(aggregate, read_key=key, out=out, last=last, value=value, bound=5_000_000)

    card, merchant = [], []
    for name, span in CARD_WINDOWS.items():
        for label, aggregate in (("sum", "total"), ("mean", "mean"), ("max", "maximum"), ("std", "std")):
            card.append(window(f"card_{label}_{name}", aggregate, CARD, span, AMOUNT))
        card.append(window(f"card_count_{name}", "count", CARD, span))
    card.append(window("card_merchants_24h", "distinct", CARD, DAY, MERCHANT))
    card.append(window("card_since_ms", "since_last", CARD, 400 * DAY, unit=1000.0))
    for name, span in MERCHANT_WINDOWS.items():
        merchant.append(window(f"merchant_count_{name}", "count", MERCHANT, span))
        merchant.append(window(f"merchant_sum_{name}", "total", MERCHANT, span, AMOUNT))
    merchant.append(window("merchant_declined_24h", "share", MERCHANT, DAY, DECLINED))
    return [StreamPlan(0, CARD, tuple(card)), StreamPlan(0, MERCHANT, tuple(merchant))], columns


def inputs(path: Path) -> np.ndarray:
    """The events' cells, one row for each column of the plan."""
    import polars as pl

    events = pl.read_parquet(path)
    names = {AT: "at_ms", CARD: "card", MERCHANT: "merchant", AMOUNT: "amount_cents", DECLINED: "declined"}
    cells = np.stack([events[name].cast(pl.Int64).to_numpy() for name in names.values()])
    cells[AT] *= 1000
    return cells


def take(windows: Windows, given: np.ndarray, batch: int, width: int, found: np.ndarray | None = None) -> float:
    """Seconds to take all events in batches of so many, copying them in; answers go to `found`."""
    cells = np.zeros((width, batch), np.int64)
    kinds, flags = np.zeros(batch, np.int64), np.full(batch, 3, np.int64)
    spent = 0.0
    for start in range(0, given.shape[1], batch):
        n = min(batch, given.shape[1] - start)
        begun = time.perf_counter()
        cells[:5, :n] = given[:, start : start + n]
        windows.run(cells, kinds, flags, n)
        spent += time.perf_counter() - begun
        if found is not None:
            found[:, start : start + n] = cells[5:, :n]
    return spent


def one_by_one(windows: Windows, given: np.ndarray, width: int) -> tuple[float, np.ndarray]:
    """Seconds to take all events one a call, from Python numbers to Python numbers, and the nanoseconds of each.

    Each answer's cell is read both as a whole number and as a float, since it is one or the other by its column.
    """
    cells, kinds, flags = np.zeros((width, 1), np.int64), np.zeros(1, np.int64), np.full(1, 3, np.int64)
    flat, run, clock = cells.reshape(-1), windows.run, time.perf_counter_ns
    put, wholes, floats = flat.data, flat[5:].tolist, flat.view(np.float64)[5:].tolist
    each = np.zeros(given.shape[1], np.int64)
    begun = clock()
    for i, (at, card, merchant, amount, declined) in enumerate(
        zip(*(column.tolist() for column in given), strict=True)
    ):
        put[0], put[1], put[2], put[3], put[4] = at, card, merchant, amount, declined
        run(cells, kinds, flags, 1)
        wholes(), floats()
        each[i] = -begun + (begun := clock())
    return each.sum() / 1e9, each


def wrong(found: np.ndarray, truth: Path, columns: dict[str, tuple[int, bool, float]]) -> dict[str, int]:
    """How many events have a cell other than the truth's, for each column that has any."""
    import polars as pl

    expected = pl.read_parquet(truth)
    failed = {}
    for name, (out, is_float, unit) in columns.items():
        cell = found[out - 5]
        right = expected[name].cast(pl.Float64).to_numpy()
        ours = cell.view(np.float64) if is_float else np.where(cell == MISSING, np.nan, cell / unit)
        close = np.isclose(ours, right, rtol=1e-9 if is_float else 0, atol=0, equal_nan=True)
        if is_float:
            # DuckDB's deviation of equal values is not always 0.
            close |= (ours == 0) & (np.abs(right) < 1e-3)
        if not close.all():
            failed[name] = int((~close).sum())
    return failed


def measure_memory(events: Path) -> None:
    """Print the peak resident megabytes of this process after all events, and those that the windows hold."""
    streams, columns = plan()
    windows = Windows(streams, lateness=DAY)
    with events.open("rb") as file:
        # By hand, so that no reader's memory is counted as ours.
        while (given := np.fromfile(file, np.int64, 5 * BATCH)).size:
            take(windows, np.ascontiguousarray(given.reshape(-1, 5).T), BATCH, 5 + len(columns))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, peak = (int(status[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    print(now, peak, windows.memory() // 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--plain-events", type=int, default=0, help="time plain Python on only so many")
    parser.add_argument("--check", action="store_true", help="compare every answer with DuckDB's (a minute)")
    parser.add_argument("--folder", type=Path, help="keep the events and the truth here for the next run")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs: no target is held")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        measure_memory(args.memory_of)
        return
    # Only here: they are not part of the memory that is measured.
    import polars as pl

    from benchmarks import w1_callers
    from benchmarks.targets import Targets

    w1 = workload()
    folder = args.folder or Path(tempfile.mkdtemp())
    events = folder / f"w1-{args.events}-{args.seed}.parquet"
    if not events.exists():
        w1.make(args.events, args.seed).write_parquet(events)
    streams, columns = plan()
    width, given = 5 + len(columns), inputs(events)
    begun = time.perf_counter()
    Windows(streams, lateness=DAY).warm()
    print(f"kernels ready in {time.perf_counter() - begun:.2f} s")
    many = given.shape[1]
    batches = many / min(take(Windows(streams, lateness=DAY), given, BATCH, width) for _ in range(3))
    spent, each = one_by_one(Windows(streams, lateness=DAY), given, width)
    sample = pl.read_parquet(events)
    if args.plain_events:
        sample = sample.head(args.plain_events)
    plain = sample.height / w1.plain(sample)
    print(f"{'':32}{'events/s':>12}{'ratio':>8}")
    print(f"{'plain Python':32}{plain:12,.0f}{1:8.1f}")
    rates = {
        f"windows, batches of {BATCH}": batches,
        "replay of a frame": many / w1_callers.replayed(pl.read_parquet(events)),
        "Engine.decide_many": many / w1_callers.seconds(w1_callers.many, pl.read_parquet(events)),
        "Engine.decide_json_many": many / w1_callers.seconds(w1_callers.many_documents, pl.read_parquet(events)),
        "windows, one event a call": many / spent,
        "Engine.decide, one event a call": many / w1_callers.seconds(w1_callers.each, pl.read_parquet(events)),
    }
    for name, rate in rates.items():
        print(f"{name:32}{rate:12,.0f}{rate / plain:8.1f}")
    tail = np.percentile(each, [50, 99, 99.9]) / 1000
    print(
        "one event a call, microseconds: "
        + ", ".join(f"{p} {t:.1f}" for p, t in zip(("p50", "p99", "p99.9"), tail, strict=True))
    )
    flat = folder / "w1-cells.bin"
    np.ascontiguousarray(given.T).tofile(flat)
    command = [sys.executable, __file__, "--memory-of", str(flat)]
    now, peak, held = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    flat.unlink()
    print(f"memory after all events: {now} MB resident (peak {peak}), of which the windows hold {held}")
    targets = Targets(held=not args.tiny)
    targets.ratio(f"windows, batches of {BATCH}, against plain Python", batches / plain, least=18)
    targets.ratio("windows, one event a call, against plain Python", many / spent / plain, least=8)
    if args.check:
        truth = folder / f"w1-{args.events}-{args.seed}-truth.parquet"
        if not truth.exists():
            w1.truth(str(events), str(truth))
        found = np.zeros((len(columns), many), np.int64)
        take(Windows(streams, lateness=DAY), given, 1000, width, found)
        failed = wrong(found, truth, columns)
        print(
            f"{len(columns) - len(failed)} of {len(columns)} columns equal to DuckDB's"
            + (f"; wrong: {failed}" if failed else "")
        )
        if failed:
            sys.exit(1)
    targets.end()


if __name__ == "__main__":
    main()
