"""Models written in a line or two, for the tests beside it."""

from typing import Any
from xml.sax.saxutils import escape

from tidegate.decisions.dmn import DmnModel, DmnResult, read_dmn

V15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def dmn(*body: str, namespace: str = "urn:test", version: str = V15, name: str = "test") -> bytes:
    """A model of these elements."""
    inner = "\n".join(body)
    return f'<definitions xmlns="{version}" name="{name}" namespace="{namespace}">\n{inner}\n</definitions>'.encode()


def literal(text: str, **attributes: str) -> str:
    """A literal expression."""
    return f"<literalExpression{_written(attributes)}><text>{escape(text)}</text></literalExpression>"


def given(name: str, kind: str = "") -> str:
    """Input data."""
    return f'<inputData name="{name}" id="{name}"><variable name="{name}"{_kind(kind)}/></inputData>'


def decision(name: str, logic: str, *, kind: str = "", needs: tuple[str, ...] = (), knows: tuple[str, ...] = ()) -> str:
    """A decision: `needs` are the inputs and decisions it requires, `knows` its functions and services.

    One that is a decision is written with an exclamation mark, as in `!Fee`; `urn:other#id` is in another model.
    """
    required = "".join(
        f'<informationRequirement><required{"Decision" if one[0] == "!" else "Input"} href="{_href(one)}"/>'
        "</informationRequirement>"
        for one in needs
    )
    required += "".join(
        f'<knowledgeRequirement><requiredKnowledge href="{_href(one)}"/></knowledgeRequirement>' for one in knows
    )
    return f'<decision name="{name}" id="{name}"><variable name="{name}"{_kind(kind)}/>{required}{logic}</decision>'


def function(name: str, parameters: str, logic: str, *, kind: str = "", knows: tuple[str, ...] = ()) -> str:
    """A business knowledge model; its parameters are written `a: number, b`."""
    required = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="{_href(one)}"/></knowledgeRequirement>' for one in knows
    )
    return (
        f'<businessKnowledgeModel name="{name}" id="{name}"><variable name="{name}"{_kind(kind)}/>'
        f"<encapsulatedLogic>{formal(parameters)}{logic}</encapsulatedLogic>{required}</businessKnowledgeModel>"
    )


def formal(parameters: str) -> str:
    """Formal parameters, of `a: number, b`."""
    made = ""
    for one in filter(None, parameters.split(",")):
        name, _, kind = one.partition(":")
        made += f'<formalParameter name="{name.strip()}"{_kind(kind.strip())}/>'
    return made


def table(
    inputs: list[str],
    outputs: list[str],
    rows: list[list[str]],
    *,
    policy: str = "UNIQUE",
    aggregation: str = "",
    values: dict[str, str] = {},  # noqa: B006 - never changed
    defaults: dict[str, str] = {},  # noqa: B006
    types: dict[str, str] = {},  # noqa: B006
) -> str:
    """A decision table: `values` and `defaults` by the name of an input or output, "" for an output without a name."""
    made = "".join(
        f"<input><inputExpression{_kind(types.get(one, ''))}><text>{escape(one)}</text></inputExpression>"
        + (f"<inputValues><text>{escape(values[one])}</text></inputValues>" if one in values else "")
        + "</input>"
        for one in inputs
    )
    for one in outputs:
        made += f'<output name="{one}"{_kind(types.get(one, ""))}>' if one else "<output>"
        made += f"<outputValues><text>{escape(values[one])}</text></outputValues>" if one in values else ""
        made += (
            f"<defaultOutputEntry><text>{escape(defaults[one])}</text></defaultOutputEntry>" if one in defaults else ""
        )
        made += "</output>"
    for row in rows:
        made += "<rule>"
        for place, cell in enumerate(row):
            word = "inputEntry" if place < len(inputs) else "outputEntry"
            made += f"<{word}><text>{escape(cell)}</text></{word}>"
        made += "</rule>\n"
    how = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{how}>{made}</decisionTable>'


def service(name: str, outputs: list[str], *, owns: list[str] = [], given: list[str] = [], kind: str = "") -> str:  # noqa: B006
    """A decision service; `given` are inputs, or decisions if written `!Fee`."""
    made = "".join(f'<outputDecision href="{_href(one)}"/>' for one in outputs)
    made += "".join(f'<encapsulatedDecision href="{_href(one)}"/>' for one in owns)
    made += "".join(f'<inputDecision href="{_href(one)}"/>' for one in given if one[0] == "!")
    made += "".join(f'<inputData href="{_href(one)}"/>' for one in given if one[0] != "!")
    return f'<decisionService name="{name}" id="{name}"><variable name="{name}"{_kind(kind)}/>{made}</decisionService>'


def asked(logic: str, inputs: dict[str, Any] = {}, *, kind: str = "", more: str = "") -> DmnResult:  # noqa: B006
    """What one decision of this logic comes to, that needs these inputs."""
    return sound(dmn(*map(given, inputs), more, decision("D", logic, kind=kind, needs=tuple(inputs)))).evaluate(
        "D", inputs
    )


def sound(data: bytes, **options: Any) -> DmnModel:
    """A model in which nothing is wrong."""
    model = read_dmn(data, "test.dmn", **options)
    assert not [str(one) for one in model.findings if one.severity == "error"]
    return model


def why(result: DmnResult) -> str:
    """The reasons, a line each."""
    return "\n".join(map(str, result.reasons))


def _kind(kind: str) -> str:
    return f' typeRef="{kind}"' if kind else ""


def _href(name: str) -> str:
    name = name.removeprefix("!")
    return name if "#" in name else f"#{name}"


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {key}="{value}"' for key, value in attributes.items())
