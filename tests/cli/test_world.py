"""A world is written out: the same for the same seed."""

import json
from pathlib import Path

import polars as pl

from tests.cli.conftest import typed


def test_the_same_seed_writes_the_same_world(tmp_path: Path) -> None:
    rows = []
    for name in ("a", "b"):
        done = typed("world", "--out", tmp_path / name, "--customers", 200, "--merchants", 200, "--days", 2, "--json")
        assert done.exit_code == 0, done.output
        rows.append(json.loads(done.stdout)["rows"])
    assert rows[0] == rows[1] and rows[0]["payment"] > 100
    one, other = (pl.read_parquet(tmp_path / name / "payment.parquet") for name in ("a", "b"))
    assert one.equals(other) and one.height == rows[0]["payment"]
    refused = typed("world", "--out", tmp_path / "c", "--customers", 3)
    assert refused.exit_code == 2 and "out of range" in refused.stderr
