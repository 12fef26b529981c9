"""What is found wrong in a model, by element and line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a model that does not hold together.

    Args:
        severity: "error" if something cannot be evaluated as written, "warning" if it can and is likely not meant so.
        file: the model's file.
        line: where in it.
        place: the element, in words.
        wrong: what is wrong.
        do: what to do about it, or "".
    """

    severity: str
    file: str
    line: int
    place: str
    wrong: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.place}: {self.wrong}" + (
            f" {self.do}" if self.do else ""
        )


def not_called(name: str) -> str:
    """What is said of a name that nothing in scope is called."""
    return f'nothing here is called "{name}".'


class Findings:
    """Findings as they are collected, each once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Finding, None] = {}

    def error(self, line: int, place: str, wrong: str, do: str = "") -> None:
        """Note what cannot be evaluated as written."""
        self._found[Finding("error", self.file, line, place, wrong, do)] = None

    def warning(self, line: int, place: str, wrong: str, do: str = "") -> None:
        """Note what is likely not meant so."""
        self._found[Finding("warning", self.file, line, place, wrong, do)] = None

    def all(self) -> tuple[Finding, ...]:
        """All of them, by line."""
        return tuple(sorted(self._found, key=lambda one: one.line))
