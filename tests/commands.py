"""`storywatch WORDS` as a process of its own, forked from a server that has imported everything already.

A real process with its own exit code, streams and signals; only the second or two of imports are saved.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.preloaded"])


def storywatch(
    *words: str, cwd: Path, stdin: str | None = None, env: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` with captured text would."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        files[0].write_text(stdin or "", encoding="utf-8")
        process = CONTEXT.Process(target=_main, args=(words, str(cwd), dict(os.environ | (env or {})), files))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout)
        out, err = (file.read_text(encoding="utf-8") for file in files[1:])
        return subprocess.CompletedProcess(words, process.exitcode, out, err)


def _main(words: tuple[str, ...], cwd: str, environ: dict[str, str], files: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for number, file in enumerate(files):
        flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.argv = ["storywatch", *words]
    from monitor.cli import main

    main()
