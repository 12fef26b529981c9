"""Real servers for tests and trials (`make servers`): fetched once, started on loopback, stopped with Ctrl-C.

python -m tests.servers fetch [NAME…]     only fetch what they need
python -m tests.servers run [NAME…]       start them and wait
"""

import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.servers import kafka, postgres, registry, search
from tests.servers.maven import UnavailableError
from tests.servers.server import Server

SERVERS: dict[str, tuple[Callable[[], object], Callable[[Path], Server]]] = {
    "kafka": (kafka.fetch, lambda folder: kafka.Kafka(folder, 9092)),
    "registry": (registry.fetch, lambda folder: registry.Registry(folder, 8081)),
    "postgres": (postgres.fetch, lambda folder: postgres.Postgres(folder, 5433)),
    "opensearch": (search.OpenSearch.fetch, lambda folder: search.OpenSearch(folder, 9200)),
    "elasticsearch": (search.Elasticsearch.fetch, lambda folder: search.Elasticsearch(folder, 9201)),
}
"""What fetches each, and what makes one in a folder. A further server is a further line."""


def main(verb: str, *names: str) -> int:
    """Do it; 1 if one of them cannot be had here."""
    chosen = names or tuple(SERVERS)
    unknown = sorted(set(chosen) - set(SERVERS))
    if verb not in ("fetch", "run") or unknown:
        print(f"{__doc__}\nThere are: {', '.join(SERVERS)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidegate-servers-")))
        for name in chosen:
            fetch, make = SERVERS[name]
            try:
                fetch()
                if verb == "run":
                    server = stack.enter_context(make(home / name))
                    print(f"{server.name} is ready on {server.where}", flush=True)
            except (UnavailableError, RuntimeError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
        if verb == "run":
            print("Ctrl-C stops them; what they hold is gone then.", flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print("stopping")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or [""])))
