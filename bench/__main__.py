"""`make bench`: the benches of this folder, one after the other, in sizes that end soon; their tables are Markdown.

    python -m bench [--full] [NAME ...]

`--full` takes the sizes that the goals speak of: hours, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

QUICK = {
    "client": ["--rounds", "3", "--uvloop"],
    "match": [],
    "cluster": ["--entries", "5000"],
    "detect": [],
    "store": ["--rows", "1500", "--rounds", "3"],
    "pipeline": ["--feeds", "30", "--polls", "3", "--history", "1000,20000"],
    "backtest": ["--entries", "5000"],
    "alerts": ["--events", "2000", "--groups", "100"],
    "copying": ["--entries", "3000"],
    "claims": ["--feeds", "5000"],
    "leading": [],
    "cluster_run": ["--feeds", "100"],
    "bombs": [],
    "worker_memory": ["--feeds", "20000", "--hosts", "6000", "--due", "200"],
    "farm": ["--feeds", "100", "--hours", "1"],
    "day": ["--feeds", "40", "--hosts", "16", "--hours", "3"],
    "daemon": ["start", "--feeds", "200", "--rounds", "3"],
    "stall": ["--feeds", "100"],
    "peers": ["--feeds", "50", "--rounds", "1"],
}
FULL = {
    "client": ["--uvloop"],
    "cluster": ["--entries", "100000"],
    "pipeline": ["--history", "10000,1000000"],
    "backtest": ["--entries", "100000"],
    "copying": ["--entries", "1000000", "--interrupt"],
    "farm": ["--feeds", "100000"],
    "peers": ["--feeds", "1000", "--rounds", "3"],
}
"""What differs from the quick sizes: no arguments are the bench's own, which are the goals' sizes."""


def main() -> int:
    """Run what was asked for; 1 if a bench failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*QUICK, []], help="benches; all of them without any")
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    failed = [
        name for name in asked.names or QUICK if not _run(name, FULL.get(name, []) if asked.full else QUICK[name])
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _run(name: str, arguments: list[str]) -> bool:
    command = ["-m", f"bench.{name}", *arguments]
    print(f"\n## {name}\n\n`python {' '.join(command)}`\n", flush=True)
    return subprocess.run([sys.executable, *command], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
