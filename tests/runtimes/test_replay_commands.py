"""`replay`, `features` and `train` as they are typed: on good files, on bad rows, on mistakes."""

import json
import re
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from tests.runtimes.test_training_set import events
from tidegate.cli import app
from tidegate.models.registry import Registry

FLOW = '''
from typing import Annotated
from tidegate import Event, Flow, Label, Money, count, decline, entity, eur, mean, model, review, share

Card = entity("card")
Shop = entity("shop", key=int)


class Login(Event):
    card: Card


class Paid(Event):
    card: Card
    shop: Shop
    amount: Money
    country: str
    note: str | None
    fraud: Annotated[bool, Label(known_after="2d")]


class Risky(Flow[Paid]):
    """Find frauds."""

    currency = "EUR"
    amount = Paid.amount
    payments_1h = count(per=Card, last="1h")
    logins_1h = count(Login, per=Card, last="1h")
    shop_risk = share(Paid.fraud, per=Shop, last="10d", delay="2d")
    risk = model("risk@champion", of=[amount, payments_1h, shop_risk, Paid.country], otherwise=0.0)
    score = risk
    high = review(risk > 0.2, because="Like frauds before")
    many = decline((payments_1h >= 1) & (logins_1h >= 1), because="Many payments after a login")
'''
EUROS = ("--default", "amount.currency=EUR")


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "risky.py").write_text(FLOW)
    events().write_parquet("paid.parquet")
    events(300).select(pl.concat_str(pl.lit("l"), "id").alias("id"), "at", "card").write_ndjson("logins.ndjson")
    return tmp_path


def test_from_a_file_to_a_model_that_is_served(folder: Path) -> None:
    made = typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet")
    assert made.exit_code == 0, made.output
    assert "4,000 rows" in made.stdout and "tidegate train risky.py f.parquet" in made.stderr
    why = ("--override", "--why", "Four features, all of them told")
    trained = typed("train", "risky.py", "f.parquet", "--rounds", 40, *why)
    assert trained.exit_code == 0, trained.output
    assert "risk@1" in trained.stdout and "risk@champion stands for it" in trained.stdout
    assert "average precision" in trained.stdout
    again = typed("train", "risky.py", "f.parquet", "--rounds", 20, "--json")
    assert json.loads(again.stdout)["model"] == "risk@2"
    done = typed("replay", "risky.py", "paid.parquet", *EUROS, "--report", "r.html", "--to", "d.parquet")
    assert done.exit_code == 0, done.output
    assert "average precision" in done.stdout and "known frauds" in done.stdout
    assert "<html" in Path("r.html").read_text(encoding="utf-8")
    decided = pl.read_parquet("d.parquet")
    assert decided.height == 4000 and decided["score"].n_unique() > 20
    assert decided.columns == ["id", "at", "outcome", "score", "level", "alarm", "label"]


def test_other_events_and_a_store(folder: Path) -> None:
    words = ("replay", "risky.py", "paid.parquet", "--event", "Login=logins.ndjson", *EUROS, "--json")
    alone, kept = (json.loads(typed(*words, *more).stdout) for more in ((), ("--store", "kept.db")))
    assert alone["rows"] == kept["rows"]
    assert alone["rows"]["learned"] == 300 and alone["rows"]["decided"] == 4000
    assert alone["outcomes"] == kept["outcomes"] and alone["outcomes"]["decline"] > 0
    assert alone["rules"] == kept["rules"]
    listed = typed("decisions", "--store", "kept.db", "--limit", 1, "--json")
    assert listed.exit_code == 0 and "p3999" in listed.stdout


def test_replaying_again_into_a_store_says_that_nothing_was_decided_anew(folder: Path) -> None:
    words = ("replay", "risky.py", "paid.parquet", *EUROS, "--store", "kept.db")
    assert "already" not in typed(*words).stderr
    again = typed(*words)
    assert again.exit_code == 0, again.output
    said = " ".join(again.stderr.split())
    assert "All events were in the store kept.db already" in said and "replay into another store" in said
    assert "the source has no labels" not in again.stdout


def test_a_bad_instruction_is_told_by_its_line(folder: Path) -> None:
    Path("changes.csv").write_text(
        "id,at,rule,entity,key,until,because\n"
        "a,2026-01-01T00:00:00Z,high,card,c,2026-01-02T00:00:00Z,why\n"
        "b,2026-01-01T00:00:00Z,no such rule,card,c,2026-01-02T00:00:00Z,why\n"
    )
    words = ("replay", "risky.py", "paid.parquet", *EUROS, "--event", "Snooze=changes.csv", "--quarantine", "q.ndjson")
    done = typed(*words)
    assert done.exit_code == 0, done.output
    told = [msgspec.json.decode(line) for line in Path("q.ndjson").read_bytes().splitlines()]
    assert [one["line"] for one in told if "b: " in one.get("reason", "")] == [3], told


