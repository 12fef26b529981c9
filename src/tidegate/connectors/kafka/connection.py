"""Why there is no connection to a broker, looked at by ourselves where librdkafka does not tell.

It says the same of a certificate that is over, for another host, or of nobody known; and of a broker that is away or is
spoken to in another protocol that nobody answers.
"""

import re
import socket
import ssl
from typing import NamedTuple

from tidegate.connectors.trust import trusting

_TIMEOUT = 5.0
_SERVER = re.compile(r"ssl://(?P<host>\[[^\]]+\]|[^:/\s]+):(?P<port>\d+)/")
_EXPIRED, _EARLY = 10, 9
_OTHER_HOST = {62, 64}


class Distrust(NamedTuple):
    """Why it is not trusted, and what to do."""

    why: str
    do: str


def distrust(said: str, authority: str) -> Distrust | None:
    """Look at the certificate of the broker that librdkafka complained of; None if it can be trusted, or not be seen.

    Args:
        said: librdkafka's words, which name the broker.
        authority: the file of the authority that is trusted; empty for those of the system.
    """
    found = _SERVER.search(said)
    if found is None:
        return None
    host, port = found["host"].strip("[]"), int(found["port"])
    try:
        context = trusting(authority)
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return Distrust(error.verify_message.rstrip("."), _do(error.verify_code, authority))
    except (OSError, ValueError):
        return None


def _do(code: int, authority: str) -> str:
    if code == _EXPIRED:
        return "Give the broker a new certificate, and see whether this machine's clock is right."
    if code == _EARLY:
        return "See whether this machine's clock is right."
    if code in _OTHER_HOST:
        return "Write the broker's address as its certificate has it, or have one made for this host."
    named = f"ssl.ca.location is {authority}" if authority else "ssl.ca.location is not set"
    return f"Name the file of the authority that signed it with ssl.ca.location ({named})."


def listens(servers: str) -> bool:
    """Whether something accepts connections at one of these addresses (`host:port`, commas between)."""
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=1.0).close()
        except (OSError, ValueError):
            continue
        return True
    return False
