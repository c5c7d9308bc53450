"""What runs in a parser process: one task after the other, each within limits that the process sets itself.

Five seconds of CPU for a body (a timer signal, which even an endless loop in Python feels), 512 MiB of address space,
and behind both the kernel's CPU limit for loops in C. What a body means is decided in `monitor.parse`. Started by
`monitor.parser_pool`; imports as little as can be, since every process of the pool holds it.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import signal
import traceback
from multiprocessing.connection import Connection
from types import FrameType

from monitor.errors import ParseError
from monitor.parse import article, publishers
from monitor.parse.tasks import Body, Changed, Outcome, Page, Task
from monitor.values import ParseReason

log = logging.getLogger(__name__)

CPU_SECONDS = 5.0
KERNEL_CPU_SECONDS = 10
_MEMORY_BYTES = 512 * 1024 * 1024


class _OutOfTime(BaseException):
    """Raised by the timer's signal. No Exception: nothing on the way may catch it."""


def serve(pipe: Connection, table: publishers.HostTable, cpu_s: float) -> None:
    """Serve tasks until the parent's end of the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, _out_of_time)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for task in pipe.recv():
                pipe.send(_limited(task, table, cpu_s))


def _limited(task: Task, table: publishers.HostTable, cpu_s: float) -> Outcome:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + KERNEL_CPU_SECONDS, hard))
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, cpu_s, 0.1)
            return outcome(task, table)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _OutOfTime:
        signal.setitimer(signal.ITIMER_PROF, 0)  # it may have come before the one above
        message = f"{len(task.body)} bytes were not parsed within {cpu_s:g} s of CPU"
        return ParseError(ParseReason.PARSE_TIMEOUT, message)
    except MemoryError:
        return ParseError(ParseReason.TOO_LARGE, f"{len(task.body)} bytes need more memory than a parser may use")


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise _OutOfTime


def _done(task: Task, table: publishers.HostTable) -> Outcome:
    # Here: the daemon names `serve` and never parses. In a parser process they are loaded before it is forked.
    from monitor.parse import feed, unseen

    match task:
        case Body(body, url, headers, now, hints):
            return feed.parse(body, url, headers, now, hints, table)
        case Changed(body, url, whole, before):
            return unseen.parse(body, url, whole.headers, whole.now, whole.hints, table, before=before)
        case Page(body, url, content_type):
            return article.read(body, url, content_type)


def outcome(task: Task, table: publishers.HostTable) -> Outcome:
    """One task done. A fault of ours is a reason too, and logged: one body must not stop the others."""
    try:
        return _done(task, table)
    except ParseError as exc:
        return exc
    except MemoryError:
        raise
    except Exception as exc:  # noqa: BLE001  around one body
        log.error("parser failed on %s: %s", task.url, traceback.format_exc())
        return ParseError(ParseReason.UNDECODABLE, f"the parser failed: {type(exc).__name__}: {str(exc)[:200]}")