def test_rows_that_are_no_events_are_set_aside(folder: Path) -> None:
    rows = events(10).with_columns(pl.when(pl.col("id") == "p3").then(None).otherwise("shop").alias("shop"))
    rows.write_csv("some.csv")
    words = ("replay", "risky.py", "some.csv", *EUROS, "--default", "amount.unit=minor", "--quarantine", "q.ndjson")
    done = typed(*words)
    assert done.exit_code == 0, done.output
    assert "1 row is no event" in done.stderr and "shop is missing" in done.stderr
    first, last = (msgspec.json.decode(line) for line in Path("q.ndjson").read_bytes().splitlines())
    assert first["line"] == 5 and first["pointer"] == "/shop" and last["refused"] == 1
    assert typed(*words, "--fail-on-refused").exit_code == 1
    most = pl.when(pl.int_range(pl.len()) == 9).then(pl.col("shop"))
    events(10).with_columns(shop=most).write_csv("one.csv")
    one = typed("replay", "risky.py", "one.csv", *words[3:])
    assert one.exit_code == 0, one.output
    events(10).with_columns(shop=pl.lit(None, pl.Int64)).write_csv("none.csv")
    lost = typed("replay", "risky.py", "none.csv", *words[3:])
    assert lost.exit_code == 1 and "No event was decided" not in lost.stderr and "Next:" not in lost.stderr


def test_columns_that_are_not_read_are_said(folder: Path) -> None:
    events(10).with_columns(nota=pl.lit("x"), zone=pl.lit("y")).drop("note").write_parquet("more.parquet")
    done = typed("replay", "risky.py", "more.parquet", *EUROS)
    assert done.exit_code == 0, done.output
    assert "no column 'note', but one 'nota' that is not read" in done.stderr and "--column note=nota" in done.stderr
    assert "2 columns are not read: nota, zone" in done.stderr
    found = json.loads(typed("replay", "risky.py", "more.parquet", *EUROS, "--json").stdout)
    assert found["rows"]["unread"]["more.parquet"]["columns"] == ["nota", "zone"]


def test_a_label_beside_the_contract(folder: Path) -> None:
    Path("plain.py").write_text(FLOW.replace('    fraud: Annotated[bool, Label(known_after="2d")]\n', "").replace(
        'share(Paid.fraud, per=Shop, last="10d", delay="2d")', 'mean(Paid.amount, per=Shop, last="10d")'
    ))  # fmt: skip
    file = events().rename({"fraud": "is_fraud"}).with_columns(pl.col("is_fraud").cast(pl.Int64))
    file.write_parquet("other.parquet")
    done = json.loads(typed("replay", "plain.py", "other.parquet", *EUROS, "--label", "is_fraud", "--json").stdout)
    assert ["known frauds", f"{file['is_fraud'].sum():,} of 4,000 labelled"] in done["summary"]
    bare = json.loads(typed("replay", "plain.py", "other.parquet", *EUROS, "--json").stdout)
    assert ["known frauds", "the source has no labels"] in bare["summary"]
    assert bare["outcomes"] == done["outcomes"]
    file.rename({"is_fraud": "bad"}).write_parquet("bad.parquet")
    words = ("plain.py", "bad.parquet", *EUROS, "--label", "bad")
    bad = typed("replay", *words, "--report", "bad.html")
    assert "known bad" in bad.stdout and "fraud" not in bad.stdout, bad.stdout
    assert "Bad caught" in Path("bad.html").read_text(encoding="utf-8")
    made = json.loads(typed("features", "plain.py", "other.parquet", *EUROS, "--label", "is_fraud", "--json").stdout)
    assert made["label"] == "is_fraud" and made["positives"] == file["is_fraud"].sum()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("replay", "risky.py", "none.parquet"), "There is no file"),
        (("replay", "risky.py", "paid.parquet", "--column", "amont=amount"), "Did you mean 'amount'"),
        (("replay", "risky.py", "paid.parquet", "--column", "amount"), "--column is NAME=VALUE"),
        (("replay", "risky.py", "paid.parquet"), "in which currency"),
        (
            ("replay", "risky.py", "paid.parquet", *EUROS, "--event", "Logon=logins.ndjson"),
            "does not know Logon events",
        ),
        (("replay", "risky.py", "paid.parquet", *EUROS, "--label", "frad"), "Did you mean 'fraud'"),
        (("replay", "risky.py", "paid.parquet", *EUROS, "--label", "country"), "Paid.country is no label"),
        (("train", "risky.py", "paid.parquet", "--name", "rusk"), "asks no model 'rusk'"),
        (("train", "risky.py", "risky.py"), "cannot be read"),
        (("train", "risky.py", "paid.parquet"), "has no column"),
    ],
)
def test_mistakes_are_told_in_words(folder: Path, words: tuple[str, ...], told: str) -> None:
    done = typed(*words)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.split())


