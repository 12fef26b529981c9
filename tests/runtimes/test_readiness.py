"""What is said to be ready never waits for the compiler, and is compiled once on a machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.decisions.dmn.test_pmml import pmml, regression

COMPILED = """
import sys
from numba.core.dispatcher import Dispatcher
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.scorer import PmmlScorer
from tidegate.runtimes.readiness import PMML, prepare

def kernels():
    there = [module for name, module in sys.modules.items() if name.startswith("tidegate.")]
    return {id(one): one for module in there for one in vars(module).values() if isinstance(one, Dispatcher)}.values()

pmml = [module for _, module in PMML]
if sys.argv[1] == "served":
    scorer = PmmlScorer(read_pmml(open(sys.argv[2], "rb").read(), "risk.pmml"))
    assert not any(name in sys.modules for name in pmml)  # reading is quick
    scorer.bind([0, 1], ["float", "text"], 2)  # as an engine does before it takes events
else:
    prepare(steps=PMML)
assert all(name in sys.modules for name in pmml)
before = sum(len(one.signatures) for one in kernels())
model = read_pmml(open(sys.argv[2], "rb").read(), "risk.pmml")
assert model.answer({"amount": 20.0, "country": "FR"}).values == {"risk": 51.0}
assert list(model.table({"amount": [20.0], "country": ["FR"]})["risk"]) == [51.0]
assert sum(len(one.signatures) for one in kernels()) == before  # no answer compiled anything
print(sum(sum(one.stats.cache_misses.values()) for one in kernels()))
"""


def _compiled(how: str, document: Path) -> int:
    """How many kernels a new process had to compile."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED, how, str(document)], cwd=ROOT, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.timeout(1200)
def test_a_served_pmml_model_has_its_kernels_before_it_answers_and_the_next_start_has_them_from_disk(
    tmp_path: Path,
) -> None:
    document = tmp_path / "risk.pmml"
    document.write_bytes(pmml(regression("r")))
    _compiled("prepared", document)
    assert _compiled("served", document) == 0
    assert _compiled("prepared", document) == 0
