"""The description of a server's addresses: OpenAPI 3.1, made from the contracts of the flow's events."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tidegate.decisions.decision import Decision
from tidegate.events.event import Event
from tidegate.events.json_schema import DIALECT, json_schema
from tidegate.runtimes.engine import Learned
from tidegate.runtimes.serve.example import example
from tidegate.runtimes.serve.problem import TITLES

JSON, NDJSON, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"
_SCHEMAS = "#/components/schemas/"

_PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "Where the kind of problem is told about."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(TITLES)},
        "detail": {"type": "string", "description": "What is wrong, what was seen, what to send instead."},
        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) of the field at fault."},
        "id": {"type": "string", "description": "The event's, where it is known."},
        "line": {"type": "integer", "description": "The line of the body, from 1, where it has many."},
    },
    "required": ["type", "title", "status", "code"],
}

_TIMING = {
    "type": "object",
    "description": "Microseconds: waiting for a turn, deciding the batch, putting it on the disk (not told later).",
    "properties": {name: {"type": "number"} for name in ("wait", "decide", "keep")},
}


def _problems(*codes: str) -> dict[str, Any]:
    """The responses of these kinds of problem, by status."""
    found: dict[str, list[str]] = {}
    for code in codes:
        status, title = TITLES[code]
        found.setdefault(str(status), []).append(f"`{code}`: {title}")
    content = {PROBLEM: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    return {status: {"description": "\n\n".join(told), "content": content} for status, told in sorted(found.items())}


def _take(summary: str, kinds: list[str], answer: list[str], sample: Any) -> dict[str, Any]:
    """An operation that takes events: one as JSON, many as NDJSON."""
    event = (
        {"oneOf": [{"$ref": f"{_SCHEMAS}{name}"} for name in kinds]}
        if len(kinds) > 1
        else {"$ref": f"{_SCHEMAS}{kinds[0]}"}
    )
    told = {"anyOf": [{"$ref": f"{_SCHEMAS}{name}"} for name in answer]}
    lines = {
        "type": "string",
        "description": "One JSON document a line; an answer or a problem document for each, in order.",
    }
    problems = _problems(
        "malformed", "query", "unauthorized", "slow", "id-reused", "only-learned", "erased", "too-large", "media-type",
        "misdirected", "contract", "before-retention", "future", "busy", "starting", "draining", "store", "fault",
    )  # fmt: skip
    return {
        "summary": summary,
        "parameters": [
            {
                "name": "event",
                "in": "query",
                "description": "The type of the events; the one that the flow decides on unless told.",
                "schema": {"type": "string", "enum": kinds, "default": kinds[0]},
            },
            {
                "name": "version",
                "in": "query",
                "description": "The version of the contract that they are written to; the newest unless told.",
                "schema": {"type": "integer", "minimum": 1},
            },
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": event, "example": sample}, NDJSON: {"schema": lines}},
        },
        "responses": {
            "200": {
                "description": "The answer; on the disk before it was sent.",
                "headers": {
                    "Server-Timing": {"schema": {"type": "string"}, "description": "The same as `timing`, in ms."}
                },
                "content": {JSON: {"schema": told}, NDJSON: {"schema": lines}},
            },
            **problems,
        },
    }


def _plain(summary: str, media: str, *problems: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {media: {"schema": {"type": "string"} if "json" not in media else {}}}}
    return {"get": {"summary": summary, "responses": {"200": answer, **_problems(*problems)}}}


def openapi(flow: str, purpose: str, version: str, kinds: Mapping[str, type[Event]], *, keys: bool) -> dict[str, Any]:
    """The document.

    Args:
        flow: its name.
        purpose: what it is for.
        version: of the flow, as decisions tell it.
        kinds: every event type that is taken, by name; the one decided on first.
        keys: whether an API key is needed.
    """
    answers, parts = msgspec.json.schema_components((Decision, Learned), ref_template=_SCHEMAS + "{name}")
    del answers
    parts["Decision"]["properties"]["timing"] = _TIMING
    schemas: dict[str, Any] = {**parts, "Problem": _PROBLEM}
    for name, kind in kinds.items():
        schema = json_schema(kind)
        del schema["$schema"]
        schemas[name] = schema
    names = list(kinds)
    sample = msgspec.json.decode(example(kinds[names[0]]))
    decision = {"description": "The decision.", "content": {JSON: {"schema": {"$ref": f"{_SCHEMAS}Decision"}}}}
    get = {
        "summary": "The first answer to an event, by the event's id.",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": decision,
            **_problems("unauthorized", "no-decision", "erased", "touched", "starting", "store"),
        },
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": f"{flow}: decisions by Tidegate",
            "version": version,
            "description": " ".join(purpose.split()),
        },
        "paths": {
            "/decisions": {
                "post": _take("Decide on events, then learn from them.", names, ["Decision", "Learned"], sample)
            },
            "/decisions/{id}": {"get": get},
            "/events": {"post": _take("Learn from events without deciding on them.", names, ["Learned"], sample)},
            "/health": _plain("Whether the process is alive.", JSON),
            "/ready": _plain("Whether events are taken.", JSON, "starting", "draining", "store"),
            "/metrics": _plain("Figures for Prometheus.", "text/plain", "unauthorized"),
            "/openapi.json": _plain("This document.", JSON, "unauthorized"),
            "/docs": _plain("The same for people.", "text/html", "unauthorized"),
        },
        "components": {"schemas": schemas},
    }
    if keys:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document
