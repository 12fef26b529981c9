"""Where a server listens."""

import errno
import ipaddress
import os
import socket

from tidegate.errors import TidegateError


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and can be reached from nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        TidegateError: the port is in use or not allowed, or the host is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        raise TidegateError(
            f"{host} is no address to listen on.", seen=str(error), do="Try --host 127.0.0.1."
        ) from None
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise TidegateError(
            f"The server cannot listen on {host}, port {port}.",
            seen=os.strerror(error.errno) if error.errno else str(error),
            do="Another program has the port: stop it, or give another with --port."
            if error.errno == errno.EADDRINUSE
            else "Give an address of this machine with --host, and a port above 1023 with --port.",
        ) from None
    listening.set_inheritable(True)
    return listening
