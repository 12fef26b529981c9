"""The published benchmark of the fraud detection handbook: its features and its protocol, through our engine."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import handbook, handbook_protocol


@pytest.fixture(scope="module")
def data(shared: Path) -> handbook.Data:
    folder = shared / "data" / "handbook"
    if not folder.is_dir():
        pytest.skip(f"TIDEGATE_SHARED: no folder {folder}")
    return handbook.replayed(folder)


def test_every_golden_feature_is_equal(data: handbook.Data) -> None:
    wrong = handbook.golden_differences(data)
    assert len(wrong) == 14
    assert not any(wrong.values()), wrong


def test_the_published_protocol(data: handbook.Data) -> None:
    split = handbook_protocol.split(data.payments)
    fraud = data.payments.fraud
    assert (len(split.train), int(fraud[split.train].sum())) == (67_240, 598)
    assert (len(split.test), int(fraud[split.test].sum())) == (58_264, 385)
    _, precision, cards = handbook.figures(data, handbook.trained(data, seed=0))
    assert precision >= 0.70
    assert cards >= 0.29


def test_the_table_is_in_the_order_of_the_file(data: handbook.Data) -> None:
    assert np.array_equal(data.table["at"].to_physical().to_numpy(), data.payments.at)
    assert np.array_equal(data.table["fraud"].to_numpy(), data.payments.fraud)
    assert np.array_equal(data.table["customer"].to_numpy(), data.payments.customer)
