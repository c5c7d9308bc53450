"""What a command costs, measured from outside: CPU, wall and memory of its whole process tree. Linux only.

A command is started in a session of its own, which is how its descendants are known. Workers behind a forkserver do
not show in their parent's accounts: orphans are adopted (PR_SET_CHILD_SUBREAPER) and waited for here. Memory is the
sum of PSS: pages that processes share count once.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SUBREAPER = 36
_SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, seconds of CPU, and the highest sum of PSS in MiB."""

    wall_s: float
    cpu_s: float
    pss_mib: float


@contextmanager
def orphans_adopted() -> Iterator[None]:
    """Be the parent of every descendant whose own parent has ended, for a while."""
    _set_subreaper(1)
    try:
        yield
    finally:
        _set_subreaper(0)


def _set_subreaper(on: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, on, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def measured(command: Sequence[str], env: Mapping[str, str] | None = None, *, may_fail: bool = False) -> Cost:
    """Run a command to its end, its descendants included.

    Errors: RuntimeError with the end of its output when it fails.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    sampler = _Sampler(process.pid)
    sampler.start()
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append(_all_of(process)))
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    cpu = usage.ru_utime + usage.ru_stime + _orphans(process.pid)
    sampler.done.set()
    sampler.join()
    reader.join()
    if process.returncode and not may_fail:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said[0].decode()[-2000:]}")
    return Cost(wall, cpu, sampler.highest_kib / 1024)


def _all_of(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr is not None
    with process.stderr as said:
        return said.read()


def _orphans(session: int) -> float:
    """Wait for all that is left of the tree, now our children; the seconds of CPU it took."""
    cpu = 0.0
    while members(session):
        try:
            _, _, usage = os.wait4(-session, 0)
        except ChildProcessError:  # in a process group of its own, or not ours yet
            time.sleep(_SAMPLE_S)
            continue
        cpu += usage.ru_utime + usage.ru_stime
    return cpu


def members(session: int) -> list[int]:
    """The processes of a session, the dead that nobody has waited for included."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _session(path) == session]


def cpu_s(session: int) -> float:
    """Seconds of CPU that the living processes of a session have taken, and the dead ones that they waited for."""
    ticks = 0
    for pid in members(session):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_mib(session: int) -> float:
    """The memory of the processes of a session."""
    return sum(map(_pss_kib, members(session))) / 1024


def own_mib(session: int) -> float:
    """What of it no other process has: libraries are left out, whose share changes with what else runs."""
    return sum(_kib(pid, "Private_Dirty:") for pid in members(session)) / 1024


def family(process: int) -> list[int]:
    """A process and all that come from it."""
    born: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and (parent := _parent(path)) is not None:
            born.setdefault(parent, []).append(int(path.name))
    found = [process]
    for one in found:
        found += born.get(one, [])
    return found


def pss_of(process: int) -> float:
    """The memory of one process in MiB."""
    return _pss_kib(process) / 1024


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _session(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return None


class _Sampler(threading.Thread):
    """Looks at the tree's memory again and again until `done`."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self.highest_kib = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(_SAMPLE_S):
            self.highest_kib = max(self.highest_kib, sum(map(_pss_kib, members(self._session))))


def _pss_kib(pid: int) -> int:
    return _kib(pid, "Pss:")


def _kib(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
