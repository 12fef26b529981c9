"""One small model per element and way of working, asked of many rows, against jpmml-evaluator."""
# ruff: noqa: E501 - the lines of the documents are as long as they are

import itertools
import math
from pathlib import Path
from typing import Any

import pytest

from tidegate.models.pmml.model import read_pmml

from .documents import document, schema
from .held import asked_in, compared

ROWS = [
    {"x": x, "y": y, "c": c} for x, y, c in itertools.product((None, -3.0, 0.0, 0.6, 2.0), (None, -1.0, 4.0), (None, "a", "b"))
]  # fmt: skip


def lt(field: str, value: object, operator: str = "lessThan") -> str:
    return f'<SimplePredicate field="{field}" operator="{operator}" value="{value}"/>'


def shares(no: int, yes: int, confidence: str = "") -> str:
    return "".join(
        f'<ScoreDistribution value="{value}" recordCount="{count}"{confidence and f" confidence={chr(34)}{c}{chr(34)}"}/>'
        for value, count, c in (("no", no, 0.6), ("yes", yes, 0.4))
    )


def tree(strategy: str, last: str, extra: str = "") -> str:
    return (
        f'<TreeModel functionName="classification" missingValueStrategy="{strategy}" noTrueChildStrategy="{last}"'
        f" {extra}>{schema('t')}{PROBABILITIES}"
        f'<Node id="0" score="no" recordCount="100" defaultChild="2"><True/>{shares(60, 40)}'
        f'<Node id="1" score="yes" recordCount="40" defaultChild="4">{lt("x", 0.5)}{shares(10, 30)}'
        f'<Node id="3" score="no" recordCount="10">{lt("y", 0)}{shares(7, 3)}</Node>'
        f'<Node id="4" score="yes" recordCount="30">{lt("c", "a", "equal")}{shares(3, 27)}</Node></Node>'
        f'<Node id="2" score="no" recordCount="60">{lt("x", 0.5, "greaterOrEqual")}{shares(50, 10)}</Node>'
        "</Node></TreeModel>"
    )


PROBABILITIES = (
    '<Output><OutputField name="said" feature="predictedValue" dataType="string" optype="categorical"/>'
    '<OutputField name="no" feature="probability" value="no" dataType="double" optype="continuous"/>'
    '<OutputField name="yes" feature="probability" value="yes" dataType="double" optype="continuous"/></Output>'
)
SAID = '<Output><OutputField name="said" feature="predictedValue" dataType="double" optype="continuous"/></Output>'


def regression(intercept: float, x: float, name: str = "n") -> str:
    return (
        f'<RegressionModel functionName="regression">{schema(name)}<RegressionTable intercept="{intercept}">'
        f'<NumericPredictor name="x" coefficient="{x}"/><CategoricalPredictor name="c" value="a" coefficient="0.5"/>'
        "</RegressionTable></RegressionModel>"
    )


def mining(how: str, extra: str = "") -> str:
    segments = "".join(
        f'<Segment id="s{k}" weight="{weight}">{when}{regression(k, 0.5 + k)}</Segment>'
        for k, (weight, when) in enumerate([(1, "<True/>"), (2.5, lt("x", 1)), (0.5, lt("y", 0, "greaterThan")), (1, "<True/>")])
    )  # fmt: skip
    return (
        f'<MiningModel functionName="regression">{schema()}{SAID}'
        f'<Segmentation multipleModelMethod="{how}" {extra}>{segments}</Segmentation></MiningModel>'
    )


def votes(how: str) -> str:
    segments = "".join(
        f'<Segment id="{k}" weight="{k + 1}"><True/>{tree("lastPrediction", "returnLastPrediction")}</Segment>'.replace(
            "0.5", str(k)
        )
        for k in range(3)
    )
    return (
        f'<MiningModel functionName="classification">{schema("t")}{PROBABILITIES}'
        f'<Segmentation multipleModelMethod="{how}">{segments}</Segmentation></MiningModel>'
    )


def classifier(normalization: str, optype: str = "") -> str:
    return (
        f'<RegressionModel functionName="classification" normalizationMethod="{normalization}">{schema("t")}{PROBABILITIES}'
        '<RegressionTable intercept="0.2" targetCategory="no"><NumericPredictor name="x" coefficient="0.3" exponent="2"/>'
        '<PredictorTerm coefficient="0.1"><FieldRef field="x"/><FieldRef field="y"/></PredictorTerm></RegressionTable>'
        '<RegressionTable intercept="0.1" targetCategory="yes"/></RegressionModel>'
    )


