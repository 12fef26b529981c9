"""Which servers are trusted: alike by every connector, on every version of Python."""

import ssl
from pathlib import Path


def trusting(authority: str | Path | None = None) -> ssl.SSLContext:
    """A context that trusts what an authority signed, and knows the host by its name.

    From Python 3.13 on a default context also wants every extension that RFC 5280 asks for; librdkafka and libpq do
    not, and certificates of companies' own authorities often lack some: the signature, the times and the host count.

    Args:
        authority: the file of the authority; those of the system if it is empty.

    Raises:
        OSError: there is no such file, or it is not one of certificates (ssl.SSLError).
    """
    context = ssl.create_default_context(cafile=authority or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
