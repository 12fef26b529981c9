"""Decisions told to a search server, against its own bulk client sending documents that were prepared before.

    python -m benchmarks.search [--decisions 40000] [--rounds 3] [--server opensearch|elasticsearch]

Ours reads the store, makes the documents, sends them and notes how far it came; the peer, `helpers.bulk` of the
product's own client, sends the same documents, made beforehand, 2,000 at a time. A real node, in the same run, rounds
alternating, each into an index of its own.
"""

import argparse
import importlib
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec

from benchmarks.targets import Targets
from tests.servers.search import Elasticsearch, Node, OpenSearch
from tidegate import Engine, Store
from tidegate.actions.document import Document, document
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_mapping import month_of
from tidegate.connectors.store_reading import stored
from tidegate.runtimes.delivery import Delivery
from tidegate.runtimes.sinks import search_server


def fill(path: Path, many: int) -> None:
    """A store of so many decisions with rules, reasons and windows: the workload of the other benchmarks."""
    from benchmarks.decision import bodies_of, forest_text, workload
    from benchmarks.w1_flow import W1, W1Decision
    from tidegate.models.artefact import Artefact, Card, ModelFeature
    from tidegate.models.registry import Registry

    bodies = bodies_of(workload().make(many, 7))
    features = tuple(ModelFeature(name) for name in W1.definition.features)
    card = Card(name="w1", version="1", objective="binary", features=features)
    models = Registry(path.parent / "models")
    models.add(
        Artefact(card, forest_text(bodies[:20_000]).encode()),
        alias="champion",
        override=True,
        why="A benchmark's model",
    )
    with Store.open(path) as store:
        engine = Engine(W1Decision, store=store, models=models)
        for start in range(0, many, 1000):
            engine.decide_json_many(bodies[start : start + 1000])


def ours(store: Store, folder: Path, address: str) -> float:
    """Seconds to tell everything."""
    with AlertsFile(folder) as file:
        sink = search_server(address)
        began = perf_counter()
        delivery = Delivery(store, file, sink)
        delivery.catch_up()
        took = perf_counter() - began
        sink.close()
    if delivery.figures.held or delivery.figures.told != store.head().size:
        raise SystemExit(f"{delivery.figures.told:,} documents were taken, {delivery.figures.held:,} held")
    return took


def peer(product: str, port: int, index: str, documents: list[dict[str, Any]]) -> float:
    """Seconds for the product's own client to send prepared documents."""
    name = {"opensearch": "opensearchpy", "elasticsearch": "elasticsearch"}[product]
    module, helpers = importlib.import_module(name), importlib.import_module(f"{name}.helpers")
    client = (module.OpenSearch if product == "opensearch" else module.Elasticsearch)(f"http://127.0.0.1:{port}")
    prepared = [one | {"_index": index + one["_index"]} for one in documents]
    began = perf_counter()
    done, failed = helpers.bulk(client, prepared, chunk_size=2000)
    took = perf_counter() - began
    if failed or done != len(documents):
        raise SystemExit(f"{len(failed)} documents were not taken")
    client.close()
    return took


def prepared(store: Store) -> list[dict[str, Any]]:
    """The documents, as the client takes them."""
    made: list[Document] = []
    size = store.head().size
    for start in range(0, size, 2000):
        made += [one for row in store.rows(start, 2000) if (one := document(stored(row))) is not None]
    return [
        {"_op_type": "create", "_index": f"-{month_of(one.us)}", "_id": one.id, "_source": msgspec.to_builtins(one)}
        for one in made
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=("opensearch", "elasticsearch"), default="opensearch")
    args = parser.parse_args()
    kind: type[Node] = {"opensearch": OpenSearch, "elasticsearch": Elasticsearch}[args.server]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "store.db", args.decisions)
        with kind(folder / "node") as node, Store.open(folder / "store.db", read_only=True) as store:
            documents = prepared(store)
            ours(store, folder / "warm", f"{node.address}/warm")
            template = search_server(f"{node.address}/peer")
            template._make_template()  # the peer's documents are indexed in the same way
            times: dict[str, list[float]] = {"ours": [], "peer": []}
            for number in range(args.rounds):
                turns = {
                    "ours": partial(ours, store, folder / f"a{number}", f"{node.address}/ours{number}"),
                    "peer": partial(peer, args.server, node.port, f"peer-{number}", documents),
                }
                # Each begins every other round, since what one leaves to be merged burdens the next.
                for who in sorted(turns, reverse=bool(number % 2)):
                    times[who].append(turns[who]())
    many = len(documents)
    for who, words in (("ours", "Tidegate, from the store"), ("peer", f"{args.server}'s client, prepared")):
        print(f"{words:36}{many / median(times[who]):12,.0f} decisions/s")
    ratio = median(b / a for a, b in zip(times["ours"], times["peer"], strict=True))
    print(f"against the client: {ratio:.0%} (must 50 %, goal 80 %)")
    targets = Targets(held=True)
    targets.ratio("against the client", ratio, least=0.5)
    targets.end()


if __name__ == "__main__":
    main()
