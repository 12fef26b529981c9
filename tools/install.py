"""Make .venv and put the locked requirements and this project into it; called by the Makefile, standard library only.

Usage: python tools/install.py run|dev

Every package comes from requirements/NAME.txt with its exact version and hash. The installer itself (uv, some ten
times as fast as pip) is locked the same way, in requirements/uv.txt, and is fetched by pip.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
REQUIREMENTS = ROOT / "requirements"


def say(text: str) -> None:
    """Tell the user what is being done, at once."""
    print(f"· {text}", flush=True)


def call(*command: str | Path, quiet: bool = False) -> int:
    """Run a command in the project's root and give its exit status."""
    silence = subprocess.DEVNULL if quiet else None
    return subprocess.run([str(part) for part in command], cwd=ROOT, stdout=silence, stderr=silence).returncode


def must(*command: str | Path) -> None:
    """Run a command; end with a message when it fails."""
    if call(*command):
        sys.exit(f"This failed: {' '.join(str(part) for part in command)}\nMend what it says above, then try again.")


def make_venv() -> list[str | Path]:
    """Make .venv unless it is there, and give the command that is its pip.

    Debian ships Python without ensurepip; there the system's pip installs into the environment from outside.
    """
    usable = call(PYTHON, "-c", "", quiet=True) == 0 if PYTHON.exists() else False
    if not usable:
        say(f"making .venv with Python {sys.version.split()[0]}")
        if call(sys.executable, "-m", "venv", "--clear", VENV, quiet=True):
            must(sys.executable, "-m", "venv", "--clear", "--without-pip", VENV)
    if call(PYTHON, "-m", "pip", "--version", quiet=True) == 0:
        return [PYTHON, "-m", "pip"]
    if call(sys.executable, "-m", "pip", "--version", quiet=True) == 0:
        return [sys.executable, "-m", "pip", "--python", PYTHON]
    sys.exit("This Python has neither ensurepip nor pip. On Debian and Ubuntu: apt install python3-venv")


def get_uv(pip: list[str | Path]) -> None:
    """Install the locked uv unless it is there already."""
    locked = (REQUIREMENTS / "uv.txt").read_text(encoding="utf-8").split()[0].removeprefix("uv==")
    if UV.exists():
        told = subprocess.run([UV, "--version"], capture_output=True, text=True).stdout.split()
        if told[1:2] == [locked]:
            return
    say(f"fetching the installer, uv {locked}")
    must(*pip, "install", "--quiet", "--require-hashes", "--no-deps", "-r", REQUIREMENTS / "uv.txt")


def main() -> None:
    """Install what `run` or `dev` needs and leave a stamp for make."""
    if len(sys.argv) != 2 or sys.argv[1] not in ("run", "dev"):
        sys.exit(__doc__)
    began, wanted = time.monotonic(), sys.argv[1]
    get_uv(make_venv())
    say(f"installing requirements/{wanted}.txt")
    locked: list[str | Path] = ["--require-hashes", "--compile-bytecode", REQUIREMENTS / f"{wanted}.txt"]
    # A developer's environment is made exactly as locked; a runner's is not emptied of a developer's tools.
    verb = ["sync"] if wanted == "dev" else ["install", "-r"]
    must(UV, "pip", verb[0], "--python", PYTHON, *locked[:2], *verb[1:], locked[2])
    must(UV, "pip", "install", "--python", PYTHON, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    for stamp in ("run", wanted):  # who has what `dev` needs has what `run` needs
        (VENV / f".installed-{stamp}").touch()
    say(f"ready in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
