"""Parser processes: bodies in, parsed feeds or reasons out, and no body can stop the others.

Each worker holds limits of its own (`monitor.parser_process`). One that dies is replaced, and the body that killed it
is tried once more alone. What a body means is decided in `monitor.parse`; this module decides nothing. Called by
`monitor.jobs`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection

from monitor import metrics, parser_process
from monitor.errors import ParseError
from monitor.parse import article, delta, publishers
from monitor.parse.tasks import Body as Body
from monitor.parse.tasks import Changed, Outcome, Task
from monitor.parse.tasks import Page as Page
from monitor.parser_process import CPU_SECONDS as CPU_SECONDS
from monitor.parser_process import KERNEL_CPU_SECONDS
from monitor.values import ParsedFeed, ParseReason

_WALL_SECONDS = 60.0
"""A worker that is silent for this long is stopped or starved; nothing a body can ask for takes it."""
_BODIES_PER_WORKER = 5_000
_BATCH_BODIES, _BATCH_BYTES = 25, 512 * 1024


class ParserPool:
    """A number of parser processes. `workers=0` parses in threads of this process, without limits: for tests and tools.

    Use as an async context manager, or `start` and `close`. `table` is what is known of hosts, `cpu_s` the seconds of
    CPU a body may take.
    """

    def __init__(
        self, workers: int, table: publishers.HostTable = publishers.DEFAULT, *, cpu_s: float = CPU_SECONDS
    ) -> None:
        self._table = table
        self._cpu_s = cpu_s
        self._size = workers
        self._queue: asyncio.Queue[tuple[Task, asyncio.Future[Outcome]]] = asyncio.Queue()
        self._starts: list[asyncio.Future[Connection]] = []
        self._loops: list[asyncio.Task[None]] = []
        self._workers: list[_Worker] = []
        self._threads: ThreadPoolExecutor | None = None

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The running workers, for whoever measures or tests them."""
        return tuple(pid for worker in self._workers if (pid := worker.pid) is not None)

    async def __aenter__(self) -> ParserPool:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the workers in the background; `parse` does so by itself when needed."""
        if self._loops or not self._size:
            return
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="parser")
        self._workers = [_Worker(self._table, self._cpu_s) for _ in range(self._size)]
        loop = asyncio.get_running_loop()
        self._starts = [loop.run_in_executor(self._threads, worker.start) for worker in self._workers]
        both = zip(self._workers, self._starts, strict=True)
        self._loops = [asyncio.create_task(self._serve(worker, begun)) for worker, begun in both]

    async def ready(self) -> None:
        """Wait until every worker is started, or cannot be: for whoever measures what comes after a start."""
        await asyncio.gather(*self._starts, return_exceptions=True)

    def use(self, table: publishers.HostTable) -> None:
        """Know hosts by this table from the next batch on; a worker that knows another is replaced before it."""
        if table != self._table:
            self._table = table
            for worker in self._workers:
                worker.table = table

    async def parse(self, body: Body) -> ParsedFeed:
        """Parse one body.

        Errors: ParseError, with `parse_timeout` for a body that used up its time or killed its worker twice.
        """
        outcome = await self._ask(body)
        if isinstance(outcome, ParsedFeed):
            return outcome
        raise outcome if isinstance(outcome, ParseError) else TypeError(f"no feed but {type(outcome)}")

    async def parse_new(self, body: Body, before: delta.Memory | None) -> delta.Delta:
        """Parse what is new in a body since `before`, all of it without one.

        Errors: as `parse`.
        """
        outcome = await self._ask(Changed(body.body, body.url, replace(body, body=b""), before))
        if isinstance(outcome, delta.Delta):
            return outcome
        raise outcome if isinstance(outcome, ParseError) else TypeError(f"no delta but {type(outcome)}")

    async def extract(self, page: Page) -> article.Extract | None:
        """The text of an article's page and its own address, None if it holds no text.

        Errors: ParseError `parse_timeout`.
        """
        outcome = await self._ask(page)
        if isinstance(outcome, ParseError):
            raise outcome
        return outcome if isinstance(outcome, article.Extract) else None

    async def close(self) -> None:
        """Stop the workers; what was still asked for is cancelled."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for worker in self._workers:
            worker.abort()
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for worker in self._workers:
            worker.stop()
        self._starts, self._loops, self._workers, self._threads = [], [], [], None
        while not self._queue.empty():
            self._queue.get_nowait()[1].cancel()

    async def _ask(self, task: Task) -> Outcome:
        if not self._size:
            return await asyncio.to_thread(parser_process.outcome, task, self._table)
        await self.start()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((task, future))
        return await future

    async def _serve(self, worker: _Worker, begun: asyncio.Future[Connection]) -> None:
        """Hand batches to one worker for as long as the pool is open."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            await begun
        while True:
            batch = await self._batch()
            try:
                outcomes = await loop.run_in_executor(self._threads, worker.run, [task for task, _ in batch])
            except OSError as exc:  # no process can be started: the callers say so, the next batch tries again
                _settle(batch, [exc] * len(batch))
            except asyncio.CancelledError:
                for _, future in batch:
                    future.cancel()
                raise
            else:
                _settle(batch, outcomes)

    async def _batch(self) -> list[tuple[Task, asyncio.Future[Outcome]]]:
        """What waits, shared among the workers, up to a batch's size."""
        batch = [await self._queue.get()]
        size = len(batch[0][0].body)
        share = math.ceil((self._queue.qsize() + 1) / self._size)
        while len(batch) < min(share, _BATCH_BODIES) and size < _BATCH_BYTES and not self._queue.empty():
            batch.append(self._queue.get_nowait())
            size += len(batch[-1][0].body)
        return batch


