"""Where a store is: the path of a file, or the URL of a database."""

from pathlib import Path


class Address:
    """The address of a store. As text it is what people are shown.

    Args:
        address: the path of a SQLite file.
    """

    def __init__(self, address: "str | Path | Address") -> None:
        self.path: Path = address.path if isinstance(address, Address) else Path(address)

    @property
    def place(self) -> Path:
        """What files that belong to the store, such as snapshots, are named after: they lie beside it."""
        return self.path

    @property
    def missing(self) -> bool:
        """Whether it is known, without asking anyone, that there is no store yet."""
        return not self.path.exists()

    def words(self) -> str:
        """The address in full, for another command that opens the same store."""
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"
