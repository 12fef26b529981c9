"""Figures about a running server, in Prometheus' text form."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

MEDIA = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_EVENTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


class Histogram:
    """How often which values came.

    Args:
        bounds: upper bounds of the buckets, ascending.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_all(self, values: Iterable[float]) -> None:
        """Count many values: a bucket at a time, which is quicker than a value at a time."""
        ordered = sorted(values)
        self._sum += sum(ordered)
        done = 0
        for place, bound in enumerate(self._bounds):
            if done == len(ordered):
                return
            upto = bisect_right(ordered, bound, done)
            self._counts[place] += upto - done
            done = upto
        self._counts[-1] += len(ordered) - done

    def lines(self, name: str) -> Iterator[str]:
        """The samples of the histogram."""
        running = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            running += count
            yield f'{name}_bucket{{le="{"+Inf" if bound == float("inf") else f"{bound:g}"}"}} {running}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {running}"


class Metrics:
    """All figures of one server; they are counted by the one thread that answers."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.learned = self.repeated = self.store_failures = self.snapshots = 0
        self.seconds = Histogram(_SECONDS)
        self.events = Histogram(_EVENTS)
        self.keeping = Histogram(_SECONDS)
        self.gauges: dict[str, tuple[str, Callable[[], float | None]]] = {}
        """What each is of, and what gives it: None where it is not known, which is not told."""
        self.counts: dict[str, tuple[str, str, Counter[str]]] = {}
        """Counters with a label: what they count, the label, and by its values how many."""
        self.by_partition: dict[str, tuple[str, Callable[[], Mapping[tuple[str, int], float]]]] = {}
        """Gauges of topics and partitions."""
        self._histograms: dict[str, tuple[str, Histogram]] = {}

    def add(self, name: str, what: str) -> Histogram:
        """A histogram of seconds that is told beside the others."""
        made = Histogram(_SECONDS)
        self._histograms[name] = (what, made)
        return made

    def text(self) -> bytes:
        """Everything, to be scraped."""
        lines: list[str] = []

        def counted(name: str, what: str, samples: Iterable[tuple[str, float]]) -> None:
            lines.extend((f"# HELP {name} {what}", f"# TYPE {name} counter"))
            lines.extend(f"{name}{labels} {value:g}" for labels, value in samples)

        outcomes = [(f'{{outcome="{word}"}}', self.outcomes[word]) for word in ("approve", "review", "decline")]
        counted("tidegate_decisions_total", "Decisions made, by outcome.", outcomes)
        refusals = [(f'{{code="{code}"}}', number) for code, number in sorted(self.refusals.items())]
        counted("tidegate_refusals_total", "Events and requests that were not taken, by problem.", refusals)
        for name, what, number in (
            ("learned", "Events learned from without a decision.", self.learned),
            ("repeated", "Events that came again: they got their first answer, or were erased since.", self.repeated),
            ("store_failures", "How often the store could not keep a batch, or be reached.", self.store_failures),
            ("snapshots", "Snapshots of the state that were written.", self.snapshots),
        ):
            counted(f"tidegate_{name}_total", what, [("", number)])
        for name, what, histogram in (
            ("request_seconds", "From an event's arrival to its answer.", self.seconds),
            ("batch_events", "Events decided together.", self.events),
            ("keep_seconds", "From a batch's decision to its being on the disk.", self.keeping),
            *((name, what, histogram) for name, (what, histogram) in self._histograms.items()),
        ):
            lines.extend((f"# HELP tidegate_{name} {what}", f"# TYPE tidegate_{name} histogram"))
            lines.extend(histogram.lines(f"tidegate_{name}"))
        for name, (what, label, numbers) in self.counts.items():
            samples = [(f'{{{label}="{one}"}}', number) for one, number in sorted(numbers.items())]
            counted(f"tidegate_{name}_total", what, samples)
        for name, (what, values) in self.by_partition.items():
            lines.extend((f"# HELP tidegate_{name} {what}", f"# TYPE tidegate_{name} gauge"))
            for (topic, partition), measured in values().items():
                lines.append(f'tidegate_{name}{{topic="{topic}",partition="{partition}"}} {measured:.6g}')
        for name, (what, value) in self.gauges.items():
            if (known := value()) is not None:
                lines.extend((f"# HELP tidegate_{name} {what}", f"# TYPE tidegate_{name} gauge"))
                lines.append(f"tidegate_{name} {known:.6g}")
        return ("\n".join(lines) + "\n").encode()
