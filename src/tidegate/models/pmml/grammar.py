"""Which elements and attributes of PMML 3.0 to 4.4 are read; whatever else a document holds is refused where it stands.

Nothing is ignored that could change an answer. What only describes (headers, statistics, extensions) is passed over.
"""

from tidegate.documents.xml import Element, line_of, name_of
from tidegate.errors import DocumentError

__all__ = ["DESCRIPTIVE", "MODELS", "check", "refuse"]

DESCRIPTIVE = frozenset(
    ["Extension", "Header", "MiningBuildTask", "ModelStats", "ModelExplanation", "Partition", "EventValues",
     "Taxonomy"]
)  # fmt: skip

MODELS = frozenset(
    [
        "AnomalyDetectionModel",
        "ClusteringModel",
        "GeneralRegressionModel",
        "MiningModel",
        "NaiveBayesModel",
        "NearestNeighborModel",
        "NeuralNetwork",
        "RegressionModel",
        "RuleSetModel",
        "Scorecard",
        "SupportVectorMachineModel",
        "TreeModel",
    ]
)

_OTHER_MODELS = frozenset(
    ["AssociationModel", "BaselineModel", "BayesianNetworkModel", "GaussianProcessModel", "SequenceModel", "TextModel",
     "TimeSeriesModel"]
)  # fmt: skip
"""The standard's other models, which are not run."""

_EXPRESSIONS = "Constant FieldRef NormContinuous NormDiscrete Discretize MapValues TextIndex Apply"
_PREDICATES = "SimplePredicate CompoundPredicate SimpleSetPredicate True False"
_COMMON = "MiningSchema Output Targets LocalTransformations ModelVerification"
_MODEL = "modelName functionName algorithmName isScorable x-mathContext"
_WORDS = "wordSeparatorCharacterRE wordRE tokenize"
_ARRAYS = "Array REAL-SparseArray INT-SparseArray"
_DISTRIBUTIONS = "AnyDistribution GaussianDistribution PoissonDistribution UniformDistribution"

