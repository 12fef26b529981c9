"""Text and keys as 64-bit numbers, so that every value fits one cell."""

from collections.abc import Iterable

import numpy as np
import xxhash

MISSING = -(2**63)


def word(text: str) -> int:
    """The cell of a text: XXH3 of its UTF-8 bytes as a signed 64-bit number, never the one that means missing."""
    number = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
    number = number - 2**64 if number >= 2**63 else number
    return number if number != MISSING else 0


def words(texts: Iterable[str]) -> np.ndarray:
    """The cells of many texts."""
    return np.array([word(text) for text in texts], dtype=np.int64)