def test_a_file_out_of_order_is_told_and_put_in_order(folder: Path) -> None:
    flow = FLOW.replace(
        'share(Paid.fraud, per=Shop, last="10d", delay="2d")', 'mean(Paid.amount, per=Shop, last="1h")'
    ).replace('    currency = "EUR"', '    currency = "EUR"\n    lateness = "1h"')
    Path("short.py").write_text(flow)
    events(2000).sample(fraction=1.0, shuffle=True, seed=1).write_parquet("mixed.parquet")
    words = ("replay", "short.py", "mixed.parquet", *EUROS)
    lost = typed(*words)
    said = " ".join(lost.stderr.split())
    assert lost.exit_code == 0, lost.output
    assert "not in order of time" in said and "--sort" in said and "lateness" in said
    rows = [msgspec.json.decode(line) for line in Path("mixed.parquet.quarantine.ndjson").read_bytes().splitlines()]
    assert rows[0]["line"] > 1 and "lateness" in rows[0]["reason"] and rows[0]["original"]
    done = typed(*words, "--sort", "--to", "d.parquet")
    assert done.exit_code == 0, done.output
    events(2000).write_parquet("straight.parquet")
    assert typed("replay", "short.py", "straight.parquet", *EUROS, "--to", "e.parquet").exit_code == 0
    assert pl.read_parquet("d.parquet").equals(pl.read_parquet("e.parquet"))


def test_what_a_model_was_fitted_on_is_told_apart(folder: Path) -> None:
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    assert (
        typed("train", "risky.py", "f.parquet", "--rounds", 20, "--override", "--why", "Four features").exit_code == 0
    )
    done = json.loads(typed("replay", "risky.py", "paid.parquet", *EUROS, "--json", "--report", "r.html").stdout)
    told = dict(done["fitted_on"])
    until = Registry("models").artefact("risk@champion").card.trained_until
    seen = events().filter(pl.col("at") <= datetime.fromisoformat(until)).height
    assert 0 < seen < 4000
    assert told["fitted on"].startswith(f"{seen:,} of 4,000 events")
    assert told["on the rest"].startswith(f"{4000 - seen:,} events: average precision")
    page = Path("r.html").read_text(encoding="utf-8")
    assert "Part of this was seen in training" in page and "known to be" in page and "label unknown" not in page
    assert "alerted on" in page and "precision_at_" not in page


def test_frauds_that_are_in_no_sum_are_counted(folder: Path) -> None:
    other = events().with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("USD")).otherwise(pl.lit("EUR")).alias("cur")
    )
    other.write_parquet("two.parquet")
    words = ("replay", "risky.py", "two.parquet", "--column", "amount.currency=cur")
    done = json.loads(typed(*words, "--json").stdout)
    lacking = other.filter(pl.col("fraud") & (pl.col("cur") == "USD")).height
    assert lacking > 0 and done["frauds_not_in_sums"] == lacking
    told = typed(*words, "--event", "Login=logins.ndjson", "--report", "two.html")
    assert "have no amount in EUR" in told.stdout.replace("\n", " ")
    shown = re.findall(
        r"(USD|EUR) [\d,]+\.\d\d", Path("two.html").read_text(encoding="utf-8").partition("Some decisions")[2]
    )
    assert "USD" in shown, "amounts of examples are in their own currency"


def test_the_newest_event_is_named_where_it_was_only_learned_from(folder: Path) -> None:
    newest = events()["at"].max()
    Path("later.ndjson").write_text(f'{{"id":"L9","at":"{newest.year + 1}-01-01T00:00:00Z","card":"c"}}\n')
    words = ("replay", "risky.py", "paid.parquet", *EUROS)
    for store in ((), ("--store", "newest.db")):
        told = " ".join(typed(*words, "--event", "Login=later.ndjson", *store).stderr.split())
        assert f"only learned from: L9 of {newest.year + 1}-01-01 00:00:00 UTC (later.ndjson, line 1)" in told
    assert "only learned from" not in typed(*words).stderr


