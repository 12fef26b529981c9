"""The ASGI application: which address does what, who may ask, and one way to answer."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter, time
from typing import Any

import msgspec

from tidegate.connectors.traces import Traces
from tidegate.decisions.decision import Decision
from tidegate.errors import ContractError, TidegateError
from tidegate.evidence.elapsed import timing
from tidegate.evidence.erasure import is_blank
from tidegate.evidence.proof import require_sealed
from tidegate.features.kernels.words import NEVER
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.serve.answering import Reply
from tidegate.runtimes.serve.body import GoneError, Receive, rest_of, said_length, too_large
from tidegate.runtimes.serve.keys import Keys
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import MEDIA as METRICS
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import MEDIA as PROBLEM
from tidegate.runtimes.serve.problem import Problem, any_fault, of_contract, of_store
from tidegate.runtimes.serve.reading import EventReading, Readings, events_taken
from tidegate.runtimes.serve.stream import MEDIA as NDJSON
from tidegate.runtimes.serve.stream import Answers, Stream
from tidegate.runtimes.serve.tracing import tell
from tidegate.runtimes.serve.turns import Turns

_LOG = logging.getLogger("tidegate.serve")
_ACCESS = logging.getLogger("tidegate.access")
_JSON = (b"content-type", b"application/json")
_LOCAL = (b"localhost", b"127.0.0.1", b"[::1]")
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))

Headers = list[tuple[bytes, bytes]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = Mapping[str, Any]
Answer = tuple[int, Headers, bytes | Answers]
Page = tuple[bytes, Callable[[], bytes]]


class Serving:
    """An engine that is ready, and what serves it."""

    def __init__(self, engine: Engine, turns: Turns, limits: Limits) -> None:
        self.engine, self.turns = engine, turns
        taken = [kind.__name__ for kind in events_taken(engine.definition)]
        self.readings = Readings(engine.readers, taken, limits.ahead, engine.require)
        self.plain = self.readings.of(b"")


class Application:
    """Answers requests. Until `serving` is set it is alive, but not ready.

    Args:
        limits: of the server.
        metrics: where everything is counted.
        pages: by address, the media type, and what gives the content.
        keys: who may ask; None lets everyone who asks this machine by its own name.
        access_log: log a line of JSON for each request.
        traces: are told of each request.
    """

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        pages: Mapping[str, Page],
        keys: Keys | None,
        *,
        access_log: bool = False,
        traces: Traces | None = None,
    ) -> None:
        self.limits, self.metrics, self.keys = limits, metrics, keys
        self.serving: Serving | None = None
        self.draining = False
        self.pages, self._access_log, self._traces = dict(pages), access_log, traces
        self._methods = {"/decisions": "POST", "/events": "POST"}
        self._methods |= dict.fromkeys(("/health", "/ready", "/metrics", *pages), "GET, HEAD")
        metrics.gauges["ready"] = ("1 when events are taken.", lambda: float(self._unready() is None))
        metrics.gauges["clock_lag_seconds"] = ("The wall clock's time less the newest event's.", self._lag)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = perf_counter()
        try:
            status, headers, body = await self._answer(scope, receive)
        except GoneError:
            return
        except Exception as error:
            status, headers, body = self.problem(error)
        if self._access_log:
            _log_access(scope, status, perf_counter() - began)
        if self._traces is not None:
            tell(self._traces, scope, (status, headers, body), round((perf_counter() - began) * 1e9))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})
            return
        for piece in body.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def problem(self, error: BaseException) -> tuple[int, Headers, bytes]:
        """The answer to a request that failed; of a fault of ours only the log tells more."""
        if isinstance(error, Problem):
            problem = error
        else:
            _LOG.error("A request could not be answered.", exc_info=error)
            problem = any_fault()
        self.metrics.refusals[problem.code] += 1
        return _refusal(problem)

    def ask(self, headers: Headers, body: bytes, reply: Reply, *, admitted: bool = False) -> None:
        """One event, of the type that is decided on, as a small JSON body that is whole: what comes most.

        Args:
            headers: of the request.
            body: of the request.
            reply: gets the answer.
            admitted: that these keys have let in these headers before.

        Raises:
            Problem: it is not taken.
        """
        began = perf_counter()
        if not admitted:
            self._admit(headers)
        serving = self.serving
        if serving is None:
            raise self._unready() or any_fault()
        try:
            event = serving.plain.read(body)
        except ContractError as error:
            raise of_contract(error, body) from None
        serving.turns.submit(event, False, began, reply)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path not in ("/health", "/ready"):
            self._admit(scope["headers"])
        if method == "POST":
            if path == "/decisions":
                return await self._take(scope, receive, False)
            if path == "/events":
                return await self._take(scope, receive, True)
        elif method in ("GET", "HEAD"):
            if path.startswith("/decisions/") and len(path) > 11:
                return await self._decision(path[11:])
            if path in self.pages:
                media, content = self.pages[path]
                return _page(200, media, content())
            if path == "/health":
                return _page(200, b"application/json", b'{"status":"alive"}')
            if path == "/ready":
                return self._ready()
            if path == "/metrics":
                return _page(200, METRICS, self.metrics.text())
        allowed = self._methods.get(path) or ("GET, HEAD" if path.startswith("/decisions/") else None)
        if allowed is None:
            raise Problem("not-found", f"There are: {', '.join(sorted(self._methods))}, /decisions/ID.")
        raise Problem("method", f"It takes {allowed}.", headers=((b"allow", allowed.encode()),))

    def _admit(self, headers: Headers) -> None:
        """Who may ask: holders of a key; without keys, those who ask for this machine by its own name.

        The latter keeps pages of other sites, to which a name was given that leads here, out of a server on loopback.
        """
        if self.keys is None:
            for name, value in headers:
                if name == b"host":
                    host = value if value.endswith(b"]") else value.rpartition(b":")[0] or value
                    if host.lower() in _LOCAL:
                        return
                    raise Problem("misdirected", "Without API keys it answers only to localhost, 127.0.0.1 and [::1].")
            return
        for name, value in headers:
            if name == b"authorization" and self.keys.name_of(value) is not None:
                return
        challenges = (
            (b"www-authenticate", b'Bearer realm="tidegate"'),
            (b"www-authenticate", b'Basic realm="tidegate"'),
        )
        raise Problem("unauthorized", "Send the header Authorization: Bearer KEY.", headers=challenges)

    async def _take(self, scope: Scope, receive: Receive, learn: bool) -> Answer:
        began = perf_counter()
        serving = self.serving
        if serving is None:
            raise self._unready() or any_fault()
        query, headers = scope["query_string"], scope["headers"]

        def reading() -> EventReading:
            """By the version that decides now: a body may be longer on its way than the one of before was served."""
            now = self.serving or serving
            return now.readings.of(query) if query else now.plain

        reading()  # what asks for an unknown type is told so before its body is read
        media, length = _media(headers), said_length(headers)
        if media == NDJSON:
            if length > self.limits.stream_bytes:
                raise too_large(self.limits.stream_bytes)
            if serving.turns.refusing is not None:
                raise serving.turns.refusing
            answers = await Stream(reading, serving.turns, self.limits, self.metrics, learn).take(receive)
            return 200, [(b"content-type", NDJSON), (b"content-length", b"%d" % answers.size)], answers
        if length > self.limits.event_bytes:
            raise too_large(self.limits.event_bytes)
        message = await receive()
        if message.get("more_body") or message["type"] != "http.request":
            body = await rest_of(message, receive, self.limits.event_bytes, self.limits.body_seconds)
        else:
            body = message["body"]
        try:
            event = reading().read(body)
        except ContractError as error:
            raise of_contract(error, body) from None
        told, stages = await serving.turns.future(event, learn, began)
        return 200, [_JSON, (b"content-length", b"%d" % len(told)), (b"server-timing", stages)], told

    async def _decision(self, id: str) -> Answer:
        """The first answer to an event, once it is safe."""
        serving = self.serving
        if serving is None:
            raise self._unready() or any_fault()
        try:
            found = serving.turns.store.get(id)
            await serving.turns.settled()
        except TidegateError as error:
            _LOG.error("%s", error)
            raise of_store(error) from None
        if found is None:
            raise Problem("no-decision", "No event of this id was taken.", id=id[:256])
        if is_blank(found):
            raise Problem("erased", "What was kept of the event of this id was erased.", id=id[:256])
        if found.answer is None:
            raise Problem("no-decision", "The event of this id was learned from, not decided on.", id=id[:256])
        try:
            require_sealed(serving.turns.store, found)
        except TidegateError as error:
            _LOG.error("%s", error)
            raise Problem("touched", "It was changed since; the server's log tells more.", id=id[:256]) from None
        # Through the type, so that what is told is what this version means by a decision.
        decision = msgspec.json.decode(found.answer, type=Decision)
        told = msgspec.structs.replace(decision, timing=timing(found.elapsed))
        return _page(200, b"application/json", msgspec.json.encode(told))

    def _unready(self) -> Problem | None:
        if self.draining:
            return Problem("draining", "It takes no more events.", headers=((b"retry-after", b"5"),))
        if self.serving is None:
            return Problem("starting", "Its state is being made.", headers=((b"retry-after", b"1"),))
        return self.serving.turns.refusing

    def _ready(self) -> Answer:
        problem = self._unready()
        if problem is not None:
            return _refusal(problem)  # and not counted: nothing was asked for that was refused
        return _page(200, b"application/json", b'{"status":"ready"}')

    def _lag(self) -> float | None:
        if self.serving is None or self.serving.engine.clock == NEVER:
            return None
        return time() - self.serving.engine.clock / 1e6


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    """One request as a line of JSON: never what was in it."""
    client = scope.get("client") or ("", 0)
    line = {"at": datetime.now(UTC), "client": client[0], "method": scope["method"], "path": scope["path"]}
    _ACCESS.info("%s", msgspec.json.encode({**line, "status": status, "ms": round(seconds * 1e3, 3)}).decode())


def _refusal(problem: Problem) -> tuple[int, Headers, bytes]:
    body = problem.document()
    headers = [(b"content-type", PROBLEM), (b"content-length", b"%d" % len(body)), *_SAFE, *problem.headers]
    return problem.status, headers, body


def _page(status: int, media: bytes, content: bytes) -> Answer:
    return status, [(b"content-type", media), (b"content-length", b"%d" % len(content)), *_SAFE], content


def _media(headers: Headers) -> bytes:
    """The media type of the body: JSON or NDJSON.

    Raises:
        Problem: it is another, it is not told, or the body is compressed.
    """
    media = b""
    for name, value in headers:
        if name == b"content-type":
            if value == b"application/json":
                media = value
                continue
            media = value.partition(b";")[0].strip().lower()
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise Problem("media-type", "The body is compressed; send it plain.")
    if media in (b"application/json", NDJSON):
        return media
    if media in (b"application/jsonl", b"application/x-jsonlines", b"application/ndjson"):
        return NDJSON
    given = media.decode("ascii", "replace")[:60] or "none"
    raise Problem("media-type", f"Content-Type is application/json or application/x-ndjson; it was {given}.")
