"""Run every check that needs no test: all of them, also after one fails, and say at the end what did (`make check`)."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS = {
    "style": ["ruff", "check", "."],
    "form": ["ruff", "format", "--check", "."],
    "types": ["mypy", "src", "benchmarks"],
    "imports": ["lint-imports", "--no-logo"],
    "deploy": ["pytest", "tests/deploy", "--quiet"],
    "house": ["pytest", "tests/house", "--quiet", "--ignore=tests/house/test_docs_run.py"],
}


def main() -> int:
    """Run the checks; 1 if any failed."""
    failed = []
    for name, (tool, *arguments) in CHECKS.items():
        print(f"── {name}: {tool} {' '.join(arguments)}", flush=True)
        began = time.monotonic()
        # ruff and lint-imports look for the source from here.
        code = subprocess.run([BIN / tool, *arguments], cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}).returncode
        if code:
            failed.append(name)
        print(f"   {'FAILED' if code else 'ok'}, {time.monotonic() - began:.1f} s", flush=True)
    print(f"make check: failed: {', '.join(failed)}" if failed else "make check: all well", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
