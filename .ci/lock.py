"""Write requirements.lock: every package of every extra for every platform, with hashes and no index address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMAND = (
    "uv pip compile --universal --generate-hashes --all-extras --no-header --no-annotate --no-emit-index-url "
    "--quiet --python-version 3.11 pyproject.toml -o requirements.lock"
)

if __name__ == "__main__":
    try:
        sys.exit(subprocess.run(COMMAND.split(), cwd=Path(__file__).parent.parent, check=False).returncode)
    except FileNotFoundError:
        sys.exit("make lock needs uv on the path: pipx install uv")
