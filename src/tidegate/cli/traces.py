"""The options of what may be traced."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tidegate.connectors.traces import Traces

TracesTo = Annotated[
    str,
    typer.Option(
        "--traces", metavar="URL", help="Send traces to this collector, by OTLP over HTTP: http://localhost:4318."
    ),
]
TracesShare = Annotated[
    float,
    typer.Option(
        "--traces-share", min=0, max=1, help="Share that is traced where callers or producers of messages do not say."
    ),
]


def traces_to(url: str, share: float, flow: str) -> "Traces | None":
    """What sends traces, if they are wanted.

    Raises:
        TidegateError: OpenTelemetry is not installed, or the address is none.
    """
    from tidegate.connectors.traces import Traces

    return Traces(url, share, {"tidegate.flow": flow}) if url else None
