"""A console on which nobody's text commands the terminal: what an event says is shown, and not obeyed."""

import re
from collections.abc import Iterable

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

# Control characters but the end of a line and the tab; and what turns the direction of the text around it.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A text with what a terminal would obey written as escapes: `\\x1b` for the character ESC."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Console(RichConsole):
    """Rich's console, whose own colours pass and whose texts are harmless."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, piece by piece."""
        for piece in super().render(renderable, options):
            if piece.control is None and _COMMANDS.search(piece.text):
                yield Segment(harmless(piece.text), piece.style)
            else:
                yield piece
