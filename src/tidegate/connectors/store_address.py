"""Where a store is: the path of a file, or the URL of a database."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_URL = re.compile(r"postgres(ql)?://")


class Address:
    """The address of a store. As text it is what people are shown: a password is left out.

    Args:
        address: the path of a SQLite file, or a URL of PostgreSQL as libpq takes it. A parameter of our own, `files`,
            says what files beside the store are named after; by default `HOST-PORT-DATABASE` in this folder.
    """

    url: str | None = None
    """What PostgreSQL's client is given; None for a file."""

    def __init__(self, address: "str | Path | Address") -> None:
        if isinstance(address, Address):
            address = address.words()
        self._words = str(address)
        if not _URL.match(self._words):
            self.path = self.place = Path(address)
            return
        parts = urlsplit(self._words)
        given = parse_qsl(parts.query, keep_blank_values=True)
        left = "&".join(f"{name}={quote(value, safe='')}" for name, value in given if name != "files")
        self.url = parts._replace(query=left).geturl()
        names = dict(given)
        host = (parts.netloc.rpartition("@")[2] or names.get("host", "")).replace(":", "-")
        named = "-".join(part for part in (unquote(host), names.get("port"), parts.path.strip("/")) if part)
        self.path = self.place = Path(names.get("files") or re.sub(r"[^\w.-]+", "-", named).strip("-") or "postgresql")

    path: Path
    place: Path
    """What files that belong to the store, such as snapshots, are named after: they lie beside it."""

    @property
    def missing(self) -> bool:
        """Whether it is known, without asking anyone, that there is no store yet."""
        return self.url is None and not self.path.exists()

    def words(self) -> str:
        """The address in full, for another command that opens the same store."""
        return self._words

    def __str__(self) -> str:
        if self.url is None:
            return self._words
        shown = re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1@", self._words)
        return re.sub(r"([?&]password=)[^&]*", r"\1…", shown)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"
