"""The wording of texts, kept for as long as a window can give them back."""

from tidegate.features.kernels.words import NEVER


class Wording(dict[int, str]):
    """Texts by their cells. What was not put again for longer than any window reaches back is forgotten by `age`.

    Args:
        memory: how far back the oldest event that can be read lies, in microseconds.
    """

    def __init__(self, memory: int) -> None:
        super().__init__()
        self._memory = memory
        self.forget()

    def forget(self) -> None:
        """Begin again: no text is known."""
        self.clear()
        self._since, self._young = NEVER, set[int]()

    def __setitem__(self, cell: int, text: str) -> None:
        self._young.add(cell)
        super().__setitem__(cell, text)

    def age(self, clock: int) -> None:
        """Forget what no window can hold any more, now that the newest event is of time `clock`.

        Texts are in two generations. The young become old when the memory's length has passed; old ones that were not
        put again by the next time are gone. So a text stays for at least that length after it was last put, and its
        going is never seen in an answer.
        """
        if self._since == NEVER:
            self._since = clock
        if clock - self._since <= self._memory:
            return
        for cell in [cell for cell in self if cell not in self._young]:
            del self[cell]
        self._young, self._since = set(), clock
