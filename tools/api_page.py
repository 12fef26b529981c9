"""Write docs/api.md: every public name, how it is called, and the first words of its docstring (`make api`)."""

import inspect
import re
from pathlib import Path

import tidegate

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
HEAD = """# Public names

What can be imported from `tidegate`, and nothing else is promised. Written from the source by `make api`.
What the words mean is in the [glossary](glossary.md).
"""


def signature(name: str, thing: object) -> str:
    """How a name is called, without types: `count(*, per, last)`."""
    try:
        made = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    bare = [
        one.replace(annotation=inspect.Parameter.empty)
        for one in made.parameters.values()
        if one.name not in ("self", "cls")
    ]
    text = str(made.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return name + re.sub(r" at 0x[0-9a-f]+", "", text)


def summary(thing: object) -> str:
    """The first sentence or line of a docstring, fit for a table."""
    words = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(words.split()).replace("|", "\\|")


def row(name: str) -> str:
    """One line of the table: a class or function with what it says of itself, a value with its value."""
    thing = getattr(tidegate, name)
    if inspect.isclass(thing):
        return f"| `{name}` | {summary(thing)} |"
    if callable(thing):
        return f"| `{signature(name, thing)}` | {summary(thing)} |"
    return f"| `{name}` | a {type(thing).__name__} |"


def page() -> str:
    """The whole page."""
    names = sorted(tidegate.__all__, key=lambda name: (not name[:1].isupper(), name.lower()))
    return f"{HEAD}\n| name | what it is |\n|---|---|\n" + "".join(f"{row(name)}\n" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(tidegate.__all__)} names")
