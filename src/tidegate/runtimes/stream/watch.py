"""What watches over what the brokers are asked for, in a thread of its own.

Every call of the client that takes a limit of time is given one, after which it is told and done otherwise. Some take
none (beginning a transaction, leaving a group), and one does not keep it (sending offsets). Should one of these not
come back, this is what tells of it, and in the end ends the process: by then another instance may decide, and nothing
is lost.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from tidegate.connectors.kafka.cluster import Cluster

_LOG = logging.getLogger("tidegate.stream")
TELL = 30.0
"""Seconds without an answer after which it is told, and told again."""
END = 180.0
"""Seconds without an answer after which the process ends: longer than any call takes that keeps its limit."""
_LOOK = 1.0


class Watch:
    """Watches while a block runs: `with Watch(cluster, end):`.

    Args:
        cluster: whose brokers are asked.
        end: ends the process; None if that is not wanted, as within another program.
    """

    def __init__(self, cluster: Cluster, end: Callable[[], None] | None) -> None:
        self._cluster, self._end = cluster, end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="tidegate-watch")

    @property
    def seconds(self) -> float:
        """For how long the brokers have not answered: since they were asked for what they are asked for now, or since
        they first did not answer in time, whichever is longer ago; 0 while neither is so."""
        asked, silent = self._cluster.asked, self._cluster.silent
        since = [one for one in (None if asked is None else asked[1], silent) if one is not None]
        return monotonic() - min(since) if since else 0.0

    def _work(self) -> None:
        told: tuple[tuple[str, float] | None, int] = None, 0
        while not self._stop.wait(_LOOK):
            asked = self._cluster.asked
            if asked is None:
                continue
            waited = monotonic() - asked[1]
            times = int(waited / TELL)
            if times and told != (asked, times):
                told = asked, times
                _LOG.error(
                    "%s has not come to an end for %.0f s: the brokers at %s do not answer. See whether they are well "
                    "and have room on their disks; what is not committed is decided again.",
                    asked[0][0].upper() + asked[0][1:], waited, self._cluster.servers,
                )  # fmt: skip
            if waited > END and self._end is not None:
                _LOG.critical("The client does not come back: this process ends. Start it again; nothing is lost.")
                self._end()
                return

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
