"""Answers that say no: problem documents (RFC 9457), one for each way in which a request can be wrong."""

from typing import Any

import msgspec

from tidegate.errors import ContractError, TidegateError
from tidegate.events.depth import plain_values
from tidegate.runtimes.engine import Refused

MEDIA = b"application/problem+json"

TITLES = {
    "malformed": (400, "The body is not well-formed JSON."),
    "query": (400, "The query is not one that this address takes."),
    "unauthorized": (401, "An API key is needed."),
    "not-found": (404, "There is nothing at this address."),
    "no-decision": (404, "There is no decision under this id."),
    "method": (405, "This address does not take this method."),
    "slow": (408, "The body did not come in time."),
    "id-reused": (409, "The id was used before, with other content."),
    "only-learned": (409, "The event of this id was learned from, not decided on."),
    "erased": (410, "What was kept of this event was erased."),
    "too-large": (413, "The body is too large."),
    "media-type": (415, "The body is neither JSON nor NDJSON."),
    "misdirected": (421, "The request is for another host."),
    "contract": (422, "The event does not keep its contract."),
    "before-retention": (422, "The event is older than what the flow remembers."),
    "future": (422, "The event's time lies in the future."),
    "busy": (429, "Too many events are waiting."),
    "touched": (500, "The record of the decision is not what was sealed."),
    "starting": (503, "The server is not ready yet."),
    "draining": (503, "The server is stopping."),
    "store": (503, "The decision could not be kept."),
    "fault": (503, "The decision could not be made."),
}
"""Every kind of problem by its code: the status, and the title."""


class _Document(msgspec.Struct, omit_defaults=True):
    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    pointer: str | None = None
    id: str | None = None
    line: int | None = None


class Problem(Exception):  # noqa: N818  # RFC 9457 calls it so
    """A request, or a line of one, that is answered with a problem document.

    Args:
        code: which kind, a key of `TITLES`.
        detail: what is wrong with this one.
        pointer: JSON Pointer (RFC 6901) of the field at fault, None where no field is.
        id: the event's, where it is known.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        pointer: str | None = None,
        id: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.code, self.detail, self.pointer, self.id = code, detail, pointer or None, id
        self.status = TITLES[code][0]
        self.headers = headers
        super().__init__(detail or TITLES[code][1])

    def document(self, line: int | None = None) -> bytes:
        """The document as JSON; `line` is the line of the body that it is about."""
        status, title = TITLES[self.code]
        about = _Document(f"/docs#{self.code}", title, status, self.code, self.detail, self.pointer, self.id, line)
        return msgspec.json.encode(about)


def of_contract(error: ContractError, body: bytes) -> Problem:
    """The problem of a body that could not be read as an event: 400 if it is no JSON at all, 422 if it is."""
    try:
        plain_values(body)
    except (ValueError, RecursionError):
        return Problem("malformed", str(error), pointer=error.pointer)
    return Problem("contract", str(error), pointer=error.pointer)


def of_refusal(refused: Refused) -> Problem:
    """The problem of an event that the engine did not take."""
    return Problem(refused.code, refused.reason, pointer=refused.pointer, id=refused.id)


def of_store(error: TidegateError) -> Problem:
    """The problem of a batch that could not be kept. What failed is for the server's log, not for clients."""
    return Problem(
        "store",
        "It cannot be said that the event was kept. Send it again: one that was kept after all gets its first answer.",
        headers=((b"retry-after", b"2"),),
    )


def any_fault(told: Any = None) -> Problem:
    """The problem of a fault of ours, which the server's log tells about."""
    return Problem("fault", "A fault in the server; its log tells more.", headers=((b"retry-after", b"2"),))
