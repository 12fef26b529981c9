"""PyFlink and a model, for all tests of this folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flink.traffic import stored_model
from tidegate.connectors.flink.environment import Environment, environment

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka


@pytest.fixture(scope="session")
def flink(kafka: "Kafka") -> Environment:
    """PyFlink; made the first time, which takes minutes. Those who have Kafka for tests have Java and Maven too."""
    return environment(print)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the watched flow's model."""
    folder = tmp_path_factory.mktemp("models")
    stored_model(folder)
    return folder
