"""The oracle: what the language means, written plainly and slowly. Only tests use it.

Whole numbers are Python's, sums and means are fractions, and floats are floats only where the language says so.
Nothing of the engine is used: neither its programs nor its kernels.
"""

from tests.oracle.oracle import Oracle, OracleDecision, RefusedError
from tests.oracle.real import Real, UndecidedError
from tests.oracle.terms import Scope, evaluate

__all__ = ["Oracle", "OracleDecision", "Real", "RefusedError", "Scope", "UndecidedError", "evaluate"]