_TABLE = f"""
PMML: version | DataDictionary TransformationDictionary {" ".join(sorted(MODELS))}
DataDictionary: numberOfFields | DataField
DataField: name displayName optype dataType isCyclic taxonomy | Interval Value
Interval: closure leftMargin rightMargin |
Value: value displayValue property |
TransformationDictionary: | DefineFunction DerivedField
LocalTransformations: | DerivedField
DefineFunction: name optype dataType | ParameterField {_EXPRESSIONS}
ParameterField: name optype dataType displayName |
DerivedField: name displayName optype dataType | {_EXPRESSIONS} Value
Constant: dataType missing |
FieldRef: field mapMissingTo |
NormContinuous: field mapMissingTo outliers | LinearNorm
LinearNorm: orig norm |
NormDiscrete: field value mapMissingTo method |
Discretize: field mapMissingTo defaultValue dataType | DiscretizeBin
DiscretizeBin: binValue | Interval
MapValues: mapMissingTo defaultValue outputColumn dataType | FieldColumnPair InlineTable
FieldColumnPair: field column |
TextIndex: textField localTermWeights isCaseSensitive maxLevenshteinDistance countHits {_WORDS} \
| TextIndexNormalization {_EXPRESSIONS}
TextIndexNormalization: inField outField regexField recursive isCaseSensitive maxLevenshteinDistance {_WORDS} \
| InlineTable
InlineTable: | row
Apply: function mapMissingTo defaultValue invalidValueTreatment | {_EXPRESSIONS}
MiningSchema: | MiningField
MiningField: name usageType optype importance outliers lowValue highValue missingValueReplacement \
missingValueTreatment invalidValueTreatment invalidValueReplacement |
Output: | OutputField
OutputField: name displayName optype dataType targetField feature value ruleFeature algorithm rank rankBasis rankOrder \
isMultiValued segmentId isFinalResult | Decisions Value {_EXPRESSIONS}
Decisions: businessProblem description | Decision
Decision: value displayValue description |
Targets: | Target
Target: field optype castInteger min max rescaleConstant rescaleFactor | TargetValue
TargetValue: value displayValue rawDataValue priorProbability defaultValue |
ModelVerification: recordCount fieldCount | VerificationFields InlineTable
VerificationFields: | VerificationField
VerificationField: field column precision zeroThreshold |
SimplePredicate: field operator value |
SimpleSetPredicate: field booleanOperator | Array
CompoundPredicate: booleanOperator | {_PREDICATES}
True: |
False: |
Array: n type |
REAL-SparseArray: n defaultValue | Indices REAL-Entries
INT-SparseArray: n defaultValue | Indices INT-Entries
Indices: |
REAL-Entries: |
INT-Entries: |
Matrix: kind nbRows nbCols diagDefault offDiagDefault | Array MatCell
MatCell: row col |
TreeModel: {_MODEL} missingValueStrategy missingValuePenalty noTrueChildStrategy splitCharacteristic | {_COMMON} Node
Node: id score recordCount defaultChild | {_PREDICATES} ScoreDistribution Node
ScoreDistribution: value recordCount confidence probability |
RegressionModel: {_MODEL} modelType targetFieldName normalizationMethod | {_COMMON} RegressionTable
RegressionTable: intercept targetCategory | NumericPredictor CategoricalPredictor PredictorTerm
NumericPredictor: name exponent coefficient |
CategoricalPredictor: name value coefficient |
PredictorTerm: name coefficient | FieldRef
GeneralRegressionModel: {_MODEL} targetVariableName modelType targetReferenceCategory cumulativeLink linkFunction \
linkParameter trialsVariable trialsValue distribution distParameter offsetVariable offsetValue modelDF \
endTimeVariable startTimeVariable subjectIDVariable statusVariable baselineStrataVariable \
| {_COMMON} ParameterList FactorList CovariateList PPMatrix PCovMatrix ParamMatrix EventValues BaseCumHazardTables
ParameterList: | Parameter
Parameter: name label referencePoint |
FactorList: | Predictor
CovariateList: | Predictor
Predictor: name contrastMatrixType | Categories Matrix
Categories: | Category
Category: value |
PPMatrix: | PPCell
PPCell: value predictorName parameterName targetCategory |
ParamMatrix: | PCell
PCell: targetCategory parameterName beta df |
PCovMatrix: type | PCovCell
PCovCell: pRow pCol tRow tCol value targetCategory |
BaseCumHazardTables: maxTime | BaselineStratum BaselineCell
BaselineStratum: value label maxTime | BaselineCell
BaselineCell: time cumHazard |
Scorecard: {_MODEL} initialScore useReasonCodes reasonCodeAlgorithm baselineScore baselineMethod | {_COMMON} \
Characteristics
Characteristics: | Characteristic
Characteristic: name reasonCode baselineScore | Attribute
Attribute: reasonCode partialScore | {_PREDICATES} ComplexPartialScore
ComplexPartialScore: | {_EXPRESSIONS}
MiningModel: {_MODEL} | {_COMMON} Segmentation
Segmentation: multipleModelMethod missingPredictionTreatment missingThreshold | Segment
Segment: id weight | {_PREDICATES} {" ".join(sorted(MODELS))}
RuleSetModel: {_MODEL} | {_COMMON} RuleSet
RuleSet: recordCount nbCorrect defaultScore defaultConfidence | RuleSelectionMethod ScoreDistribution SimpleRule \
CompoundRule
RuleSelectionMethod: criterion |
SimpleRule: id score recordCount nbCorrect confidence weight | {_PREDICATES} ScoreDistribution
CompoundRule: | {_PREDICATES} SimpleRule CompoundRule
NeuralNetwork: {_MODEL} activationFunction normalizationMethod threshold width altitude numberOfLayers \
| {_COMMON} NeuralInputs NeuralLayer NeuralOutputs
NeuralInputs: numberOfInputs | NeuralInput
NeuralInput: id | DerivedField
NeuralLayer: numberOfNeurons activationFunction threshold width altitude normalizationMethod | Neuron
Neuron: id bias width altitude | Con
Con: from weight |
NeuralOutputs: numberOfOutputs | NeuralOutput
NeuralOutput: outputNeuron | DerivedField
NaiveBayesModel: {_MODEL} threshold | {_COMMON} BayesInputs BayesOutput
BayesInputs: | BayesInput
BayesInput: fieldName | TargetValueStats DerivedField PairCounts
PairCounts: value | TargetValueCounts
TargetValueCounts: | TargetValueCount
TargetValueCount: value count |
TargetValueStats: | TargetValueStat
TargetValueStat: value | {_DISTRIBUTIONS}
AnyDistribution: mean variance |
GaussianDistribution: mean variance |
PoissonDistribution: mean |
UniformDistribution: lower upper |
BayesOutput: fieldName | TargetValueCounts
SupportVectorMachineModel: {_MODEL} threshold svmRepresentation classificationMethod maxWins \
alternateBinaryTargetCategory | {_COMMON} LinearKernelType PolynomialKernelType RadialBasisKernelType \
SigmoidKernelType VectorDictionary SupportVectorMachine
LinearKernelType: description |
PolynomialKernelType: description gamma coef0 degree |
RadialBasisKernelType: description gamma |
SigmoidKernelType: description gamma coef0 |
VectorDictionary: numberOfVectors | VectorFields VectorInstance
VectorFields: numberOfFields | FieldRef CategoricalPredictor
VectorInstance: id | {_ARRAYS}
SupportVectorMachine: targetCategory alternateTargetCategory threshold | SupportVectors Coefficients
SupportVectors: numberOfAttributes numberOfSupportVectors | SupportVector
SupportVector: vectorId |
Coefficients: numberOfCoefficients absoluteValue | Coefficient
Coefficient: value |
ClusteringModel: {_MODEL} modelClass numberOfClusters | {_COMMON} ComparisonMeasure ClusteringField \
MissingValueWeights Cluster
ComparisonMeasure: kind compareFunction minimum maximum | euclidean squaredEuclidean cityBlock chebychev minkowski \
simpleMatching jaccard tanimoto binarySimilarity
euclidean: |
squaredEuclidean: |
cityBlock: |
chebychev: |
minkowski: p-parameter |
simpleMatching: |
jaccard: |
tanimoto: |
binarySimilarity: c00-parameter c01-parameter c10-parameter c11-parameter d00-parameter d01-parameter d10-parameter \
d11-parameter |
ClusteringField: field isCenterField fieldWeight similarityScale compareFunction | Comparisons
Comparisons: | Matrix
MissingValueWeights: | Array
Cluster: id name size | KohonenMap Array Partition Covariances
NearestNeighborModel: {_MODEL} numberOfNeighbors continuousScoringMethod categoricalScoringMethod instanceIdVariable \
threshold | {_COMMON} TrainingInstances ComparisonMeasure KNNInputs
TrainingInstances: isTransformed recordCount fieldCount | InstanceFields InlineTable
InstanceFields: | InstanceField
InstanceField: field column |
KNNInputs: | KNNInput
KNNInput: field fieldWeight compareFunction |
AnomalyDetectionModel: {_MODEL} algorithmType sampleDataSize | {_COMMON} MeanClusterDistances {" ".join(sorted(MODELS))}
MeanClusterDistances: | Array
"""


