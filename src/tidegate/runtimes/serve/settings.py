"""What is served, where, and to whom."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.connectors.store_address import Address
from tidegate.connectors.traces import Traces
from tidegate.decisions.flow import Flow
from tidegate.errors import TidegateError
from tidegate.models.registry import Registry
from tidegate.runtimes.serve.keys import Keys
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.listening import is_loopback
from tidegate.runtimes.serve.tls import Tls


@dataclass(frozen=True)
class Settings:
    """What is served, and where.

    Args:
        flow: the flow.
        store: where the store is; it is made if it is not there.
        models: the model registry's folder, None for none.
        host, port: where to listen; port 0 takes a free one.
        keys: the file of API keys; needed on any address but loopback. It is read again when it changes.
        tls_cert, tls_key: files of the certificate and its private key, in PEM; both, or neither for plain HTTP. They
            are read again on SIGHUP.
        access_log: write a line of JSON for each request.
        traces: are told of each request.
        explain: put every feature's value into every decision.
        register: a register of changes; what it releases of this flow is served, then and from then on.
        other_flow_ok: as of `Engine`.
        limits: bounds of the server.
    """

    flow: type[Flow[Any]]
    store: Path | Address
    models: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    access_log: bool = False
    traces: Traces | None = None
    explain: bool = False
    register: Path | None = None
    other_flow_ok: bool = False
    limits: Limits = field(default_factory=Limits)


def keys_of(settings: Settings) -> Keys | None:
    """Who may ask; None where everyone on this machine may.

    Raises:
        TidegateError: keys are needed and not given, or cannot be read.
    """
    if settings.keys is not None:
        return Keys.read(settings.keys)
    if is_loopback(settings.host):
        return None
    raise TidegateError(
        f"On {settings.host} anyone could ask for decisions, so it needs API keys.",
        do="Make one with `tidegate keys add NAME --file keys.txt` and give --keys keys.txt; or listen on 127.0.0.1.",
    )


def tls_of(settings: Settings) -> Tls | None:
    """The certificate and its key; None for plain HTTP.

    Raises:
        TidegateError: one of the two is not given, or they cannot be used.
    """
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        lacking = "--tls-cert" if certificate is None else "--tls-key"
        raise TidegateError(
            "TLS takes a certificate and its private key.",
            seen=f"no {lacking}",
            do=f"Give {lacking} too; if one file holds both, name it twice.",
        )
    return Tls(certificate, key)


def registry_of(settings: Settings) -> Registry | None:
    """The model registry, if there is one."""
    return Registry(settings.models) if settings.models is not None and settings.models.is_dir() else None
