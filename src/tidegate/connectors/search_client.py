"""The clients of Elasticsearch and OpenSearch, each the official one, asked alike."""

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tidegate.actions.sink import UnavailableError
from tidegate.connectors.trust import trusting
from tidegate.errors import TidegateError

_TIMEOUT = 30.0
_JSON = {"accept": "application/json"}
_Ask = Callable[[str, str, Mapping[str, str], bytes | None, Mapping[str, str]], tuple[int, Any]]


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: Any


class Client:
    """One cluster.

    Args:
        name: its address, without secrets.
        ask: sends one request.
        close: lets go of the connections.
    """

    def __init__(self, name: str, ask: _Ask, close: Callable[[], None]) -> None:
        self.name, self._ask, self.close = name, ask, close

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request, whatever its status.

        Raises:
            UnavailableError: nobody answers, or not in time.
        """
        headers = dict(_JSON)
        if body is not None:
            headers["content-type"] = "application/x-ndjson" if path.endswith("_bulk") else "application/json"
        return Answer(*self._ask(method, path, params or {}, body, headers))


class Address(NamedTuple):
    """Where a cluster is, read from `elasticsearch://HOST:9200/NAME` or `opensearch+https://USER@HOST/NAME?stream=1`."""

    product: str
    url: str
    indices: str
    user: str
    password: str
    api_key: str
    stream: bool
    ca: str


def read_address(text: str) -> Address:
    """The parts of an address; secrets come from the environment.

    `TIDEGATE_SEARCH_PASSWORD` is the user's, `TIDEGATE_SEARCH_API_KEY` an API key (Elasticsearch).

    Raises:
        TidegateError: it is none.
    """
    parts = urlsplit(text)
    product, _, scheme = parts.scheme.partition("+")
    index = parts.path.strip("/") or "tidegate-decisions"
    more = parse_qs(parts.query)
    if product not in ("elasticsearch", "opensearch") or scheme not in ("", "http", "https") or not parts.hostname:
        raise _no_address(parts)
    if set(more) - {"stream", "ca"} or not _is_name(index):
        raise _no_address(parts)
    return Address(
        product=product,
        url=f"{scheme or 'http'}://{_host(parts.hostname)}:{parts.port or 9200}",
        indices=index,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or "") or os.environ.get("TIDEGATE_SEARCH_PASSWORD", ""),
        api_key=os.environ.get("TIDEGATE_SEARCH_API_KEY", ""),
        stream=more.get("stream", ["0"])[0] in ("1", "true", "yes"),
        ca=more.get("ca", [""])[0],
    )


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _is_name(index: str) -> bool:
    return index == index.lower() and index[0] not in "-_+." and not set(index) & set('\\/*?"<>| ,#:')


def _no_address(parts: SplitResult) -> TidegateError:
    return TidegateError(
        "That is no address of a search server.",
        seen=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",  # without a password
        do="Write elasticsearch://HOST:9200/NAME or opensearch+https://USER@HOST:9200/NAME; add ?stream=1 for a data "
        "stream, ?ca=FILE for an authority of your own. NAME is in lower case.",
    )


def connect(address: Address) -> Client:
    """A client of a cluster; nothing is asked yet.

    Raises:
        TidegateError: the product's client is not installed, or the authority's file cannot be read.
    """
    try:
        return _elasticsearch(address) if address.product == "elasticsearch" else _opensearch(address)
    except ImportError as error:
        raise TidegateError.not_installed(f"{address.product}://…", "its client", address.product, error) from None


def _trusted(address: Address) -> ssl.SSLContext:
    try:
        return trusting(address.ca)
    except (OSError, ssl.SSLError) as error:
        raise TidegateError("The authority's certificate cannot be read.", seen=f"{address.ca}: {error}") from None


def _unavailable(url: str, error: Exception) -> UnavailableError:
    # What stands in the message is the library's: a refused connection, a name not known, an expired certificate.
    return UnavailableError(
        f"{url} does not answer.", seen=str(error)[:300], do="Look at the address, the network and the certificate."
    )


def _elasticsearch(address: Address) -> Client:
    from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

    more: dict[str, Any] = {}
    if address.url.startswith("https"):
        more["ssl_context"] = _trusted(address)
    if address.api_key:
        more["api_key"] = address.api_key
    elif address.user:
        more["basic_auth"] = (address.user, address.password)
    client = Elasticsearch(address.url, request_timeout=_TIMEOUT, max_retries=0, retry_on_timeout=False, **more)

    def ask(
        method: str, path: str, params: Mapping[str, str], body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        try:
            answer = client.perform_request(method, path, params=params, body=body, headers=headers)
            return answer.meta.status, answer.body
        except UnsupportedProductError as error:
            raise _other_product(address, str(error)) from None
        except ApiError as error:
            if error.meta.status == 406:  # it does not know what Elasticsearch 8 calls its JSON
                raise _other_product(address, str(error.body)) from None
            return error.meta.status, error.body
        except TransportError as error:
            raise _unavailable(address.url, error) from error

    return Client(f"elasticsearch at {address.url}", ask, client.close)


def _other_product(address: Address, said: str) -> UnavailableError:
    return UnavailableError(
        f"{address.url} is not Elasticsearch 8 or later.", seen=said[:200], do="Write opensearch:// for OpenSearch."
    )


def _opensearch(address: Address) -> Client:
    from opensearchpy import OpenSearch
    from opensearchpy.exceptions import ConnectionError as NotConnectedError
    from opensearchpy.exceptions import SerializationError, TransportError

    more: dict[str, Any] = {}
    if address.url.startswith("https"):
        more["ssl_context"] = _trusted(address)
    if address.user:
        more["http_auth"] = (address.user, address.password)
    client = OpenSearch(address.url, timeout=_TIMEOUT, max_retries=0, retry_on_timeout=False, **more)

    def ask(
        method: str, path: str, params: Mapping[str, str], body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        try:
            return 200, client.transport.perform_request(method, path, params=params, body=body, headers=headers)
        except NotConnectedError as error:
            raise _unavailable(address.url, error) from error
        except TransportError as error:
            return int(error.status_code), error.info
        except SerializationError as error:
            raise _unavailable(address.url, error) from error

    return Client(f"opensearch at {address.url}", ask, client.close)
