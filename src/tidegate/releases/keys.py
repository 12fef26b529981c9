"""A person's key: Ed25519 (RFC 8032), private in a file of their own, public in the register."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import ReleaseError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def library() -> Any:
    """What makes and checks signatures.

    Raises:
        ReleaseError: it is not installed.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ReleaseError.not_installed("Signing", "cryptography", "releases", error) from None
    return ed25519


def make_key(path: Path) -> bytes:
    """Draw a key, write its private half to a file that only its owner may read, and give the public half (32 bytes).

    Raises:
        ReleaseError: there is a file already, none can be written, or the package cryptography is not installed.
    """
    key = library().Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        raise ReleaseError(
            f"The key {path} cannot be written.", seen=error.strerror or str(error), do="Name another file with --key."
        ) from None
    return public_half(key)


def read_key(path: Path) -> "Ed25519PrivateKey":
    """The private key in a file.

    Raises:
        ReleaseError: there is none, it is no Ed25519 key, or the package cryptography is not installed.
    """
    cryptography = library()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ReleaseError(
            f"The key {path} cannot be read.",
            seen=error.strerror or str(error),
            do="`tidegate people add` makes one; give its file with --key.",
        ) from None
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"{path} is no key.", seen=str(error), do="Give the file that `people add` wrote.") from None
    if not isinstance(key, cryptography.Ed25519PrivateKey):
        raise ReleaseError(f"{path} is not an Ed25519 key.", do="Give the file that `tidegate people add` wrote.")
    private: Ed25519PrivateKey = key
    return private


def public_half(key: "Ed25519PrivateKey") -> bytes:
    """The public half of a key: 32 bytes."""
    public: bytes = key.public_key().public_bytes_raw()
    return public


def signed_by(public: bytes, signature: bytes, statement: bytes) -> bool:
    """Whether the owner of the public key signed this statement."""
    cryptography = library()
    from cryptography.exceptions import InvalidSignature

    try:
        cryptography.Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True
