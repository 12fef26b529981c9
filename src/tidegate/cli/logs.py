"""Logs: what is told while something runs for long, for people or, as lines of JSON, for what collects them."""

import io
import json
import logging
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from tidegate.errors import TidegateError

LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option(
        "--log-format", envvar="TIDEGATE_LOG_FORMAT", help="Logs as text, or all that is said as lines of JSON."
    ),
]


class JsonLines(logging.Formatter):
    """A record as one line of JSON: `at`, `level`, `logger`, `message`, and `error` with the traceback if there is one.

    What is JSON already, as the access log is, keeps its fields.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = record.getMessage()
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name == "tidegate.access":
            return json.dumps(line | json.loads(said))
        line["message"] = said
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Text(logging.Formatter):
    """A record as text; what is JSON already, as the access log is, stays that."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return record.getMessage() if record.name == "tidegate.access" else super().format(record)


class SaidLines(io.StringIO):
    """What is said to people, where logs are lines of JSON: each text that is written is such a line too."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler

    def write(self, text: str, /) -> int:
        """Say it, whatever level logs have: it is what the command has to say."""
        if said := text.strip():
            self._say(logging.INFO, said)
        return len(text)

    def mistake(self, error: TidegateError) -> None:
        """Say a user's mistake, its place too where it is one in a flow's file."""
        file, line = getattr(error, "file", ""), getattr(error, "line", 0)
        self._say(logging.ERROR, f"{error} ({file}:{line})" if file and line else str(error))

    def _say(self, level: int, said: str) -> None:
        self._handler.handle(logging.LogRecord("tidegate.cli", level, __file__, 0, said, None, None))


def said_lines() -> SaidLines | None:
    """Where to say what is not a log; None unless logs are lines of JSON."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, JsonLines):
            return SaidLines(handler)
    return None


def write_logs(form: str, *, verbose: bool = False) -> None:
    """Write logs to stderr from now on; as JSON, all else that is said there too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level="INFO" if verbose else "WARNING", force=True)
    # No warning, and yet what whoever watches a stream waits for.
    logging.getLogger("tidegate.kafka.group").setLevel("INFO")
    # Clients of search servers warn of each request that fails, and PostgreSQL's of each time that a pool was refused
    # a connection, several times a second; what it means is told by us, once.
    logging.getLogger("elastic_transport").setLevel("ERROR")
    logging.getLogger("opensearch").setLevel("CRITICAL")
    logging.getLogger("psycopg.pool").setLevel("ERROR")
