"""TLS: a certificate and its key, tried out on each other before anything is served with them."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.errors import TidegateError

_EXPIRED, _NOT_YET = 10, 9
"""What OpenSSL calls a certificate whose time is over, or has not come (X509_V_ERR_…)."""

_NEW = "Get a new one from whoever issued it, and give it with --tls-cert."


class Tls:
    """What a server needs to speak TLS, 1.2 or later.

    Args:
        certificate: file of the certificate, in PEM, followed by those of its issuers.
        key: file of its private key, in PEM, without a passphrase. May be the same file.

    Attributes:
        context: to be used for connections.
        names: the hosts that the certificate is for.
        until: until when it is valid.

    Raises:
        TidegateError: a file is missing or cannot be read, is not what it should be, the two do not belong together, or
            the certificate is not valid now.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate, self.key = certificate, key
        self.context, found = _tried(certificate, key)
        self._describe(found)

    def _describe(self, found: dict[str, Any]) -> None:
        self.names = tuple(str(value) for _, value in found.get("subjectAltName", ()))
        self.until = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)

    def reload(self) -> None:
        """Read both files again, for the connections that are made from now on.

        Raises:
            TidegateError: as when made; what was there goes on being used.
        """
        _, found = _tried(self.certificate, self.key)
        try:
            self.context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # of which ssl.SSLError is one
            raise TidegateError(
                f"The certificate {self.certificate} or its key changed while it was read.",
                seen=str(error),
                do="Send SIGHUP again once both are there.",
            ) from None
        self._describe(found)


def _tried(certificate: Path, key: Path) -> tuple[ssl.SSLContext, dict[str, Any]]:
    """A context of the files, and what the certificate says, as a client sees it that trusts it."""
    _look(certificate, "certificate", "-----BEGIN CERTIFICATE-----")
    if "ENCRYPTED" in _look(key, "private key", "PRIVATE KEY-----"):
        raise TidegateError(
            f"The private key {key} is locked by a passphrase, which nobody could give when the server starts.",
            do=f"Unlock it: openssl pkey -in {key} -out open-{key.name}; and keep it where only the server reads it.",
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TidegateError(
                f"The private key {key} is not that of the certificate {certificate}.",
                do="Give the key that the certificate was asked for with; its own certificate comes first in its file.",
            ) from None
        raise TidegateError(
            f"The certificate {certificate} and the key {key} cannot be used.",
            seen=str(error),
            do="Both are files in PEM: the certificate followed by its issuers', and its private key.",
        ) from None
    try:
        return context, _handshake(context, certificate)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in (_EXPIRED, _NOT_YET):
            wrong = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
            raise TidegateError(f"The certificate {certificate} {wrong}.", seen=_now(), do=_NEW) from None
        raise TidegateError(
            f"The certificate {certificate} is not one that clients accept.", seen=error.verify_message, do=_NEW
        ) from None
    except ssl.SSLError as error:
        raise TidegateError(
            f"No connection can be made with the certificate {certificate}.", seen=str(error), do=_NEW
        ) from None


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC by this machine's clock"


def _look(path: Path, what: str, mark: str) -> str:
    """The text of a file in PEM."""
    option = "--tls-cert" if what == "certificate" else "--tls-key"
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        raise TidegateError(f"There is no {what} {path}.", do=f"Give the file of the {what} with {option}.") from None
    except OSError as error:
        raise TidegateError(
            f"The {what} {path} cannot be read.", seen=error.strerror or str(error), do="Let the server's user read it."
        ) from None
    if mark not in text:
        raise TidegateError(f"{path} is no {what} in PEM.", do=f'Such a file has a line with "{mark}".')
    return text


def _handshake(server: ssl.SSLContext, certificate: Path) -> dict[str, Any]:
    """What a client sees of the certificate that trusts it, and nothing else, once both have shaken hands in memory.

    Raises:
        ssl.SSLError: they could not.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False  # it is for names that only its clients know
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there)
    waiting = [client, server.wrap_bio(there, back, server_side=True)]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    return client.getpeercert() or {}
