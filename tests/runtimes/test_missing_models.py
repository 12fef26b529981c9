"""A stored model that is not where its flow's models are said to be: refused by name before anything is decided."""

from pathlib import Path

import pytest

from tests.runtimes.test_training_set import Risky, events
from tidegate import Engine, ModelError, Registry
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.training_set import training_set

EUROS = {"amount.currency": "EUR"}


def test_an_engine_does_not_start_on_a_registry_that_lacks_it(tmp_path: Path) -> None:
    for given in ("no_such_dir", tmp_path / "no_such_dir", Registry(tmp_path)):
        with pytest.raises(ModelError, match=r"The model .*@champion is not in .*no models at all.*otherwise") as told:
            Engine(Risky, models=given)
        assert "--without-models" not in str(told.value)  # which is for the command line


def test_the_nearest_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (reference,) = {node.reference for node in Risky.definition.models}
    near = reference.replace("champion", "champoin")
    monkeypatch.setattr(Registry, "references", lambda self: (near,))
    with pytest.raises(ModelError, match=f"Did you mean {near}"):
        Engine(Risky, models=Registry(tmp_path))


def test_a_replay_does_not_begin_on_a_registry_that_lacks_it(tmp_path: Path) -> None:
    rows = events(20)
    with pytest.raises(ModelError, match="is not in"):
        replay(Risky, rows, models=str(tmp_path / "no_such_dir"))


def test_where_none_are_given_its_otherwise_is_what_it_is_for(tmp_path: Path) -> None:
    rows = events(20)
    assert replay(Risky, rows, defaults=EUROS).counts.decided == 20
    assert replay(Risky, rows, defaults=EUROS, models={}).counts.decided == 20
    assert not Engine(Risky).models and not Engine(Risky, models={}).models
    # Features are what a model is trained on, so there is none yet.
    assert training_set(Risky, rows, defaults=EUROS, models=str(tmp_path / "none")).table.height == 20
