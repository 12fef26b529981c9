"""Numbers, money and times as people read them. A figure that cannot be said is a dash, never a zero."""

import math
import unicodedata

import numpy as np

from tidegate.events.durations import spoken

NOTHING = "–"
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text without control characters, lone surrogates and direction overrides, which could hide what it says."""
    return "".join(
        c for c in text if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _OVERRIDES)
    )


def looked_for(label: str) -> tuple[str, str, str]:
    """What a true label says, several of it, and the rest: `("fraud", "frauds", "honest")`, or the label's own name."""
    plain = label.rpartition(".")[2].removeprefix("is_").replace("_", " ").strip()
    return ("fraud", "frauds", "honest") if plain in ("", "fraud") else (plain, plain, "other")


def shortened(text: str, most: int) -> str:
    """At most `most` characters on one line, with an ellipsis where something was left off."""
    line = " ".join(printable(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return f"{round(value):,}" if math.isfinite(value) else NOTHING


def number(value: float, digits: int = 3) -> str:
    """A number with so many decimals; large ones with thousands separators."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else NOTHING


def rate(value: float) -> str:
    """A number that may be large or small, to two significant digits; whole from ten on."""
    if not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def percent(share: float) -> str:
    """A share as a percentage, with the decimals its size deserves; never rounded to a false 0 % or 100 %."""
    if not math.isfinite(share):
        return NOTHING
    value = 100.0 * share
    if 0.0 < value < 0.005:
        return "<0.01 %"
    if 99.95 <= value < 100.0:
        return ">99.9 %"
    if value in (0.0, 100.0):
        return f"{value:.0f} %"
    return f"{value:.2f} %" if abs(value) < 1 else f"{value:.1f} %"


def interval(low: float, high: float) -> str:
    """Two shares as a range of percentages, nothing when they are not numbers: `interval(0.225, 0.239)`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    least, most = percent(low), percent(high)
    return least if least == most else f"{least.removesuffix(' %')} to {most}"


def money(minor: int, currency: str, exponent: int) -> str:
    """Minor units as an amount, exactly: `money(123456, "EUR", 2)` is `EUR 1,234.56`."""
    whole, part = divmod(abs(int(minor)), 10**exponent)
    text = f"{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")
    return f"{currency} {'−' if minor < 0 else ''}{text}".strip()


def compact(value: float) -> str:
    """A number for an axis or a card: 1.2k, 3.4M."""
    for size, sign in ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"


def duration(us: float) -> str:
    """Microseconds in the unit that suits them."""
    return spoken(us) if math.isfinite(us) else NOTHING


def when(us: int) -> str:
    """Microseconds since 1970 as a UTC time to the minute."""
    return str(np.datetime_as_string(np.datetime64(int(us), "us"), unit="m")).replace("T", " ") + " UTC"


def day(us: int) -> str:
    """Microseconds since 1970 as a UTC date."""
    return str(np.datetime_as_string(np.datetime64(int(us), "us"), unit="D"))
