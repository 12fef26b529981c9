"""`tidegate new`: a folder with a flow of one's own and some events to run it on."""

import re
from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.terminal import next_steps, out

_FLOW = '''\
"""{name}: what happens, what is known of it, and what to do about it."""

from typing import Annotated

from tidegate import Event, Field, Flow, Label, Money, approve, bands, count, decline, distinct, entity, eur, has_seen
from tidegate import mean, model, review, since_last, total

Card = entity("card")
Merchant = entity("merchant")


class Payment(Event):
    """A card payment that asks for an answer. Every event also has an `id` and a time, `at`."""

    card: Card
    merchant: Merchant
    country: Annotated[str, Field(description="Where the payer is, ISO 3166", max_length=2)]
    online: bool
    amount: Annotated[Money, Field(currency="EUR")]
    fraud: Annotated[bool | None, Label(known_after="7d")]  # what it turned out to be; a live event leaves it out


class {flow}(Flow[Payment]):
    """Stop stolen cards; leave honest customers alone."""

    # what we know: of the card's past, as of each payment
    payments_10m = count(per=Card, last="10m")
    spent_1d = total(Payment.amount, per=Card, last="1d")
    usual_amount = mean(Payment.amount, per=Card, last="30d")
    times_usual = Payment.amount / usual_amount
    countries_1d = distinct(Payment.country, per=Card, last="1d")
    known_merchant = has_seen(Payment.merchant, per=Card, last="90d")
    known_country = has_seen(Payment.country, per=Card, last="90d")
    quiet_for = since_last(per=Card, last="30d")
    small_30m = count(per=Card, last="30m", where=Payment.amount < eur(5))

    # what we infer; until a model is trained, its `otherwise` is used: serve it `--without-models` till then. It is
    # given money, so that reasons say EUR
    risk = model(
        "{model}@champion",
        of=[
            Payment.amount, payments_10m, spent_1d, times_usual, countries_1d, known_merchant, known_country,
            quiet_for, small_30m,
        ],
        otherwise=0.0,
    )

    # what we think
    testing = decline(
        (small_30m >= 3) & (Payment.amount < eur(5)) & Payment.online & ~known_merchant,
        because="Small payments in quick succession, as when a stolen card is tested",
    )
    unusual = review(risk > 0.5, because="Unlike this card's history")
    much_above_usual = review(
        (times_usual > 10) & (Payment.amount > eur(300)) & ~known_merchant,
        because="Ten times what this card usually pays, at a shop it never paid",
    )
    familiar = approve(known_merchant & (times_usual < 2), because="An ordinary payment where this card paid before")

    # how bad it looks
    score = risk
    level = bands(risk, low=0.0, elevated=0.1, high=0.5)
    alarm = risk > 0.7
'''


def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What it is for, such as card_fraud: the name of the folder and the file."),
    ],
    folder: Annotated[Path | None, typer.Option("--in", help="Where to make the folder; here, unless told.")] = None,
    rows: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="How many sample payments to make, about.")
    ] = 15_000,
) -> None:
    """Make a folder with a flow that runs, and sample payments from a simulated world to run it on."""
    from tidegate.errors import TidegateError

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,60}", name):
        raise TidegateError(
            "A name is letters, digits, _ and -, and begins with a letter.",
            seen=repr(name),
            do="Write, for example, `tidegate new card_fraud`.",
        )
    word = name.replace("-", "_").lower()
    target = (folder or Path()) / name
    flow = target / f"{word}.py"
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TidegateError(
            f"{target} exists already.", seen="something in its place", do="Choose another name, or move it away."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        title = "".join(part.title() for part in word.split("_"))
        model = word.strip("_").replace("_", "-") + "-risk"
        title += "Flow" if title in ("Payment", "Card", "Merchant", "Event", "Flow", "Money") else ""
        flow.write_text(_FLOW.format(name=title, flow=title, model=model), encoding="utf-8")
        many = _sample(target / "payments.csv", rows)
    except OSError as error:
        raise TidegateError(
            f"{target} cannot be written.", seen=error.strerror or str(error), do="Choose another folder with --in."
        ) from None
    console = out()
    console.print(f"Made [bold]{flow}[/], a flow on card payments,", soft_wrap=True)
    console.print(
        f"and [bold]{target / 'payments.csv'}[/], {many:,} simulated payments with labels, to try it on.",
        soft_wrap=True,
    )
    next_steps(
        f"cd {target}  everything below is typed there",
        f"tidegate check {flow.name}  what the flow is: contract, features, memory, rules",
        f"tidegate replay {flow.name} payments.csv  decide the past, and see what would have been caught",
        f"tidegate serve {flow.name} --without-models  decide over HTTP, before a model is trained",
        away=True,
    )


def _sample(path: Path, rows: int) -> int:
    """Write simulated payments as CSV; gives how many."""
    import polars as pl

    from tidegate.solutions.world import World

    # Three months, because labels are known only a week later, and training, stopping and judging each need some.
    customers, daily = 200, 0.8
    days = max(2, round(rows / customers / daily))
    world = World(
        seed=5,
        customers=customers,
        merchants=200,
        days=days,
        start="2025-09-01",
        payments_per_day=daily,
        fraud_rate=0.03,
    )
    whole = pl.concat(list(world.payments()))
    table = whole.select(
        pl.format("p{}", "id").alias("id"),
        pl.col("at").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"),
        pl.format("card-{}", "card").alias("card"),
        pl.format("shop-{}", "merchant").alias("merchant"),
        pl.col("country").cast(pl.String),
        (pl.col("channel").cast(pl.String) == "online").alias("online"),
        pl.format("{}.{} EUR", pl.col("amount") // 100, (pl.col("amount") % 100).cast(pl.String).str.zfill(2)).alias(
            "amount"
        ),
        pl.col("fraud"),
    )
    table.write_csv(path)
    return table.height
