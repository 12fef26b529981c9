"""What the Kafka client says while brokers are away: it says it again and again, and is let through now and then."""

import logging
import re
from time import monotonic

SILENCE = 30.0
"""Seconds for which what was said is not said again."""
_NUMBERS = re.compile(r"\d+")
_MOST = 1000


class Seldom(logging.Filter):
    """Lets through what was not said lately, numbers aside, with how often it was said meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is let through."""
        text = record.getMessage()
        kind, now = _NUMBERS.sub("#", text), monotonic()
        at, again = self._said.get(kind, (-SILENCE, 0))
        if now - at < SILENCE:
            self._said[kind] = (at, again + 1)
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[kind] = (now, 0)
        if again:
            record.msg, record.args = f"{text} (and {again:,} times more since it was last said)", ()
        return True


CLIENT = logging.getLogger("tidegate.kafka.client")
"""For what librdkafka says."""
CLIENT.addFilter(Seldom())
