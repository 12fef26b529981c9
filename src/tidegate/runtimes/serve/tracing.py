"""What traces are told of a request: never what was in it but ids, outcomes and levels."""

from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Any

import msgspec

from tidegate.connectors.traces import Attribute, Attributes, Stages, Traces


class _Told(msgspec.Struct):
    """What is read of a decision or a problem."""

    id: str = ""
    outcome: str = ""
    level: str | None = None
    repeated: bool = False
    code: str = ""


_READ = msgspec.json.Decoder(_Told)


def tell(
    traces: Traces, scope: Mapping[str, Any], answer: tuple[int, Sequence[tuple[bytes, bytes]], object], took: int
) -> None:
    """Tell of a request that was answered just now.

    Args:
        traces: are told.
        scope: of the request (ASGI).
        answer: its status, headers and body.
        took: nanoseconds.
    """
    status, headers, body = answer
    path: str = scope["path"]
    route = "/decisions/{id}" if path.startswith("/decisions/") else path if status not in (404, 405) else ""
    said: dict[str, Attribute] = {
        "http.request.method": scope["method"],
        "url.path": path,
        "http.response.status_code": status,
    }
    if route:
        said["http.route"] = route
    if isinstance(body, bytes) and (status >= 400 or path.startswith("/decisions") or path == "/events"):
        said |= _of_answer(body)
    ended = time_ns()
    parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    name = f"{scope['method']} {route}".rstrip()
    traces.request(name, ended - took, ended, parent.decode("latin-1"), said, _stages(headers), failed=status >= 500)


def _of_answer(body: bytes) -> Attributes:
    try:
        told = _READ.decode(body)
    except msgspec.DecodeError:  # a batch: an answer a line
        return {}
    found = {"id": told.id, "outcome": told.outcome, "level": told.level or "", "problem": told.code}
    said: dict[str, str | bool] = {f"tidegate.{name}": value for name, value in found.items() if value}
    return said | {"tidegate.repeated": True} if told.repeated else said


def _stages(headers: Sequence[tuple[bytes, bytes]]) -> Stages:
    """The stages that the header `Server-Timing` names: `wait;dur=0.1, decide;dur=0.2`, in milliseconds."""
    timing = next((value for name, value in headers if name == b"server-timing"), b"").decode("latin-1")
    parts = (part.strip().partition(";dur=") for part in timing.split(",") if part)
    return [(name, float(duration)) for name, _, duration in parts]