def scorecard(algorithm: str) -> str:
    outputs = "".join(
        f'<OutputField name="r{k}" feature="reasonCode" rank="{k}" dataType="string" optype="categorical"/>' for k in (1, 2, 3)
    )  # fmt: skip
    return (
        f'<Scorecard functionName="regression" initialScore="10" reasonCodeAlgorithm="{algorithm}" baselineScore="5">'
        f"{schema()}{SAID.replace('</Output>', outputs + '</Output>')}<Characteristics>"
        f'<Characteristic name="one" reasonCode="RX" baselineScore="20"><Attribute partialScore="3">{lt("x", 0.5)}</Attribute>'
        f'<Attribute partialScore="31" reasonCode="RXX">{lt("x", 0.5, "greaterOrEqual")}</Attribute>'
        '<Attribute partialScore="7"><True/></Attribute></Characteristic>'
        f'<Characteristic name="two" reasonCode="RC"><Attribute partialScore="8">{lt("c", "a", "equal")}</Attribute>'
        '<Attribute partialScore="5"><True/></Attribute></Characteristic>'
        f'<Characteristic name="three" reasonCode="RX"><Attribute partialScore="9">{lt("c", "b", "equal")}</Attribute>'
        '<Attribute partialScore="1"><True/></Attribute></Characteristic></Characteristics></Scorecard>'
    )


def rules(criterion: str) -> str:
    return (
        f'<RuleSetModel functionName="classification">{schema("t")}<Output><OutputField name="said"'
        ' feature="predictedValue" dataType="string" optype="categorical"/></Output>'
        f'<RuleSet defaultScore="no" defaultConfidence="0.1"><RuleSelectionMethod criterion="{criterion}"/>'
        f'<SimpleRule id="r1" score="yes" weight="0.4" confidence="0.9">{lt("x", 0.5)}</SimpleRule>'
        f'<CompoundRule>{lt("y", 0, "greaterThan")}<SimpleRule id="r2" score="no" weight="0.6" confidence="0.8">'
        f"{lt('c', 'a', 'equal')}</SimpleRule></CompoundRule>"
        f'<SimpleRule id="r3" score="no" weight="0.3" confidence="0.7">{lt("c", "b", "equal")}</SimpleRule>'
        "</RuleSet></RuleSetModel>"
    )


def network(activation: str, normalization: str) -> str:
    return (
        f'<NeuralNetwork functionName="classification" activationFunction="{activation}">{schema("t")}{PROBABILITIES}'
        '<NeuralInputs><NeuralInput id="i1"><DerivedField optype="continuous" dataType="double"><FieldRef field="x"/>'
        '</DerivedField></NeuralInput><NeuralInput id="i2"><DerivedField optype="continuous" dataType="double">'
        '<NormDiscrete field="c" value="a"/></DerivedField></NeuralInput></NeuralInputs>'
        '<NeuralLayer><Neuron id="h" bias="0.1"><Con from="i1" weight="0.7"/><Con from="i2" weight="-0.4"/></Neuron></NeuralLayer>'
        f'<NeuralLayer normalizationMethod="{normalization}" activationFunction="identity">'
        '<Neuron id="o1" bias="0.3"><Con from="h" weight="1.5"/></Neuron>'
        '<Neuron id="o2" bias="0.2"><Con from="h" weight="0.5"/></Neuron></NeuralLayer><NeuralOutputs>'
        + "".join(
            f'<NeuralOutput outputNeuron="o{k}"><DerivedField optype="categorical" dataType="string">'
            f'<NormDiscrete field="t" value="{value}"/></DerivedField></NeuralOutput>'
            for k, value in ((1, "no"), (2, "yes"))
        )
        + "</NeuralOutputs></NeuralNetwork>"
    )


def general(link: str) -> str:
    return (
        f'<GeneralRegressionModel functionName="regression" modelType="generalizedLinear" linkFunction="{link}"'
        f' linkParameter="2" offsetValue="0.1">{schema()}{SAID}<ParameterList><Parameter name="p0"/>'
        '<Parameter name="p1"/><Parameter name="p2"/></ParameterList><FactorList><Predictor name="c"/></FactorList>'
        '<CovariateList><Predictor name="x"/></CovariateList><PPMatrix><PPCell value="1" predictorName="x" parameterName="p1"/>'
        '<PPCell value="a" predictorName="c" parameterName="p2"/><PPCell value="2" predictorName="x" parameterName="p2"/></PPMatrix>'
        '<ParamMatrix><PCell parameterName="p0" beta="0.3"/><PCell parameterName="p1" beta="0.1"/>'
        '<PCell parameterName="p2" beta="0.05"/></ParamMatrix></GeneralRegressionModel>'
    )