def test_a_report_with_a_store_shows_examples(folder: Path) -> None:
    words = ("replay", "risky.py", "paid.parquet", "--event", "Login=logins.ndjson", *EUROS, "--report")
    assert typed(*words, "a.html").exit_code == 0
    done = typed(*words, "b.html", "--store", "kept.db")
    assert done.exit_code == 0, done.output
    for name in ("a.html", "b.html"):
        page = Path(name).read_text(encoding="utf-8")
        assert "Some decisions" in page and "known to be" in page, name


def test_a_named_folder_without_the_model_is_refused_and_the_usual_one_may_not_be_there_yet(folder: Path) -> None:
    rows = folder / "paid.ndjson"
    rows.write_text('{"id":"a","at":"2026-01-01T00:00:00Z","card":"c","shop":1,"amount":"1.00 EUR","country":"DE"}\n')
    told = typed("replay", "risky.py", rows, "--models", "elsewhere")
    said = str(told.exception) + told.output
    assert told.exit_code != 0 and "risk@champion is not in elsewhere" in said and "--without-models" in said
    assert not (folder / "paid.ndjson.quarantine.ndjson").exists(), "nothing was read"
    for options in (("--models", "elsewhere", "--without-models"), ()):
        told = typed("replay", "risky.py", rows, *options)
        assert told.exit_code == 0 and "its otherwise was used" in " ".join(told.output.split())


def test_events_that_the_flow_reads_and_nobody_gave_are_asked_for(folder: Path) -> None:
    given = ("--event", "Login=logins.ndjson")
    asked = "No Login events were given, and 1 window and 1 rule read them"
    for command in ("replay", "features"):
        words = (command, "risky.py", "paid.parquet", *EUROS)
        said = typed(*words)
        assert said.exit_code == 0 and asked in said.stderr and "`--event Login=FILE`" in said.stderr, said.output
        assert json.loads(typed(*words, "--json").stdout)["not_given"] == ["Login"]
        assert "Login events" not in typed(*words, *given).stderr
        assert json.loads(typed(*words, *given, "--json").stdout)["not_given"] == []
    said = typed("replay", "risky.py", "paid.parquet", *EUROS)
    assert "tidegate replay risky.py paid.parquet --default amount.currency=EUR --event Login=FILE" in said.stderr


def test_check_says_which_files_to_give_and_what_nothing_reads(folder: Path) -> None:
    told = typed("check", "risky.py").stderr
    assert "tidegate replay risky.py FILE --event Login=FILE\n" in told
    assert "tidegate features risky.py FILE --event Login=FILE\n" in told
    assert json.loads(typed("check", "risky.py", "--json").stdout)["unread"] == []
    idle = FLOW + "    idle = count(per=Card, last='2h')\n    built = idle + 1\n    small = payments_1h < 2\n"
    Path("idle.py").write_text(idle)
    assert json.loads(typed("check", "idle.py", "--json").stdout)["unread"] == ["built", "small"]
    assert (
        "read by nothing, only noted with each decision and in training sets: built, small\n"
        in typed("check", "idle.py").stdout
    )


def test_train_says_what_the_embargo_took_and_what_is_the_same_in_every_row(folder: Path) -> None:
    made = typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet", "--json")
    told = typed("train", "risky.py", "f.parquet", "--rounds", 5)
    assert "There seem to be no Login events in this training set: logins_1h is the same" in told.stderr, told.output
    assert "--event Login=FILE --models" in told.stderr
    rows = pl.read_parquet("f.parquet").height
    facts = json.loads(typed("train", "risky.py", "f.parquet", "--rounds", 5, "--json").stdout)
    assert facts["embargoed"] == rows - facts["rows"] - facts["figures"]["rows"] > 0
    assert f"The embargo took {facts['embargoed']:,} rows" in told.stdout
    made = typed("features", "risky.py", "paid.parquet", *EUROS, "--event", "Login=logins.ndjson", "--to", "f.parquet")
    assert made.exit_code == 0 and "Login" not in typed("train", "risky.py", "f.parquet", "--rounds", 5).stderr.replace(
        "--event Login=FILE --models", ""
    )


def test_after_a_file_out_of_order_the_next_line_sorts_it(folder: Path) -> None:
    events(2000).sample(fraction=1.0, shuffle=True, seed=1).write_parquet("mixed.parquet")
    Path("broken.ndjson").write_text(Path("logins.ndjson").read_text() + "{\n")
    told = typed("replay", "risky.py", "mixed.parquet", *EUROS, "--event", "Login=broken.ndjson")
    assert "begin again" in told.stderr and "amount.currency=EUR --sort --report" in told.stderr
    assert "1  Login is not well-formed JSON\n" in told.stderr, told.stderr
