"""Traces: requests as OpenTelemetry spans, sent by OTLP over HTTP to a collector.

A request is a span, and what was done for it are spans below it: `wait` for its turn, `decide`, `keep` until it is on
the disk. Names and attributes follow OpenTelemetry's semantic conventions for HTTP servers; ours begin with
`tidegate.`. Of an event only its id is told, and of a decision its outcome and level.

Spans are collected and sent in a thread of their own: a collector that is away costs spans, never decisions.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from opentelemetry.context import Context

_PATH = "/v1/traces"
_MILLISECOND = 1_000_000
"""In nanoseconds."""

Attributes = Mapping[str, str | int | float | bool]
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


class Traces:
    """Sends spans to a collector.

    Args:
        url: the collector's, such as `http://localhost:4318`; headers, certificates and the name of the service may be
            given as OpenTelemetry's environment variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, …).
        share: of the requests of callers who do not say whether theirs is traced, from 0 to 1. Who sends `traceparent`
            decides for theirs.
        attributes: of everything that this process sends.

    Raises:
        TidegateError: OpenTelemetry is not installed, or the address is none.
    """

    def __init__(self, url: str, share: float, attributes: Attributes) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
            from opentelemetry.trace import SpanKind, StatusCode
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise TidegateError.not_installed("Tracing", "OpenTelemetry", "traces", error) from None
        resource = Resource.create(attributes)
        if str(resource.attributes["service.name"]).startswith("unknown_service"):  # the environment names none
            resource = resource.merge(Resource({"service.name": "tidegate"}))
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(share), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(_endpoint(url), timeout=5)))
        self._tracer = self._provider.get_tracer("tidegate")
        self._propagator = TraceContextTextMapPropagator()
        self._server, self._error = SpanKind.SERVER, StatusCode.ERROR

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

    def close(self) -> None:
        """Send what is collected, as far as the collector takes it in a few seconds."""
        self._provider.force_flush(5_000)
        self._provider.shutdown()
