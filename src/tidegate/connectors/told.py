"""How far each sink has been told of a store's decisions, and what it would not take."""

from collections.abc import Sequence
from typing import NamedTuple

from tidegate.connectors.alerts_file import AlertsFile

_MARKS = 100


class Held(NamedTuple):
    """A decision that a sink rejected: which sink, its number in the store, its id, and the sink's reason."""

    sink: str
    seq: int
    id: str
    reason: str


class Told:
    """The progress of one sink.

    Args:
        file: where it is kept.
        sink: the sink's name.
    """

    def __init__(self, file: AlertsFile, sink: str) -> None:
        self.file, self.sink = file, sink

    def marks(self) -> list[tuple[int, bytes]]:
        """The last places that were reached, the newest first: number of the record (0: none), and its leaf hash."""
        return self.file.read("SELECT seq, leaf FROM told WHERE sink = ? ORDER BY seq DESC", (self.sink,))

    def begin(self) -> None:
        """Note that there is this sink, and that it was told nothing yet.

        Raises:
            UnavailableError: it could not be written.
        """
        with self.file.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO told VALUES (?, 0, x'')", (self.sink,))

    def reached(self, seq: int, leaf: bytes, held: Sequence[Held]) -> None:
        """Everything up to this record has been told, but for what is held.

        Raises:
            UnavailableError: it could not be written; the same will be told again.
        """
        with self.file.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)", held)
            connection.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (self.sink, seq, leaf))
            connection.execute(
                "DELETE FROM told WHERE sink = ? AND seq NOT IN "
                "(SELECT seq FROM told WHERE sink = ? ORDER BY seq DESC LIMIT ?)",
                (self.sink, self.sink, _MARKS),
            )

    def back_to(self, seq: int) -> None:
        """Forget whatever was reached beyond this record."""
        with self.file.writing() as connection:
            for table in ("told", "held"):
                connection.execute(f"DELETE FROM {table} WHERE sink = ? AND seq > ?", (self.sink, seq))

    def held(self, limit: int = 1000) -> list[Held]:
        """What this sink rejected, the oldest first."""
        rows = self.file.read("SELECT * FROM held WHERE sink = ? ORDER BY seq LIMIT ?", (self.sink, limit))
        return [Held(*row) for row in rows]

    def how_many_held(self) -> int:
        """How many decisions this sink rejected that are held."""
        ((many,),) = self.file.read("SELECT count(*) FROM held WHERE sink = ?", (self.sink,))
        return int(many)

    def tried_again(self, taken: Sequence[int], still: Sequence[Held]) -> None:
        """Of what was held these are not any more; the others are, for the reasons that they have now."""
        with self.file.writing() as connection:
            connection.executemany("DELETE FROM held WHERE sink = ? AND seq = ?", [(self.sink, seq) for seq in taken])
            connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)", still)

    def let_go(self, seqs: Sequence[int]) -> None:
        """These are not held any more."""
        with self.file.writing() as connection:
            connection.executemany("DELETE FROM held WHERE sink = ? AND seq = ?", [(self.sink, seq) for seq in seqs])


def sinks(file: AlertsFile) -> list[str]:
    """The names of all sinks that were ever told, or are to be."""
    return [name for (name,) in file.read("SELECT DISTINCT sink FROM told ORDER BY sink")]
