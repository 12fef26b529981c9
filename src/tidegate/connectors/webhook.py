"""Webhooks: each alarm is sent to an address, signed, until it is taken.

Signed as Standard Webhooks 1.0 has it: the header `webhook-signature` is `v1,` and the Base64 of the HMAC-SHA256 over
`webhook-id.webhook-timestamp.body`, with a secret that both know. The id is the decision's, so a receiver that has seen
it need do nothing. Of an alarm whose record was erased the receiver is told under that id and `#erased`, with a body of
`{"seq": …, "id": …, "erased": true}`.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import time
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec

from tidegate.actions.document import Document
from tidegate.actions.sink import Gone, Rejected, UnavailableError
from tidegate.connectors.trust import trusting
from tidegate.errors import TidegateError

_ENCODE = msgspec.json.Encoder().encode
_TIMEOUT = 10.0
_PLAIN = "!#$&'()*+,/:;=?@[]~"
_MOST_ANSWER = 65_536
_NEVER = {400, 413, 414, 415, 422}
"""Answers that mean this one will never be taken as it is; anything else but 2xx and 409 may change."""


def secret_of(text: str) -> bytes:
    """The bytes of a secret as Standard Webhooks writes it: `whsec_` and Base64.

    Raises:
        TidegateError: it is written otherwise, or shorter than 24 bytes.
    """
    try:
        found = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except binascii.Error:
        found = b""
    if len(found) < 24:
        raise TidegateError(
            "The webhook's secret is whsec_ and the Base64 of 24 to 64 random bytes.",
            seen=f"{len(text.strip())} characters",
            do="Make one: python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"",
        )
    return found


def signature(secret: bytes, id: str, at: int, body: bytes) -> str:
    """What the header `webhook-signature` says of a body sent under an id, `at` seconds since 1970."""
    signed = hmac.digest(secret, b"%b.%d.%b" % (id.encode(), at, body), "sha256")
    return "v1," + base64.b64encode(signed).decode()


class Webhook:
    """Sends documents to an address, one a request.

    Args:
        address: `https://…`, or `http://…`.
        secret: signs.
        timeout: seconds that the receiver may take.

    Raises:
        TidegateError: the address is not one.
    """

    most = 1  # so that a receiver that fails now and then is not told anything again that it took

    def __init__(self, address: str, secret: bytes, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise TidegateError(
                "A webhook's address is http(s)://HOST[:PORT]/PATH, without a user.",
                seen=f"{parts.scheme}://{parts.hostname or ''}",
            )
        # A query may tell two receivers apart, and may hold a secret: its digest does the first and tells nothing.
        query = f"?#{hashlib.sha256(parts.query.encode()).hexdigest()[:8]}" if parts.query else ""
        self.name = f"{parts.scheme}://{parts.netloc}{parts.path}{query}"
        self._secret, self._timeout, self._parts = secret, timeout, parts
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection: http.client.HTTPConnection | None = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            if self._parts.scheme == "https":
                context = trusting()
                self._connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        return self._connection

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        """As of `Sink`."""
        return [Rejected(one.id, reason) for one in documents if (reason := self._told(one.id, _ENCODE(one)))]

    def forget(self, gone: Sequence[Gone]) -> None:
        """As of `Sink`: the receiver is told which alarms it should forget; one that does not know what that is may."""
        for one in gone:
            self._told(f"{one.id}#erased", _ENCODE({"seq": one.seq, "id": one.id, "erased": True}))

    def _told(self, id: str, body: bytes) -> str:
        """Tell the receiver; gives why it will never take this, if it said so.

        Raises:
            UnavailableError: it does not take it now.
        """
        status, said = self._post(id, body)
        if status in _NEVER:
            return f"{status} {said}".strip()
        if status != 409 and not 200 <= status < 300:
            raise UnavailableError(
                f"The webhook {self.name} does not take alarms.",
                seen=f"{status} {said}".strip(),
                do="Look at the receiver: its address, its secret, whether it runs.",
            )
        return ""

    def _post(self, id: str, body: bytes) -> tuple[int, str]:
        """The status of the answer and what it says, shortened. A redirection is not followed."""
        at = int(time.time())
        sent_id = quote(id, safe=_PLAIN)  # an id may hold what a header cannot
        headers = {
            "content-type": "application/json",
            "webhook-id": sent_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._secret, sent_id, at, body),
        }
        for again in (True, False):
            fresh = self._connection is None
            try:
                connection = self._connected()
                connection.request("POST", self._path, body, headers)
                answer = connection.getresponse()
                said = answer.read(_MOST_ANSWER).decode("utf-8", "replace")[:200]
                if not answer.isclosed():  # it goes on, and nobody wants it
                    self.close()
                return answer.status, said
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh or not again:  # one that was kept open may just have been closed by the other end
                    raise UnavailableError(
                        f"The webhook {self.name} cannot be reached.", seen=str(error) or type(error).__name__
                    ) from error
        raise UnavailableError(f"The webhook {self.name} cannot be reached.")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
