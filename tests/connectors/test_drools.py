"""DRL in Drools itself: compiled, confined, run with a deadline. The jars are fetched where Java and Maven are."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.connectors.drools import jars
from tidegate.connectors.drools.classes import forbidden
from tidegate.connectors.drools.package import compiled
from tidegate.connectors.drools.session import Runner
from tidegate.decisions.drl.plan import DrlAnswer
from tidegate.errors import DocumentError, TidegateError
from tidegate.events.types import FLOAT, TEXT

HEAD = """package bank;
declare Payment
    amount : double
    country : String
end
declare Answer
    risk : double
    why : String
end
"""
GIVES = (("Answer", "risk", FLOAT), ("Answer", "why", TEXT))
GIVEN = (("Payment", "amount"), ("Payment", "country"))


@pytest.fixture(autouse=True, scope="module")
def _fetched() -> None:
    jars.fetch()


def rule(then: str, when: str = "$p : Payment(amount > 10)", more: str = "") -> bytes:
    return f'{HEAD}{more}\nrule "r"\nwhen\n    {when}\nthen\n    {then}\nend\n'.encode()


def run(drl: bytes, amount: float | None = 20.0, deadline: int = 3_000_000) -> DrlAnswer:
    return Runner(compiled(drl, "x.drl"), GIVEN, GIVES, (0.5, "unknown"), deadline).answer([amount, "DE"])


def test_rules_that_fire_are_named_and_their_fact_is_the_result() -> None:
    answer = run(rule('insert(new Answer(0.25, "over " + $p.getCountry()));'))
    assert answer == DrlAnswer((0.25, "over DE"), ("r",), 1)


def test_no_fact_and_two_facts_are_no_answer() -> None:
    drl = rule('insert(new Answer(0.25, "a"));', "Payment(amount > 10) or Payment(amount > 30)")
    assert run(drl, 1.0).otherwise == "no rule gave a fact Answer"
    assert run(drl, 40.0).otherwise == "the rules gave 2 facts Answer"
    assert run(drl, 40.0).values == (0.5, "unknown")


def test_what_java_cannot_have_missing_is_said() -> None:
    assert (
        run(rule("insert(new Answer());"), None).otherwise == "Payment.amount is missing, and a Java double cannot be"
    )


@pytest.mark.parametrize(
    ("then", "more", "told"),
    [
        ("modify($p) { setAmount($p.getAmount() + 1) }", "", "the rules were not done within"),
        ("int i = 0; while (i >= 0) { i = (i + 1) % 1000; }", "", "the rules were not done within"),
        (
            'throw new IllegalStateException("no rate");',
            "",
            "the rule 'r' failed: java.lang.IllegalStateException: no rate",
        ),
        ("int x = deeper(1);", "function int deeper(int x) { return deeper(x + 1) + 1; }", "the rules call themselves"),
        ("insert(new Answer(0.0 / 0.0, null));", "", "Answer.risk is no float"),
    ],
)
def test_rules_that_do_not_end_well_are_no_answer(then: str, more: str, told: str) -> None:
    answer = run(rule(then, more=more), deadline=300_000)
    assert (answer.otherwise or "").startswith(told), answer
    assert answer.values == (0.5, "unknown")
    assert run(rule('insert(new Answer(0.25, "a"));')).values == (0.25, "a"), "what comes after is not harmed"


def test_rules_that_take_all_memory_are_no_answer() -> None:
    then = "java.util.List all = new java.util.ArrayList(); while (true) { all.add(new long[1000000]); }"
    answer = run(rule(then), deadline=20_000_000)
    assert "memory" in (answer.otherwise or "") or "not done" in (answer.otherwise or "")
    assert run(rule('insert(new Answer(0.25, "a"));')).values == (0.25, "a"), "what comes after is not harmed"


@pytest.mark.parametrize(
    "then",
    [
        "System.exit(3);",
        "Runtime.getRuntime().halt(3);",
        'try { new java.io.FileWriter("x").close(); } catch (java.io.IOException e) { }',
        'try { new java.net.URL("http://localhost").openStream(); } catch (java.io.IOException e) { }',
        "new Thread().start();",
        'try { Class.forName("java.lang.Runtime"); } catch (ClassNotFoundException e) { }',
        "$p.getClass().getClassLoader();",
        "Runnable quit = System::gc; quit.run();",
        "java.util.Locale.setDefault(java.util.Locale.US);",
        "org.kie.api.KieServices.get().getRepository();",
    ],
)
def test_what_rules_may_not_call_is_refused_before_it_is_loaded(then: str) -> None:
    with pytest.raises(DocumentError, match="calls what rules may not") as refused:
        compiled(rule(then), "x.drl")
    assert refused.value.line == 15


def test_what_rules_may_not_call_is_refused_in_mvel_and_in_functions_too() -> None:
    more = "function void quit() { System.exit(1); }"
    with pytest.raises(DocumentError, match="calls what rules may not"):
        compiled(rule("quit();", more=more), "x.drl")
    with pytest.raises(DocumentError, match="calls what rules may not"):
        compiled(rule("System.exit(1);", more='dialect "mvel"'), "x.drl")
    with pytest.raises(DocumentError, match="calls what rules may not"):
        compiled(rule("int x = 1;", "Payment(eval(System.getenv() != null))"), "x.drl")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (rule("int x = 1;")[:-20], "does not compile"),
        (rule("int x = ;"), "does not compile"),
        (rule("int x = 1;", "Payment(amont > 1)"), "does not compile"),
        (b"id,amount\n1,2\n", "x.drl"),
        (b"PK\x03\x04\xff\xfe", "UTF-8"),
        (b"", "x.drl has no rules"),
        (HEAD.encode(), "x.drl has no rules"),
    ],
)
def test_what_is_no_drl_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        compiled(data, "x.drl")


def test_a_mistake_is_told_with_its_line() -> None:
    with pytest.raises(DocumentError, match="line 15") as refused:
        compiled(rule("int x = foo;"), "x.drl")
    assert "foo" in refused.value.seen


def test_without_jars_it_is_said_what_to_do(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(TidegateError, match="tidegate drools fetch"):
        jars.jars()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TidegateError, match="Maven is not there"):
        jars.fetch()


def test_a_file_that_is_no_class_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="class file"):
        forbidden({"x.class": b"PK"})
