"""Logs: what is told while something runs for long, for people or, as lines of JSON, for what collects them."""

import json
import logging
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option("--log-format", envvar="TIDEGATE_LOG_FORMAT", help="Logs as text, or a line of JSON each."),
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


def write_logs(form: str, *, verbose: bool = False) -> None:
    """Write logs to stderr from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level="INFO" if verbose else "WARNING", force=True)
    # No warning, and yet what whoever watches a stream waits for.
    logging.getLogger("tidegate.kafka.group").setLevel("INFO")
    # Clients of search servers warn of each request that fails; what it means is told by us, once.
    logging.getLogger("elastic_transport").setLevel("ERROR")
    logging.getLogger("opensearch").setLevel("CRITICAL")
