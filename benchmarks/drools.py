"""DMN here against Drools on the same models and inputs, and a DRL package in a flow against bare Drools.

    python -m benchmarks.drools

One evaluation a call. Drools runs in this process, its compiled classes warmed before anything is timed; each is given
inputs in its own values, made beforehand, and their answers are compared first. A call of Drools' DMN crosses from
Python to Java four times, which costs it some microseconds. A session of bare Drools has the facts, the
firing and the one result, as ours has; ours adds the deadline, the listener that names the rules, and the flow.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tidegate import Engine, Event, Flow, Money, drools, entity, eur, review
from tidegate.connectors.drools.jars import fetch
from tidegate.connectors.drools.java import java, java_class
from tidegate.connectors.drools.package import compiled
from tidegate.decisions.dmn import read_dmn
from tidegate.expressions.feel.numbers import number

SPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
Ask = dict[str, Any]
Card = entity("card")
DRL = """package bank;
declare Paid
    amount : java.math.BigDecimal
    country : String
end
declare Assessment
    risk : double
end
rule "large abroad" when Paid(amount > 1000, country != "DE") then insert(new Assessment(0.9)); end
rule "usual" when Paid(amount <= 1000 || country == "DE") then insert(new Assessment(0.1)); end
"""


def model(decision: str) -> bytes:
    """A model of one decision over two numbers and a text."""
    inputs = "".join(
        f'<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'
        for name, kind in (("amount", "number"), ("age", "number"), ("country", "string"))
    )
    needs = "".join(
        f'<informationRequirement><requiredInput href="#{name}"/></informationRequirement>'
        for name in ("amount", "age", "country")
    )
    return (
        f'<definitions xmlns="{SPACE}" name="bench" namespace="urn:bench">{inputs}'
        f'<decision id="D" name="D"><variable name="D"/>{needs}{decision}</decision></definitions>'
    ).encode()


def table(rows: int) -> str:
    """A table of so many bands of the amount, two ages and three countries, with the first that matches."""
    made = "".join(
        f"<input><inputExpression><text>{name}</text></inputExpression></input>"
        for name in ("amount", "age", "country")
    )
    rng = random.Random(7)
    for row in range(rows):
        low = row * 10_000 // rows
        cells = [
            f"[{low}..{low + 400})",
            rng.choice(["< 40", ">= 40", "-"]),
            rng.choice(['"DE", "FR"', 'not("DE")', "-"]),
        ]
        texts = "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
        made += f"<rule>{texts}<outputEntry><text>{row} + age / 100</text></outputEntry></rule>"
    return f'<decisionTable hitPolicy="FIRST">{made.replace("<rule>", "<output/><rule>", 1)}</decisionTable>'


def literal(text: str) -> str:
    """A literal expression."""
    return f"<literalExpression><text>{escape(text)}</text></literalExpression>"


MODELS = {
    "arithmetic": literal('if country = "DE" then decimal(amount * 0.0125 + age / 12, 2) else amount / 3'),
    "lists and texts": literal(
        'sum(for i in 1..10 return i * amount) + count(split("a,b,c", ",")[item != "b"])'
        " + string length(upper case(country))"
    ),
    "table of 10 rows": table(10),
    "table of 100 rows": table(100),
}


def _failure() -> Any:
    told = {"apply": lambda error: java_class("java.lang.RuntimeException")(str(error))}
    return java().JProxy("java.util.function.Function", dict=told)


class Peer:
    """A model in Drools, ready to be asked."""

    def __init__(self, data: bytes) -> None:
        resource = java_class("org.kie.internal.io.ResourceFactory").newByteArrayResource(
            java().JArray(java().JByte)(data)
        )
        resource.setSourcePath("bench.dmn")
        builder = java_class("org.kie.dmn.core.internal.utils.DMNRuntimeBuilder").fromDefaults().buildConfiguration()
        listed = java_class("java.util.Collections").singletonList(resource)
        self.runtime = builder.fromResources(listed).getOrElseThrow(
            java_class("java.util.function.Function").identity()
        )
        self.model = self.runtime.getModels().get(0)

    def context(self, ask: Ask) -> Any:
        """An input in Java's values."""
        made = self.runtime.newContext()
        for name, value in ask.items():
            text = isinstance(value, str)
            made.set(name, java_class("java.lang.String" if text else "java.math.BigDecimal")(str(value)))
        return made

    def evaluate(self, context: Any) -> Any:
        """The decision's result, left in Java."""
        return self.runtime.evaluateAll(self.model, context).getDecisionResultByName("D").getResult()


