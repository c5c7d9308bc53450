"""`make bench`: run every bench of this folder, one after the other, and print their tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NOT_BY_ITSELF = ("copies", "poll_once")
"""Those that need arguments: documents, or the program that calls them."""

if __name__ == "__main__":
    failed = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        if path.stem in NOT_BY_ITSELF:
            continue
        print(f"\n## {path.stem}: python -m bench.{path.stem}\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=False).returncode:
            failed.append(path.stem)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
