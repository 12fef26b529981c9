"""Drawing surface of the report: matplotlib figures turned into small inline SVG that follows the page's colours.

Colours are drawn as stand-ins (#0101NN) and replaced by CSS variables, so one drawing serves light, dark and print.
"""

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

from tidegate.errors import TidegateError
from tidegate.reports.words import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE, PASS, WATCH, STOP, HONEST, FRAUD, ACCENT, PAPER = (f"#0101{i:02x}" for i in range(16, 26))
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    PASS: "pass",
    WATCH: "watch",
    STOP: "stop",
    HONEST: "honest",
    FRAUD: "fraud",
    ACCENT: "accent",
    PAPER: "paper",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 11.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 11,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}


def style() -> Any:
    """The style of every plot, as a context manager.

    Raises:
        TidegateError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise TidegateError.not_installed("The report", "matplotlib", "report", error) from None
    return matplotlib.rc_context(_STYLE)


def blank(width: float = 520, height: float = 270, **grid: Any) -> "tuple[Figure, Any]":
    """A figure of so many CSS pixels and its axes (one, or an array as in `Figure.subplots`)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    return figure, figure.subplots(**grid)


def quiet(axes: "Axes", grid: str = "y") -> None:
    """Grid lines across one axis only, behind the data."""
    axes.grid(False)
    if grid:
        axes.grid(True, axis="x" if grid == "x" else "y")


def svg(figure: "Figure", name: str, title: str, description: str) -> str:
    """The figure as an `<svg>` element with a title and a description, no identifiers but its own and no addresses.

    Args:
        figure: what was drawn.
        name: prefix of the identifiers in the element, unique on the page; letters and hyphens.
        title: what the plot is called, read by screen readers.
        description: what it shows, in a sentence or two.
    """
    import matplotlib

    sheet = io.StringIO()
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": name}):
        # A rule's name may have letters the measuring font lacks; the reader's browser has its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(sheet, format="svg", metadata={"Date": None})
    text = sheet.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    box = re.search(r'viewBox="([^"]*)"', text)
    body = text[text.index(">") + 1 :]
    body = re.sub(r"\s*\n\s*", "\n", body)
    head = (
        f'<svg class="plot" viewBox="{box.group(1) if box else ""}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{_escaped(title)}</title><desc id="{name}-desc">{_escaped(description)}</desc>'
    )
    return head + body


def _escaped(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
