"""Filling the templates of reports: everything that is said is escaped, and nothing is fetched."""

from typing import Any

from tidegate.errors import TidegateError
from tidegate.reports import words


def fill(template: str, **content: Any) -> str:
    """A page from its template; the same content always gives the same page.

    Raises:
        TidegateError: Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise TidegateError.not_installed("The report", "Jinja2", "report", error) from None
    room = Environment(
        loader=PackageLoader("tidegate.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Words of the user are shown without control characters; numbers and drawings pass as they are.
        finalize=lambda value: words.printable(value) if type(value) is str else value,
    )
    return room.get_template(template).render(words=words, **content)
