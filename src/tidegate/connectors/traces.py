"""Traces: requests and transactions as OpenTelemetry spans, sent by OTLP over HTTP to a collector.

A request is a span, and what was done for it are spans below it: `wait` for its turn, `decide`, `keep` until it is on
the disk. So is a transaction of a stream, which is linked to what its messages were sent by. Names and attributes
follow OpenTelemetry's semantic conventions for HTTP servers and messaging; ours begin with `tidegate.`. Of an event
only its id is told, and of a decision its outcome and level.

Spans are collected and sent in a thread of their own: a collector that is away costs spans, never decisions.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.trace import Span, Tracer

_PATH = "/v1/traces"
_MILLISECOND = 1_000_000
"""In nanoseconds."""

_MOST_LINKS = 4096
"""As many messages as a transaction has at most; OpenTelemetry itself would keep 128."""

Attribute = str | int | float | bool | Sequence[str] | Sequence[int]
Attributes = Mapping[str, Attribute]
Stages = list[tuple[str, float]]
"""What was done for a request, one after another: names and milliseconds."""


def _endpoint(url: str) -> str:
    """Where spans are posted to; a collector is named without the path, which the protocol gives.

    Raises:
        TidegateError: it is no address of a collector.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TidegateError(
            "Traces go to a collector of OpenTelemetry over HTTP.", seen=url, do="Write http://HOST:4318."
        )
    return url if parts.path.strip("/") else f"{url.rstrip('/')}{_PATH}"


def _sampler(share: float) -> "Sampler":
    """Traces what is linked to something that is traced, and a share of all else."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, SamplingResult, TraceIdRatioBased

    class Linked(TraceIdRatioBased):
        def should_sample(
            self, parent_context: Any, trace_id: int, name: str, kind: Any = None, attributes: Any = None,
            links: Any = None, trace_state: Any = None,
        ) -> SamplingResult:  # fmt: skip
            words = parent_context, trace_id, name, kind, attributes, links, trace_state
            return ALWAYS_ON.should_sample(*words) if links else super().should_sample(*words)

    return Linked(share)


class Transaction:
    """The span of a transaction that goes on. Made by `Traces.transaction`.

    Args:
        span: of it.
        tracer: makes spans below it.
        began: nanoseconds since 1970 UTC.
    """

    def __init__(self, span: "Span", tracer: "Tracer", began: int) -> None:
        from opentelemetry.trace import format_span_id, format_trace_id, set_span_in_context

        self._span, self._tracer, self._at = span, tracer, began
        self._here = set_span_in_context(span)
        here = span.get_span_context()
        self.header = f"00-{format_trace_id(here.trace_id)}-{format_span_id(here.span_id)}-01".encode()
        """What a message that is sent by it carries as `traceparent`."""

    def stage(self, name: str, ended: int, fault: str = "") -> None:
        """Tell of what was done since the last stage ended, until now; `fault` says why it was not done."""
        below = self._tracer.start_span(name, self._here, start_time=self._at)
        self._at = ended
        _failed(below, fault)
        below.end(ended)

    def end(self, ended: int, attributes: Attributes, fault: str = "") -> None:
        """Tell of the whole; `fault` says why it was given up."""
        self._span.set_attributes(attributes)
        _failed(self._span, fault)
        self._span.end(ended)


def _failed(span: "Span", fault: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    if fault:
        span.set_status(Status(StatusCode.ERROR, fault))


class Traces:
    """Sends spans to a collector.

    Args:
        url: the collector's, such as `http://localhost:4318`; headers, certificates and the name of the service may be
            given as OpenTelemetry's environment variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, …).
        share: of what is traced where callers and producers do not say, from 0 to 1. Who sends `traceparent` decides
            for theirs.
        attributes: of everything that this process sends.

    Raises:
        TidegateError: OpenTelemetry is not installed, or the address is none.
    """

    def __init__(self, url: str, share: float, attributes: Attributes) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.environment_variables import OTEL_SPAN_LINK_COUNT_LIMIT
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import SpanLimits, TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBased
            from opentelemetry.trace import SpanKind, StatusCode
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise TidegateError.not_installed("Tracing", "OpenTelemetry", "traces", error) from None
        resource = Resource.create(attributes)
        if str(resource.attributes["service.name"]).startswith("unknown_service"):  # the environment names none
            resource = resource.merge(Resource({"service.name": "tidegate"}))
        limits = SpanLimits(max_links=None if OTEL_SPAN_LINK_COUNT_LIMIT in os.environ else _MOST_LINKS)
        self._provider = TracerProvider(
            sampler=ParentBased(_sampler(share)), resource=resource, span_limits=limits, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(_endpoint(url), timeout=5)))
        self._tracer = self._provider.get_tracer("tidegate")
        self._propagator = TraceContextTextMapPropagator()
        self._server, self._consumer, self._error = SpanKind.SERVER, SpanKind.CONSUMER, StatusCode.ERROR

    def request(
        self, name: str, began: int, ended: int, parent: str, attributes: Attributes, stages: Stages, *, failed: bool
    ) -> None:
        """Tell of a request that is answered.

        Args:
            name: the method and the route.
            began, ended: nanoseconds since 1970 UTC.
            parent: the header `traceparent` of the request (W3C Trace Context), empty without one.
            attributes: of the request.
            stages: what was done for it, from its beginning on.
            failed: the fault was ours.
        """
        from opentelemetry.trace import set_span_in_context

        above: Context | None = self._propagator.extract({"traceparent": parent}) if parent else None
        span = self._tracer.start_span(name, above, self._server, attributes, start_time=began)
        if span.is_recording():
            if failed:
                span.set_status(self._error)
            here, at = set_span_in_context(span), began
            for stage, milliseconds in stages:
                below = self._tracer.start_span(stage, here, start_time=at)
                at += round(milliseconds * _MILLISECOND)
                below.end(at)
        span.end(ended)

    def transaction(
        self, name: str, began: int, messages: Iterable[tuple[str, Attributes]], attributes: Attributes
    ) -> Transaction | None:
        """Begin to tell of a transaction; None if it is not traced.

        It is traced if the sending of one of its messages was, and is linked to that; by `share`, if nobody said so of
        some; and not, if all were said not to be.

        Args:
            name: of the span.
            began: nanoseconds since 1970 UTC.
            messages: of each its header `traceparent`, empty without one, and what a link to its sending says.
            attributes: of the transaction.
        """
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, get_current_span

        links, silent = list[Link](), False
        for parent, about in messages:
            above = self._propagator.extract({"traceparent": parent}, Context()) if parent else Context()
            sender = get_current_span(above).get_span_context()
            if not sender.is_valid:
                silent = True
            elif sender.trace_flags.sampled:
                links.append(Link(sender, about))
        if not links and not silent:
            return None
        span = self._tracer.start_span(name, Context(), self._consumer, attributes, links, began)
        return Transaction(span, self._tracer, began) if span.is_recording() else None

    def close(self) -> None:
        """Send what is collected, as far as the collector takes it in a few seconds."""
        self._provider.force_flush(5_000)
        self._provider.shutdown()
