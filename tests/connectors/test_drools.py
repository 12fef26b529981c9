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
from tidegate.events.types import FLOAT, INT, TEXT

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


def run(drl: bytes, amount: float | None = 20.0, deadline: int = 20_000_000) -> DrlAnswer:
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
        ("modify($p) { setAmount($p.getAmount() + 1) }", "", "the rules were not done within 300ms"),
        ("int i = 0; while (i >= 0) { i = (i + 1) % 1000; }", "", "the rules were not done within 300ms"),
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
    answer = run(rule(then, more=more), deadline=300_000 if "not done" in told else 20_000_000)
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
        (rule("int x = 1;", "Payment(amont > 1)"), r'does not compile.*line 13: .*amont.*in the rule "r"'),
        (b"id,amount\n1,2\n", "x.drl"),
        (b"PK\x03\x04\xff\xfe", "UTF-8"),
        (b"", "x.drl has no rules"),
        (HEAD.encode(), "x.drl has no rules"),
    ],
)
def test_what_is_no_drl_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        compiled(data, "x.drl")


def test_a_package_that_does_not_compile_leaves_nothing_for_the_next() -> None:
    with pytest.raises(DocumentError, match="contry"):
        compiled(
            rule("int x = 1;", "Payment(amount > 1, contry > 1)").replace(b": double", b": java.math.BigDecimal"), "x"
        )
    compiled(rule("int y = 1;", "Payment(amount > 1)"), "x.drl")


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


WIDE = """package wide;
declare In
    whole : long
    small : int
    big : java.math.BigInteger
end
declare Out
    whole : java.math.BigInteger
end
global java.math.BigDecimal total
rule "r" when $i : In() then
    java.math.BigInteger made = java.math.BigInteger.valueOf($i.getWhole());
    made = made.add(java.math.BigInteger.valueOf($i.getSmall()));
    if ($i.getBig() != null) made = made.multiply($i.getBig());
    insert(new Out(made));
    drools.getKieRuntime().setGlobal("total", new java.math.BigDecimal(made).movePointLeft(1));
end
"""


def wide(whole: int, small: int, big: int | None) -> DrlAnswer:
    given = (("In", "whole"), ("In", "small"), ("In", "big"))
    gives = (("Out", "whole", INT), ("", "total", FLOAT))
    return Runner(compiled(WIDE.encode(), "w.drl"), given, gives, (-1, 0.5), 3_000_000).answer([whole, small, big])


def test_facts_and_globals_are_results_and_numbers_are_whole_to_53_bits() -> None:
    assert wide(2**53 - 1, 1, None) == DrlAnswer((2**53, (2**53) / 10), ("r",), 1)
    assert wide(-(2**53), 0, 1).values == (-(2**53), -(2**53) / 10)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((2**63, 0, None), "In.whole: a number is beyond Java's long: 9223372036854775808"),
        ((-(2**63) - 1, 0, None), "In.whole: a number is beyond Java's long: -9223372036854775809"),
        ((0, 2**31, None), "In.small: a number is beyond Java's int: 2147483648"),
        ((0, -(2**31) - 1, None), "In.small: a number is beyond Java's int: -2147483649"),
        ((2**53, 1, None), "Out.whole is no int: 9007199254740993 (java.math.BigInteger)"),
        ((2**62, 0, 2**70), f"Out.whole is no int: {2**132} (java.math.BigInteger)"),
        ((1, 0, -(2**64)), f"Out.whole is no int: {-(2**64)} (java.math.BigInteger)"),
    ],
)
def test_numbers_that_do_not_fit_are_no_answer_by_their_name(asked: tuple[int, int, int | None], told: str) -> None:
    answer = wide(*asked)
    assert answer.otherwise == told and answer.values == (-1, 0.5)


def test_a_map_is_a_fact_with_numbers_of_any_size() -> None:
    drl = rule('insert(new Answer(0.75, "" + ((java.util.Map) $m).get("n")));', '$m : java.util.Map(this["n"] != null)')
    runner = Runner(compiled(drl, "x.drl"), (("Map", "n"), ("Map", "why")), GIVES, (0.5, "unknown"), 3_000_000)
    assert [runner.answer([n, "x"]).values[1] for n in (1, 2**63 - 1, 2**70, 1.5, True, "a")] == [
        "1", "9223372036854775807", str(2**70), "1.5", "true", "a",
    ]  # fmt: skip
    assert runner.answer([None, "x"]).otherwise == "no rule gave a fact Answer"


def test_lists_and_maps_that_are_globals_are_there_and_empty_for_every_event() -> None:
    more = "global java.util.List seen\nglobal java.util.Map named\nglobal Double risk"
    then = """seen.add($p.getCountry()); named.put("n", seen.size());
    drools.getKieRuntime().setGlobal("risk", 0.5 + ((Integer) named.get("n")));"""
    runner = Runner(compiled(rule(then, more=more), "x.drl"), GIVEN, (("", "risk", FLOAT),), (0.0,), 3_000_000)
    assert [runner.answer([20.0, "DE"]).values for _ in range(3)] == [(1.5,)] * 3
    assert runner.answer([1.0, "DE"]).values == (None,), "a global that no rule sets is missing"


def test_rules_that_insert_without_end_are_halted_and_the_engine_goes_on() -> None:
    drl = rule('insert(new Payment($p.getAmount() + 1, "x"));')
    answer = run(drl, deadline=300_000)
    assert (answer.otherwise or "").startswith(("the rules were not done within", "the rules took more memory"))
    assert run(rule('insert(new Answer(0.25, "a"));')).values == (0.25, "a")


def test_a_rule_that_takes_another_type_for_its_fact_is_no_answer() -> None:
    drl = rule('Object held = $p; insert(new Answer(((Integer) held).doubleValue(), "a"));')
    assert "ClassCastException" in (run(drl).otherwise or "")
