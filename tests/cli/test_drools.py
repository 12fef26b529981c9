"""`tidegate drools`: packages checked and run over lines of facts, and what is wrong with either told by its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.connectors.drools import jars

from .conftest import typed

DRL = """package bank;
declare Payment
    amount : java.math.BigDecimal
    count : long
    country : String
end
declare Assessment
    risk : double
    reason : String
end
global java.util.List log
rule "large abroad"
when
    Payment(amount > 1000, $c : country != "DE")
then
    insert(new Assessment(0.9, "large, to " + $c));
end
rule "from a map"
when
    java.util.Map(this["amount"] > 5)
then
    insert(new Assessment(0.4, "mapped"));
end
rule "stuck"
when
    $p : Payment(country == "LOOP", count >= 0)
then
    modify($p) { setCount($p.getCount() + 1) }
end
rule "broken"
when
    Payment(country == "XX")
then
    throw new IllegalStateException("no rate");
end
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    jars.fetch()
    path = tmp_path_factory.mktemp("drl") / "bank.drl"
    path.write_text(DRL)
    return path


def run(bank: Path, tmp_path: Path, *lines: Any, deadline: str = "3s") -> tuple[int, list[dict[str, Any]], str]:
    facts = tmp_path / "facts.ndjson"
    facts.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    result = typed("drools", "run", bank, facts, "--deadline", deadline)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_the_jars_are_there_or_come(bank: Path) -> None:
    result = typed("drools", "fetch")
    assert result.exit_code == 0 and f"Drools {jars.VERSION}" in result.stdout and "jars in" in result.stdout


def test_a_package_is_told(bank: Path) -> None:
    result = typed("drools", "check", bank)
    assert result.exit_code == 0, result.output
    assert "bank: 4 rules" in result.stdout and "rule large abroad" in result.stdout
    assert "type Payment: amount: BigDecimal, count: long, country: String" in result.stdout
    assert "global log: java.util.List" in result.stdout
    told = json.loads(typed("drools", "check", bank, "--json").stdout)
    assert told["package"] == "bank" and len(told["rules"]) == 4 and told["globals"] == {"log": "java.util.List"}
    assert told["types"]["Assessment"] == {"risk": "double", "reason": "java.lang.String"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (DRL[:-12], "does not compile"),
        (DRL.replace("country == ", "contry == ", 1), "does not compile"),
        ("amount,country\n1,DE\n", "p.drl"),
        ("\x00", "null characters"),
        (None, "There is no file"),
    ],
)
def test_what_is_no_package_is_refused_with_exit_code_2(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "p.drl").write_text(content)
    result = typed("drools", "check", tmp_path / "p.drl")
    assert result.exit_code == 2 and told in result.stderr


def test_lines_of_facts_are_answered_each_by_itself(bank: Path, tmp_path: Path) -> None:
    code, answers, aside = run(
        bank,
        tmp_path,
        {"Payment": {"amount": 1000.5, "country": "FR", "count": 3}},
        "\n",
        {"Payment": {"amount": 1000.5, "country": "DE"}},
        {"Map": {"amount": 2**64}},
    )
    assert code == 0 and aside == "3 lines\n"
    abroad, home, mapped = answers
    assert abroad["rules"] == ["large abroad"] and abroad["fired"] == 1
    assert abroad["facts"]["Assessment"] == [{"risk": 0.9, "reason": "large, to FR"}]
    assert abroad["facts"]["Payment"] == [{"amount": 1000.5, "count": 3, "country": "FR"}]
    assert home["rules"] == [] and "Assessment" not in home["facts"]
    assert mapped["facts"]["Assessment"] == [{"risk": 0.4, "reason": "mapped"}]


def test_a_line_that_fails_or_never_ends_is_told_and_the_next_one_goes_on(bank: Path, tmp_path: Path) -> None:
    fine = {"Payment": {"amount": 2000, "country": "FR"}}
    code, answers, aside = run(
        bank, tmp_path, {"Payment": {"country": "LOOP"}}, {"Payment": {"country": "XX"}}, fine, deadline="4s"
    )
    assert code == 1 and "3 lines, 2 without an answer" in aside
    assert answers[0]["failed"] == "the rules were not done within 4s"
    assert answers[1]["failed"] == "the rule 'broken' failed: java.lang.IllegalStateException: no rate"
    assert answers[2]["rules"] == ["large abroad"] and "failed" not in answers[2]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"Payd": {"amount": 1}}, "Did you mean Payment?"),
        ({"Payment": {"amont": 1}}, "Did you mean amount?"),
        ({"Payment": {"amount": "1"}}, "Payment.amount is a Java java.math.BigDecimal"),
        ({"Payment": {"country": 1}}, "Payment.country is a Java java.lang.String"),
        ({"Payment": {"count": 1.5}}, "Payment.count: A number is not whole"),
        ({"Payment": {"count": 2**63}}, "Payment.count: A number is beyond Java's long"),
        ({"Payment": {"count": True}}, "Payment.count is a Java long"),
        ({"Map": {"list": [1]}}, "Map.list is a text, a number or a truth value"),
        ({"Payment": 1}, "names no facts"),
        ("[1]\n", "names no facts"),
        ("{\n", "It is no JSON"),
        ("[" * 100_000 + "\n", "It is no JSON"),
        ('{"Payment": {"amount": NaN}}\n', "NaN is no number of JSON"),
    ],
)
def test_a_bad_line_is_told_by_name_and_place_and_the_others_are_answered(
    bank: Path, tmp_path: Path, line: Any, told: str
) -> None:
    fine = {"Payment": {"amount": 2000, "country": "FR"}}
    code, answers, aside = run(bank, tmp_path, fine, line, fine)
    assert code == 1 and "Line 2 of" in aside and told in aside and aside.endswith("3 lines, 1 without an answer\n")
    assert [one["rules"] for one in answers] == [["large abroad"], [], ["large abroad"]]
    assert [told in one.get("failed", "") for one in answers] == [False, True, False]


def test_numbers_of_64_bits_come_back_as_they_are(bank: Path, tmp_path: Path) -> None:
    code, answers, _ = run(bank, tmp_path, {"Payment": {"count": 2**63 - 1}}, {"Payment": {"count": -(2**63)}})
    assert code == 0
    assert [one["facts"]["Payment"][0]["count"] for one in answers] == [2**63 - 1, -(2**63)]
