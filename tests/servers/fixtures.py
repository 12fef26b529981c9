"""Servers as fixtures: one of each for a whole run of tests, started when a test first asks for it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.servers.maven import UnavailableError

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka
    from tests.servers.postgres import Postgres
    from tests.servers.registry import Registry
    from tests.servers.search import Elasticsearch, OpenSearch
    from tests.servers.secure import SecureKafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Kafka]":
    """A broker that all tests of a run share; each makes topics of its own (`topic`)."""
    from tests.servers.kafka import Kafka  # its client is loaded by those who ask for it

    try:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with broker:
        yield broker


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SecureKafka]":
    """A broker with TLS and SASL that all tests of a run share."""
    from tests.servers.secure import SecureKafka

    try:
        broker = SecureKafka(tmp_path_factory.mktemp("secure"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with broker:
        broker.add_user()
        yield broker


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[OpenSearch]":
    """A node that all tests of a run share; each makes indices of its own."""
    from tests.servers.search import OpenSearch

    try:
        node = OpenSearch(tmp_path_factory.mktemp("opensearch"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with node:
        yield node


@pytest.fixture(scope="session")
def elasticsearch(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Elasticsearch]":
    """A node that all tests of a run share; each makes indices of its own."""
    from tests.servers.search import Elasticsearch

    try:
        node = Elasticsearch(tmp_path_factory.mktemp("elasticsearch"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with node:
        yield node


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Postgres]":
    """A cluster that all tests of a run share; each makes schemas of its own (`room`)."""
    from tests.servers.postgres import Postgres

    try:
        cluster = Postgres(tmp_path_factory.mktemp("postgres"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with cluster:
        yield cluster


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Registry]":
    """A schema registry that all tests of a run share; each makes subjects of its own."""
    from tests.servers.registry import Registry

    try:
        server = Registry(tmp_path_factory.mktemp("registry"))
    except UnavailableError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def own() -> str:
    """A word that nothing else is named by, to begin the names of topics and groups with."""
    return f"t{uuid4().hex[:10]}"
