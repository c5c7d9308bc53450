"""Write requirements.lock: every package of every extra for every platform, with hashes and no index address.

Beside it, with the same versions, what the container image is made from: deploy/image.lock (all that runs, nothing that
only checks and tests need) and deploy/build.lock (what builds the wheel).
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLAGS = "--universal --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --python-version 3.11"
SAME = ["--constraint=requirements.lock"]
NOT_IN_IMAGE = {"test", "e5"}
"""What checks need, and a model of 91 MB that is built for one kind of machine."""


def main() -> int:
    """Make the three files, the first one first: the others take their versions from it."""
    meta = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [f"--extra={name}" for name in sorted(set(meta["project"]["optional-dependencies"]) - NOT_IN_IMAGE)]
    builders = "\n".join(meta["build-system"]["requires"])
    return (
        _compile(["--all-extras", "pyproject.toml", "-o", "requirements.lock"])
        or _compile([*SAME, *extras, "pyproject.toml", "-o", "deploy/image.lock"])
        or _compile([*SAME, "-", "-o", "deploy/build.lock"], builders)
    )


def _compile(words: list[str], given: str | None = None) -> int:
    return subprocess.run(
        ["uv", "pip", "compile", *FLAGS.split(), *words], cwd=ROOT, input=given, text=True, check=False
    ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError:
        sys.exit("make lock needs uv on the path: pipx install uv")
