"""What FEEL refuses: a text that cannot be read, and an evaluation that ran past its bounds."""

from tidegate.errors import FlowError, TidegateError


class FeelError(FlowError):
    """A FEEL text cannot be read. `start` and `end` are offsets in the text, `line` and `column` count from one."""

    def __init__(self, wrong: str, text: str, start: int, end: int, *, do: str = "") -> None:
        self.text, self.start, self.end = text, start, end
        self.line = text.count("\n", 0, start) + 1
        self.column = start - (text.rfind("\n", 0, start) + 1) + 1
        super().__init__(wrong, seen=f"line {self.line}, column {self.column}: {around(text, start, end)}", do=do)


class FeelLimitError(TidegateError):
    """An evaluation ran past the bounds it was given: steps, depth, or the size of a list or string."""


def around(text: str, start: int, end: int, room: int = 24) -> str:
    """The place in the text with a little of what stands around it, the place itself between ›‹."""
    end = min(max(end, start), start + 80)
    before, after = text[max(0, start - room) : start], text[end : end + room]
    shown = f"{'…' if start > room else ''}{before}›{text[start:end]}‹{after}{'…' if end + room < len(text) else ''}"
    return " ".join(shown.split()).encode("utf-8", "backslashreplace").decode()
