"""How far a stream is behind: told by the instance that decides, of what is there and not committed."""

from collections.abc import Mapping

from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.partition import Partition, Spot
from tidegate.runtimes.serve.metrics import Metrics


class Lag:
    """The lag of one stream, as far as this instance knows it.

    Args:
        inputs: that it reads.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs, self._decides = inputs, False

    @property
    def _measured(self) -> list[Partition]:
        """Partitions of which it is known how far they reach. None are while this instance stands by: it reads no
        further than whoever decides, who tells of what is left."""
        return [one for one in self._inputs.partitions if one.measured] if self._decides else []

    @property
    def messages(self) -> int | None:
        """How many wait; None before anything is known of it."""
        measured = self._measured
        return sum(one.lag for one in measured) if measured else None

    def tell(self, metrics: Metrics) -> None:
        """Have it told among other figures."""
        metrics.gauges["lag_messages"] = ("Messages that are there and not committed.", lambda: self.messages)
        metrics.gauges["lag_seconds"] = (
            "Since the oldest message that is there and not committed was written, at most; 0 when all are.",
            lambda: max((one.behind for one in self._measured), default=None),
        )
        metrics.by_partition["partition_lag_messages"] = (
            "Messages of a partition that are there and not committed.",
            lambda: {one.spot: float(one.lag) for one in self._measured},
        )

    def read(self, starts: Mapping[Spot, int]) -> None:
        """Read on from what is committed, as the one that decides."""
        self._inputs.assign(starts)
        self._inputs.measure()
        self._decides = True

    def go_back(self) -> None:
        """Read on from what is committed, later. What comes until then is not read, and counts."""
        self._inputs.assign(self._inputs.committed)
        if self._decides:
            self._inputs.measure()

    def stand_by(self) -> None:
        """Another instance decides now."""
        self._decides = False
