"""Certificates for servers of tests: an authority of their own, and what it signed, made anew each time."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """Signs certificates, and keeps them in a folder.

    Args:
        folder: where files go.
        name: its own, and of its file.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        folder.mkdir(parents=True, exist_ok=True)
        whole = x509.BasicConstraints(ca=True, path_length=None)
        now = datetime.now(UTC)
        made = self._builder(self._name, self._key.public_key(), now - _DAY, now + 30 * _DAY).add_extension(whole, True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime):  # type: ignore[no-untyped-def]
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )

    def sign(self, name: str, *, days: int = 30, host: str = "localhost") -> Path:
        """A file with a key and a certificate for a host and 127.0.0.1; with fewer than no days, it is over already."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        hosts: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            hosts.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        made = self._builder(_named(host), key.public_key(), now - 60 * _DAY, now + days * _DAY)
        made = made.add_extension(x509.SubjectAlternativeName(hosts), False)
        plain = serialization.NoEncryption()
        file = self._folder / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