def together(
    ours: Callable[[Any], Any], theirs: Callable[[Any], Any], asks: list[tuple[Any, Any]], seconds: float
) -> str:
    """Microseconds of a call of each, and how many times as fast ours is: medians of rounds that take turns."""
    taken: list[tuple[float, float]] = []
    until = time.perf_counter() + seconds
    while len(taken) < 5 or time.perf_counter() < until:
        pair = []
        for side, ask in enumerate((ours, theirs)):
            began = time.perf_counter()
            for one in asks:
                ask(one[side])
            pair.append((time.perf_counter() - began) / len(asks) * 1e6)
        taken.append((pair[0], pair[1]))
    a, b = (statistics.median(one[side] for one in taken) for side in (0, 1))
    return f"{a:>10.1f} µs {b:>10.1f} µs {statistics.median(one[1] / one[0] for one in taken):>8.2f}x"


def dmn(name: str, decision: str, asks: list[Ask], seconds: float) -> None:
    """One model on both sides."""
    data = model(decision)
    ours, peer = read_dmn(data, "bench.dmn"), Peer(data)
    made = [({k: v if isinstance(v, str) else number(v) for k, v in ask.items()}, peer.context(ask)) for ask in asks]
    for mine, theirs in made:
        a, b = ours.evaluate("D", mine).value, peer.evaluate(theirs)
        assert (a is None) is (b is None) and (a is None or a == number(str(b))), f"{name}: {mine}: {a}, Drools {b}"
    for _ in range(30):
        for _, theirs in made:
            peer.evaluate(theirs)
    print(f"{name:<22}{together(lambda one: ours.evaluate('D', one), peer.evaluate, made, seconds)}")


class Payment(Event):
    """A payment."""

    card: Card
    amount: Money
    country: str


def drl(seconds: float, asks: list[Ask]) -> None:
    """A package as a node of a flow against bare sessions of it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bank.drl"
        file.write_text(DRL)

        class Fraud(Flow[Payment]):
            """Asks the bank's rules."""

            currency = "EUR"
            checked = drools(
                file,
                given={"Paid": {"amount": Payment.amount, "country": Payment.country}},
                gives={"Assessment": {"risk": float}},
                otherwise={"risk": 0.0},
                deadline="1s",
            )
            risky = review(checked.risk > 0.5, because="The bank's rules say so")

        engine, package = Engine(Fraud), compiled(DRL.encode(), "bank.drl")
    paid, result = package.fact_type("Paid"), package.fact_type("Assessment")
    kept = java_class("org.kie.api.runtime.ClassObjectFilter")(result.getFactClass())

    def bare(ask: Ask) -> float:
        session = package.base.newKieSession()
        fact = paid.newInstance()
        paid.set(fact, "amount", java_class("java.math.BigDecimal")(ask["amount"]))
        paid.set(fact, "country", ask["country"])
        session.insert(fact)
        session.fireAllRules()
        found = float(result.get(next(iter(session.getObjects(kept))), "risk"))
        session.dispose()
        return found

    at, counted = datetime(2026, 1, 1, tzinfo=UTC), iter(range(10**9))

    def flow(ask: Ask) -> Any:
        amount = eur(int(ask["amount"]))
        return engine.decide(Payment(id=str(next(counted)), at=at, card="c", amount=amount, country=ask["country"]))

    for ask in asks[:50]:
        assert (flow(ask).outcome == "review") is (bare(ask) > 0.5), ask
    print(f"{'DRL in a flow':<22}{together(flow, bare, [(ask, ask) for ask in asks[:100]], seconds)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each pair is measured, at least")
    parser.add_argument("--asks", type=int, default=300, help="different inputs")
    given = parser.parse_args()
    fetch()
    rng = random.Random(7)
    asks = [
        {
            "amount": str(rng.randrange(10_000)),
            "age": str(rng.randrange(18, 90)),
            "country": rng.choice(["DE", "FR", "US"]),
        }
        for _ in range(given.asks)
    ]
    numbers: list[Ask] = [{k: v if k == "country" else int(v) for k, v in ask.items()} for ask in asks]
    print(f"{'one evaluation a call':<22}{'Tidegate':>13} {'Drools':>13} {'faster':>9}")
    for name, decision in MODELS.items():
        dmn(name, decision, numbers, given.seconds)
    drl(given.seconds, asks)


if __name__ == "__main__":
    main()
