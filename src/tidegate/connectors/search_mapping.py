"""How decisions lie in Elasticsearch and OpenSearch: the template of their indices."""

from datetime import UTC, datetime, timedelta
from typing import Any

_KEYWORD = {"type": "keyword", "normalizer": "lowercase", "ignore_above": 1024}
_MONTH = "%Y.%m"

VERSION = 2
"""The version of the template; one of the same or a later version that is there already is left as it is."""

META = {"made by": "tidegate"}
"""How a template of ours is known; any other is someone's own, and left as it is."""


def template(name: str, *, stream: bool) -> dict[str, Any]:
    """The index template.

    Fields of events are of one type by where they lie, texts in `words` and numbers in `numbers`, so that two events
    whose fields of one name differ in type never reject each other.

    Args:
        name: of the data stream, or what the monthly indices begin with.
        stream: whether it is a data stream.
    """
    own = ("id", "kind", "outcome", "level", "flow", "rule")
    mappings: dict[str, Any] = {
        "dynamic": False,
        "dynamic_templates": [
            {"words": {"path_match": "words.*", "mapping": _KEYWORD}},
            {"numbers": {"path_match": "numbers.*", "mapping": {"type": "double"}}},
        ],
        "properties": {
            **dict.fromkeys(own, _KEYWORD),
            "alarm": {"type": "boolean"},
            "score": {"type": "double"},
            "seq": {"type": "long"},
            "us": {"type": "long"},
            "at": {"type": "date"},
            "because": {"type": "keyword", "index": False, "doc_values": False},
            "text": {"type": "text", "analyzer": "whitespace"},
            "words": {"type": "object", "dynamic": True},
            "numbers": {"type": "object", "dynamic": True},
        },
    }
    made: dict[str, Any] = {
        "index_patterns": [name] if stream else months(name),
        "version": VERSION,
        "priority": 200,
        "template": {"mappings": mappings},
        "_meta": META,
    }
    if stream:
        mappings["properties"]["@timestamp"] = {"type": "date"}
        made["data_stream"] = {}
    return made


def months(name: str) -> list[str]:
    """Patterns of the names of monthly indices: not those of another index that begins alike, `NAME-eu-2026.11`."""
    return [f"{name}-{digit}*" for digit in range(1, 10)]


def month_of(us: int) -> str:
    """The month, UTC, that a time (microseconds since 1970) is in: what ends an index's name, such as `2026.11`."""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us):{_MONTH}}"