def _grammar() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    table = {}
    for line in _TABLE.strip().splitlines():
        name, _, rest = line.partition(":")
        attributes, _, children = rest.partition("|")
        table[name] = frozenset(attributes.split()), frozenset(children.split())
    return table


_GRAMMAR = _grammar()
_DESCRIBED = frozenset(["KohonenMap", "Covariances", "Partition"])  # of how a model was made, not what it says
_ANYTHING_BELOW = frozenset(["InlineTable"])  # the cells of a table are named as its author liked
_BEFORE = "x-"
_EARLY = frozenset(["missingPredictionTreatment", "missingThreshold", "invalidValueReplacement", "wordRE"])
"""Attributes that JPMML writes before the standard has them, as `x-missingThreshold` up to 4.3: they mean the same."""

_MISSPELT = {"datatype": "dataType"}
"""As RapidMiner writes them."""

_WHY = {
    "Aggregate": "It is of several records, and a model is asked about one: let a window of the flow compute it.",
    "Lag": "It is of earlier records, and a model is asked about one: let a window of the flow compute it.",
    "TableLocator": "Tables outside the document are not read.",
    "CenterFields": "Centers of PMML 3.x are of fields made for them alone.",
    "Regression": "Models embedded as before PMML 4.0 have no mining schema of their own.",
    "DecisionTree": "Models embedded as before PMML 4.0 have no mining schema of their own.",
    "VariableWeight": "The weight of a segment is a number here, none that comes with the row.",
}
"""Why elements that real documents hold are refused."""


def refuse(element: Element, wrong: str, do: str = "", seen: str = "") -> DocumentError:
    """The refusal of an element, to be raised: what is wrong, in which element and where."""
    return DocumentError(wrong, seen=seen or f"<{name_of(element)}>", do=do, line=line_of(element))


def _instead_of(name: str) -> str:
    """What to do about an element that is not supported."""
    if name in _OTHER_MODELS:  # which is the model, or one of its segments: nothing would be left without it
        return f"Bring a model of a kind that is run: {', '.join(sorted(MODELS))}."
    return "Export the model without it."


def _rename(element: Element, key: str, name: str) -> None:
    """Give an attribute the name that the standard has for it."""
    if element.get(name) is not None:
        raise refuse(element, f"{name_of(element)} has both {key} and {name}.", do=f"Keep {name}.")
    element.set(name, str(element.get(key)))


def check(root: Element) -> None:
    """Raise DocumentError at the first element or attribute that is not read; one known by an older name is renamed."""
    todo = [root]
    while todo:
        element = todo.pop()
        name = name_of(element)
        attributes, children = _GRAMMAR[name]
        for key in [str(each) for each in element.attrib]:
            if key.removeprefix(_BEFORE) in _EARLY & attributes and key.startswith(_BEFORE):
                _rename(element, key, key.removeprefix(_BEFORE))
            elif key in _MISSPELT and _MISSPELT[key] in attributes:
                _rename(element, key, _MISSPELT[key])
            elif key not in attributes and not key.startswith("{"):
                raise refuse(
                    element, f"The attribute {key} of {name} is not supported.", seen=f'<{name} {key}="…">',
                    do="Remove it if it does not change what the model says.",
                )  # fmt: skip
        if name in _ANYTHING_BELOW:
            continue
        below = []
        for child in element:
            if not isinstance(child.tag, str):
                continue
            called = name_of(child)
            if called in DESCRIPTIVE or called in _DESCRIBED:
                continue
            if called not in children or called not in _GRAMMAR:
                known = "is not supported" if called not in _GRAMMAR else f"has no place in {name}"
                why = f" {_WHY[called]}" if called in _WHY else ""
                raise refuse(child, f"The element {called} {known}.{why}", do=_instead_of(called))
            below.append(child)
        todo += reversed(below)