def clusters(measure: str) -> str:
    return (
        f'<ClusteringModel functionName="clustering" modelClass="centerBased" numberOfClusters="2">{schema("t")}'
        '<Output><OutputField name="said" feature="predictedValue" dataType="string" optype="categorical"/></Output>'
        f'<ComparisonMeasure kind="distance"><{measure}/></ComparisonMeasure>'
        '<ClusteringField field="x" fieldWeight="2"/><ClusteringField field="y" compareFunction="absDiff"/>'
        '<Cluster id="A"><Array n="2" type="real">0 1</Array></Cluster><Cluster id="B"><Array n="2" type="real">1 3</Array></Cluster>'
        "</ClusteringModel>"
    ).replace("minkowski/", 'minkowski p-parameter="3"/')


CASES: dict[str, str] = {
    **{f"tree {s} {n}": tree(s, n) for s in ("none", "lastPrediction", "nullPrediction", "defaultChild")
       for n in ("returnNullPrediction", "returnLastPrediction")},
    **{f"mining {how}": mining(how) for how in (
        "average", "weightedAverage", "median", "weightedMedian", "sum", "weightedSum", "selectFirst", "modelChain")},
    **{f"mining {how} skipping": mining(how, 'missingPredictionTreatment="skipSegment" missingThreshold="0.9"')
       for how in ("average", "sum")},
    **{f"votes {how}": votes(how) for how in ("majorityVote", "weightedMajorityVote", "average", "weightedAverage")},
    **{f"classifier {n}": classifier(n) for n in ("none", "softmax", "simplemax", "logit", "probit", "cloglog", "loglog",
                                                  "cauchit")},
    **{f"scorecard {a}": scorecard(a) for a in ("pointsAbove", "pointsBelow")},
    **{f"rules {c}": rules(c) for c in ("firstHit", "weightedSum")},
    **{f"network {a}": network(a, "softmax") for a in ("logistic", "tanh", "identity", "exponential", "square", "Gauss",
                                                       "sine", "cosine", "Elliott", "arctan", "rectifier")},
    **{f"general {link}": general(link) for link in ("identity", "log", "logit", "probit", "cloglog", "loglog",
                                                     "logc", "oddspower", "power")},
    **{f"clusters {m}": clusters(m) for m in ("euclidean", "squaredEuclidean", "cityBlock", "chebychev", "minkowski")},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_model_says_what_jpmml_says(name: str, tmp_path: Path) -> None:
    data = document(CASES[name])
    same, refused = compared(data, ROWS, asked_in(tmp_path)(name, data))
    assert same > 10 or refused < len(ROWS)


def test_what_jpmml_does_not_do() -> None:
    """Worked out by hand from the specification."""
    whole = {"x": None, "y": None, "c": None}
    confident = read_pmml(document(tree("weightedConfidence", "returnNullPrediction")))
    # The first child, of 40 of 100 records, goes on to both of its own, of 10 and 30 of theirs; the other is a leaf.
    yes = 0.4 * (0.25 * 0.3 + 0.75 * 0.9) + 0.6 * (10 / 60)
    assert confident.answer(whole).values["yes"] == pytest.approx(yes, rel=1e-14)
    counted = read_pmml(document(tree("aggregateNodes", "returnNullPrediction")))
    assert counted.answer(whole).values["yes"] == pytest.approx((3 + 27 + 10) / 100, rel=1e-14)
    assert counted.answer({"x": 0.0, "y": None, "c": "a"}).values["yes"] == pytest.approx(30 / 40, rel=1e-14)
    assert counted.answer({"x": 2.0, "y": None, "c": None}).values["yes"] == pytest.approx(10 / 60, rel=1e-14)
    heaviest = read_pmml(document(rules("weightedMax")))
    assert heaviest.answer({"x": -3.0, "y": 4.0, "c": "a"}).values["said"] == "no"
    assert heaviest.answer({"x": -3.0, "y": -4.0, "c": "b"}).values["said"] == "yes"
    most = read_pmml(document(mining("max")))
    assert most.answer({"x": 2.0, "y": -1.0, "c": "b"}).values["said"] == 3 + 3.5 * 2
    cauchit = read_pmml(document(general("cauchit")))
    assert cauchit.answer({"x": 2.0, "y": None, "c": "b"}).values["said"] == pytest.approx(
        0.5 + math.atan(0.6) / math.pi
    )


def neighbours(function: str, method: str, target: str) -> str:
    return (
        f'<NearestNeighborModel functionName="{function}" numberOfNeighbors="3" {method}>{schema(target)}'
        '<Output><OutputField name="said" feature="predictedValue"/><OutputField name="nearest" feature="entityId" rank="1"/></Output>'
        '<TrainingInstances isTransformed="false"><InstanceFields><InstanceField field="x" column="x"/>'
        '<InstanceField field="y" column="y"/><InstanceField field="t" column="t"/><InstanceField field="n" column="n"/>'
        "</InstanceFields><InlineTable>"
        + "".join(f"<row><x>{x}</x><y>{y}</y><t>{t}</t><n>{n}</n></row>" for x, y, t, n in INSTANCES)
        + '</InlineTable></TrainingInstances><ComparisonMeasure kind="distance"><euclidean/></ComparisonMeasure>'
        '<KNNInputs><KNNInput field="x"/><KNNInput field="y"/></KNNInputs></NearestNeighborModel>'
    )


INSTANCES = [(0, 0, "no", 1), (1, 0, "yes", 2), (0, 2, "yes", 4), (3, 3, "no", 8), (-1, -1, "no", 16)]


def test_nearest_neighbours_against_a_plain_search() -> None:
    for x, y in itertools.product((-1.2, 0.1, 0.9, 2.6), (-0.7, 0.3, 2.2)):
        near = sorted(INSTANCES, key=lambda one: math.dist((x, y), one[:2]))[:3]
        weights = [1 / (math.dist((x, y), one[:2]) + 0.001) for one in near]
        row = {"x": x, "y": y, "c": None}
        for method, wanted in (
            ("average", sum(one[3] for one in near) / 3),
            ("median", sorted(one[3] for one in near)[1]),
            ("weightedAverage", sum(w * one[3] for w, one in zip(weights, near, strict=True)) / sum(weights)),
        ):
            model = read_pmml(document(neighbours("regression", f'continuousScoringMethod="{method}"', "n")))
            seen = model.answer(row).values
            assert seen["said"] == pytest.approx(wanted, rel=1e-13)
            assert seen["nearest"] == str(INSTANCES.index(near[0]) + 1)
        model = read_pmml(document(neighbours("classification", 'categoricalScoringMethod="majorityVote"', "t")))
        assert model.answer(row).values["said"] == ("yes" if sum(one[2] == "yes" for one in near) > 1 else "no")


def test_an_isolation_forest_is_scaled_as_its_authors_say() -> None:
    model = read_pmml(document(
        f'<AnomalyDetectionModel functionName="regression" algorithmType="iforest" sampleDataSize="256">{schema()}'
        f'{SAID}{mining("average")}</AnomalyDetectionModel>'
    ))  # fmt: skip
    depth = read_pmml(document(mining("average"))).answer({"x": 0.6, "y": 4.0, "c": "a"}).values["said"]
    mean = 2 * (math.log(255) + 0.5772156649015329) - 2 * 255 / 256
    assert isinstance(depth, float)
    seen = model.answer({"x": 0.6, "y": 4.0, "c": "a"}).values["said"]
    assert seen == pytest.approx(2 ** (-depth / mean), rel=1e-14)


@pytest.mark.parametrize("row", [{"x": 0.3, "y": 2.0, "c": "a"}, {"x": -1.0, "y": None, "c": "b"}])
def test_naive_bayes_against_the_plain_product(row: dict[str, Any]) -> None:
    counts = '<TargetValueCounts><TargetValueCount value="no" count="{}"/><TargetValueCount value="yes" count="{}"/></TargetValueCounts>'
    model = read_pmml(document(
        f'<NaiveBayesModel functionName="classification" threshold="0.001">{schema("t")}{PROBABILITIES}<BayesInputs>'
        '<BayesInput fieldName="x"><TargetValueStats><TargetValueStat value="no"><GaussianDistribution mean="0" variance="2"/>'
        '</TargetValueStat><TargetValueStat value="yes"><GaussianDistribution mean="1" variance="0.5"/></TargetValueStat>'
        '</TargetValueStats></BayesInput><BayesInput fieldName="y"><TargetValueStats><TargetValueStat value="no">'
        '<PoissonDistribution mean="3"/></TargetValueStat><TargetValueStat value="yes"><UniformDistribution lower="0" upper="4"/>'
        f'</TargetValueStat></TargetValueStats></BayesInput><BayesInput fieldName="c"><PairCounts value="a">{counts.format(30, 0)}'
        f'</PairCounts><PairCounts value="b">{counts.format(10, 5)}</PairCounts></BayesInput></BayesInputs>'
        f'<BayesOutput fieldName="t">{counts.format(40, 5)}</BayesOutput></NaiveBayesModel>'
    ))  # fmt: skip
    x, y = row["x"], row["y"]
    no = 40 / 45 * math.exp(-(x**2) / 4) / math.sqrt(4 * math.pi) * (30 if row["c"] == "a" else 10) / 40
    yes = 5 / 45 * math.exp(-((x - 1) ** 2)) / math.sqrt(math.pi) * (0.001 if row["c"] == "a" else 1)
    if y is not None:
        no, yes = no * 3**y * math.exp(-3) / math.factorial(int(y)), yes / 4
    assert model.answer(row).values["yes"] == pytest.approx(yes / (no + yes), rel=1e-13)
