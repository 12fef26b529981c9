"""What commands that use Kafka share."""

from importlib.util import find_spec

from tidegate.errors import StreamError


def require_client() -> None:
    """Make sure that the client of Kafka is installed.

    Raises:
        StreamError: it is not.
    """
    if find_spec("confluent_kafka") is None:
        raise StreamError("The client of Kafka is not installed.", do="pip install 'tidegate[kafka]'")
