"""General regressions, machines, clusters, segments and votes: on random rows they say what jpmml-evaluator says."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .documents import FIELDS, document, schema
from .held import asked_in, compared
from .test_models import PROBABILITIES, SAID, lt, regression, tree

THREE = '<Value value="lo"/><Value value="mid"/><Value value="hi"/>'
KINDS = FIELDS | {
    "k": f'<DataField name="k" optype="categorical" dataType="string">{THREE}</DataField>',
    "o": f'<DataField name="o" optype="ordinal" dataType="string">{THREE}</DataField>',
    "i": '<DataField name="i" optype="categorical" dataType="integer"><Value value="0"/><Value value="1"/></DataField>',
}
SHARES = (
    '<Output><OutputField name="said" feature="predictedValue" dataType="string" optype="categorical"/>'
    + "".join(f'<OutputField name="p_{v}" feature="probability" value="{v}" dataType="double" optype="continuous"/>'
              for v in ("lo", "mid", "hi")) + "</Output>"
)  # fmt: skip
WORD = '<Output><OutputField name="said" feature="predictedValue" dataType="string" optype="categorical"/></Output>'


def general(kind: str, how: str, betas: str, target: str = "n", output: str = SAID) -> str:
    function = "regression" if target == "n" else "classification"
    cells = "".join(
        f'<PPCell value="{value}" predictorName="{name}" parameterName="{of}"/>'
        for value, name, of in ((1, "x", "p1"), ("a", "c", "p2"), (1, "x", "p3"), (1, "y", "p3"))
    )
    return (
        f'<GeneralRegressionModel functionName="{function}" modelType="{kind}" {how}>{schema(target)}{output}'
        f"<ParameterList>{''.join(f'<Parameter name={chr(34)}p{k}{chr(34)}/>' for k in range(4))}</ParameterList>"
        '<FactorList><Predictor name="c"/></FactorList><CovariateList><Predictor name="x"/><Predictor name="y"/>'
        f"</CovariateList><PPMatrix>{cells}</PPMatrix><ParamMatrix>{betas}</ParamMatrix></GeneralRegressionModel>"
    )


def betas(*values: float, of: str = "", first: int = 0) -> str:
    said = of and f' targetCategory="{of}"'
    return "".join(f'<PCell{said} parameterName="p{k}" beta="{b}"/>' for k, b in enumerate(values, first))


EACH = betas(0.3, 0.2, -0.4, 0.1)
ORDERED = betas(-1, of="lo") + betas(0.7, of="mid") + betas(0.2, -0.3, 0.05, first=1)


def cox(strata: bool) -> str:
    cells = "".join(f'<BaselineCell time="{t}" cumHazard="{h}"/>' for t, h in ((0, 0.01), (1, 0.1), (3, 0.4), (4, 0.9)))
    held = "".join(f'<BaselineStratum value="{v}" maxTime="4">{cells}</BaselineStratum>' for v in "ab")
    table = f"<BaseCumHazardTables>{held}" if strata else f'<BaseCumHazardTables maxTime="4">{cells}'
    by = 'baselineStrataVariable="c"' if strata else ""
    return (
        f'<GeneralRegressionModel functionName="regression" modelType="CoxRegression" endTimeVariable="y" {by}>'
        f'{schema(y=TIME)}{SAID}<ParameterList><Parameter name="p0" referencePoint="1.5"/></ParameterList>'
        '<CovariateList><Predictor name="x"/></CovariateList><PPMatrix>'
        '<PPCell value="1" predictorName="x" parameterName="p0"/></PPMatrix>'
        f'<ParamMatrix>{betas(0.4)}</ParamMatrix>{table}</BaseCumHazardTables></GeneralRegressionModel>'
    )  # fmt: skip


TIME = 'outliers="asExtremeValues" lowValue="0" highValue="4"'


def ordered(normalization: str) -> str:
    tables = (("lo", -0.8), ("mid", 0.4), ("hi", 2.5))
    return (
        f'<RegressionModel functionName="classification" normalizationMethod="{normalization}">{schema("o")}{SHARES}'
        + "".join(
            f'<RegressionTable intercept="{a}" targetCategory="{v}"><NumericPredictor name="x" coefficient="0.15"/>'
            "</RegressionTable>"
            for v, a in tables
        )
        + "</RegressionModel>"
    )


KERNELS = {
    "linear": "<LinearKernelType/>", "polynomial": '<PolynomialKernelType gamma="0.5" coef0="1" degree="3"/>',
    "radial": '<RadialBasisKernelType gamma="0.3"/>', "sigmoid": '<SigmoidKernelType gamma="0.2" coef0="0.1"/>',
}  # fmt: skip
PAIR = [('targetCategory="no" alternateTargetCategory="yes"', (0.5, -0.25, 0.3), -0.2)]
ALL = [("lo", (0.5, -0.25, 0.3), -0.2), ("mid", (0.1, 0.25, -0.3), 0.1), ("hi", (-0.4, 0.2, 0.6), 0.05)]


def machines(kernel: str, how: str, each: list[Any], target: str) -> str:
    names = "".join(f'<SupportVector vectorId="{name}"/>' for name in ("v1", "v2", "v3"))
    held = "".join(
        f"<SupportVectorMachine {said}><SupportVectors>{names}</SupportVectors>"
        f'<Coefficients absoluteValue="{constant}">'
        + "".join(f'<Coefficient value="{value}"/>' for value in values) + "</Coefficients></SupportVectorMachine>"
        for said, values, constant in each
    )  # fmt: skip
    function = "regression" if target == "n" else "classification"
    return (
        f'<SupportVectorMachineModel functionName="{function}" {how}>{schema(target)}{SAID if target == "n" else WORD}'
        f'{KERNELS[kernel]}<VectorDictionary><VectorFields><FieldRef field="x"/><FieldRef field="y"/>'
        '<CategoricalPredictor name="c" value="a" coefficient="1"/></VectorFields>'
        '<VectorInstance id="v1"><Array type="real" n="3">0.1 2 1</Array></VectorInstance>'
        '<VectorInstance id="v2"><REAL-SparseArray n="3"><Indices>1 3</Indices><REAL-Entries>1.5 -1</REAL-Entries>'
        '</REAL-SparseArray></VectorInstance><VectorInstance id="v3"><Array type="real" n="3">0 0 1</Array>'
        f"</VectorInstance></VectorDictionary>{held}</SupportVectorMachineModel>"
    )


def clusters(measure: str, compare: str) -> str:
    outputs = "".join(
        f'<OutputField name="{feature}{rank}" feature="{feature}" rank="{rank}" dataType="{kind}" optype="{optype}"/>'
        for feature, kind, optype in (("entityId", "string", "categorical"), ("affinity", "double", "continuous"))
        for rank in (1, 2, 3)
    )
    centers = (("A", "0 1"), ("B", "1 3"), ("C", "-2 -1"))
    return (
        f'<ClusteringModel functionName="clustering" modelClass="centerBased" numberOfClusters="3">{schema("t")}'
        f'{WORD.replace("</Output>", outputs + "</Output>")}<ComparisonMeasure kind="distance"><{measure}/>'
        f'</ComparisonMeasure><ClusteringField field="x" fieldWeight="2" compareFunction="{compare}"/>'
        '<ClusteringField field="y"/><MissingValueWeights><Array type="real" n="2">0.3 0.7</Array>'
        "</MissingValueWeights>"
        + "".join(f'<Cluster id="{i}"><Array type="real" n="2">{v}</Array></Cluster>' for i, v in centers)
        + "</ClusteringModel>"
    )


def segments(how: str, extra: str, target: str = "t") -> str:
    leaf = tree("none", "returnNullPrediction")
    if target == "i":  # whose type the trees inside take from the model around them
        leaf = leaf.replace('"no"', '"0"').replace('"yes"', '"1"').replace(schema("t"), schema("n"))
        leaf = leaf.replace('<MiningField name="n" usageType="target"/>', "").replace(leaf_output(leaf), "")
    shares = PROBABILITIES.replace('value="no"', 'value="0"').replace('value="yes"', 'value="1"')
    shares = shares.replace('dataType="string"', 'dataType="integer"') if target == "i" else PROBABILITIES
    # A share of missing answers counts by weights only if the method weighs, which jpmml-evaluator does not mind.
    weights = (1, 2.5, 0.5) if how.startswith("weighted") else (1, 1, 1)
    each = zip(weights, ("<True/>", lt("x", 1), "<True/>"), (0.2, -0.4, 0.9), strict=True)
    inside = "".join(
        f'<Segment id="s{k}" weight="{weight}">{when}{leaf.replace("0.5", str(at))}</Segment>'
        for k, (weight, when, at) in enumerate(each)
    )
    return (
        f'<MiningModel functionName="classification">{schema(target)}{shares}'
        f'<Segmentation multipleModelMethod="{how}" {extra}>{inside}</Segmentation></MiningModel>'
    )


def leaf_output(model: str) -> str:
    return model[model.index("<Output>") : model.index("</Output>") + len("</Output>")]


def several(how: str) -> str:
    inside = regression(1, 2, "n").replace("<RegressionTable", SAID.replace("said", "inner") + "<RegressionTable")
    label = tree("lastPrediction", "returnLastPrediction")
    return (
        f'<MiningModel functionName="mixed">{schema("n").replace("</MiningSchema>", "")}'
        '<MiningField name="t" usageType="target"/></MiningSchema>'
        f'<Segmentation multipleModelMethod="{how}"><Segment><True/>{inside}</Segment>'
        f"<Segment>{lt('x', 1)}{label}</Segment></Segmentation></MiningModel>"
    )


SKIP = 'missingPredictionTreatment="skipSegment" missingThreshold="0.6"'
CASES: dict[str, str] = {
    "multinomial": general("multinomialLogistic", 'targetReferenceCategory="hi"',
                           betas(.3, .2, -.4, .1, of="lo") + betas(-.2, .5, .1, -.05, of="mid"), "k", SHARES),
    **{f"ordinal {link}": general("ordinalMultinomial", f'cumulativeLink="{link}"', ORDERED, "o", SHARES)
       for link in ("logit", "probit", "cloglog", "loglog", "cauchit")},
    "linear": general("generalLinear", "", EACH),
    "trials": general("generalizedLinear", 'linkFunction="logit" trialsValue="5" distribution="binomial"', EACH),
    "negative binomial": general("generalizedLinear", 'linkFunction="negbin" distParameter="2"',
                                 betas(-9, .01, .02, .01)),
    "cox": cox(False), "cox by stratum": cox(True),
    **{f"ordered {n}": ordered(n) for n in ("none", "logit", "probit", "cloglog", "loglog", "cauchit")},
    **{f"machines {k} regression": machines(k, "", [("", (0.5, -0.25, 0.3), 0.7)], "n") for k in KERNELS},
    **{f"machines {k} pair": machines(k, 'classificationMethod="OneAgainstOne"', PAIR, "t") for k in KERNELS},
    **{f"machines {k} all": machines(k, 'classificationMethod="OneAgainstAll"',
                                     [(f'targetCategory="{v}"', *rest) for v, *rest in ALL], "k") for k in KERNELS},
    **{f"clusters {m.split()[0]} {c}": clusters(m, c) for c in ("absDiff", "delta", "equal")
       for m in ("euclidean", "squaredEuclidean", "cityBlock", "chebychev", 'minkowski p-parameter="3"')},
    **{f"segments {how} {extra[28:39]}": segments(how, extra) for extra in ("", SKIP)
       for how in ("average", "weightedAverage", "median", "max", "majorityVote", "weightedMajorityVote",
                   "selectFirst")},
    **{f"segments {how} of numbers": segments(how, "", "i") for how in ("average", "majorityVote")},
    **{f"several {how}": several(how) for how in ("x-multiModelChain",)},
}  # fmt: skip

NUMBER = st.one_of(st.none(), st.integers(-8, 8).map(lambda n: n / 2), st.floats(-5, 5))
ROW = st.fixed_dictionaries({"x": NUMBER, "y": NUMBER, "c": st.sampled_from([None, "a", "b"])})


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=25, max_size=25))
def test_a_model_says_what_jpmml_says_of_random_rows(name: str, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    data = document(CASES[name], fields=KINDS)
    compared(data, rows, asked_in(tmp_path)(name, data))