def _settle(batch: Sequence[tuple[Task, asyncio.Future[Outcome]]], outcomes: Sequence[Outcome | OSError]) -> None:
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, OSError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


@dataclass(slots=True)
class _Worker:
    """One parser process as its parent sees it. Its methods block; they run in a thread of the pool."""

    table: publishers.HostTable
    cpu_s: float = CPU_SECONDS
    given: publishers.HostTable | None = None
    """The table that the running process has."""
    process: multiprocessing.process.BaseProcess | None = None
    pipe: Connection | None = None
    served: int = 0
    closed: bool = False
    _context: multiprocessing.context.ForkServerContext = field(
        default_factory=lambda: multiprocessing.get_context("forkserver")
    )

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self.process.pid if self.process is not None else None

    def start(self) -> Connection:
        """Start the process if there is none. Not `fork`: the daemon has threads."""
        if self.closed:
            raise OSError("the parser pool is closed")
        if self.pipe is not None:
            return self.pipe
        self._context.set_forkserver_preload(["monitor.parser_process", "monitor.parse.preload"])
        self.pipe, theirs = self._context.Pipe()
        self.process = self._context.Process(
            target=parser_process.serve, args=(theirs, self.table, self.cpu_s), name="parser", daemon=True
        )
        with _nameless_main():
            self.process.start()
        theirs.close()
        self.given = self.table
        self.served = 0
        return self.pipe

    def abort(self) -> None:
        """End the process and start no other; a thread that waits for it goes on."""
        self.closed = True
        if self.pid is not None and self.process is not None:  # one that is just being started has no id yet
            self.process.kill()

    def stop(self) -> None:
        """End the process, at once, and let go of it."""
        if self.pipe is not None:
            self.pipe.close()
        if self.pid is not None and self.process is not None:
            self.process.kill()
            self.process.join()
            self.process.close()
        self.process = self.pipe = None

    def run(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Outcomes of all tasks in order. A task that ends the process is tried alone, then given up."""
        done: list[Outcome] = []
        alone = False
        if self.given is not self.table:
            self.stop()
        while len(done) < len(tasks):
            rest = tasks[len(done) : len(done) + 1] if alone else tasks[len(done) :]
            if self._answers(rest, done):
                alone = False
                continue
            self.stop()
            metrics.parser_restarts.labels("killed").inc()
            if alone:
                done.append(_killed(tasks[len(done)]))
            alone = not alone
        if self.served >= _BODIES_PER_WORKER:
            self.stop()
            metrics.parser_restarts.labels("worn").inc()
        return done

    def _answers(self, tasks: Sequence[Task], done: list[Outcome]) -> bool:
        """Append the outcome of each task as it comes; False if the process ended or fell silent before the last."""
        pipe = self.start()
        try:
            pipe.send(tuple(tasks))
            for _ in tasks:
                if not pipe.poll(_WALL_SECONDS):
                    return False
                done.append(pipe.recv())
                self.served += 1
        except (EOFError, OSError):
            return False
        return True


def _killed(task: Task) -> ParseError:
    message = f"{len(task.body)} bytes ended the parser process twice (over {KERNEL_CPU_SECONDS} s of CPU, or memory)"
    return ParseError(ParseReason.PARSE_TIMEOUT, message)


@contextlib.contextmanager
def _nameless_main() -> Iterator[None]:
    """Keep a new process from running the command's module again: it would import the whole program for nothing."""
    main = sys.modules["__main__"]
    path, spec = getattr(main, "__file__", None), main.__spec__
    try:
        main.__file__, main.__spec__ = None, None  # as in an interactive session
        yield
    finally:
        main.__file__, main.__spec__ = path, spec
