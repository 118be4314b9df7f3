"""Work on long streams, chunk by chunk, in several processes and in bounded memory.

Chunks go in and results come out in the same order; no more than a few chunks are on
their way at any time, so memory does not grow with the stream. A worker has one thread:
two cores are used by two workers, not by workers and threads that fight for them.
"""

import itertools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from importlib import import_module
from typing import Any, TypeVar

import loky

from kekule._errors import KekuleError

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Item = TypeVar("Item")
Progress = Callable[[str, int, int | None], None]  # what is done, how far, of how many

AHEAD = 3  # chunks a worker may be ahead of what is consumed
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


class LostWorkerError(KekuleError, RuntimeError):
    """A worker process that died: out of memory, or killed."""


def available_cores() -> int:
    """Cores this process may run on, which a container may have cut below the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunks_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Consecutive lists of `size` items, the last perhaps shorter; nothing is read ahead."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def map_chunks(
    work: Callable[[Chunk], Result], chunks: Iterable[Chunk], *, processes: int = 1
) -> Iterator[Result]:
    """Results of `work` on every chunk, in order.

    Parameters
    ----------
    work
        A function at the top level of a module (or a `functools.partial` of one), so that a
        process can be told of it.
    chunks
        Read only as fast as results are taken.
    processes
        1 works in this process.

    Raises
    ------
    LostWorkerError
        If a worker dies of a chunk that it has to itself; named by its number.
    """
    if processes <= 1:
        yield from map(work, chunks)
        return
    pool, ahead = loky.ProcessPoolExecutor(processes, env=ONE_THREAD), AHEAD * processes
    waiting, pending = iter(chunks), deque[tuple[Chunk, Any]]()
    done = 0
    try:
        while True:
            try:
                for chunk in itertools.islice(waiting, ahead - len(pending)):
                    pending.append((chunk, None))
                    pending[-1] = chunk, pool.submit(work, chunk)
                if not pending:
                    return
                result = pending[0][1].result()
            except loky.process_executor.BrokenProcessPool as error:
                if ahead == 1:
                    raise LostWorkerError(
                        f"the process at work on part {done + 1} died: out of memory, or "
                        "killed. Give fewer processes, or remove what is odd about that part."
                    ) from error
                # Which of the parts under way it died of is not known: each is tried alone.
                pool.shutdown(wait=True, kill_workers=True)
                pool, ahead = loky.ProcessPoolExecutor(1, env=ONE_THREAD), 1
                waiting = itertools.chain([chunk for chunk, _ in pending], waiting)
                pending.clear()
                continue
            pending.popleft()
            done += 1
            yield result
    finally:
        pool.shutdown(wait=True, kill_workers=True)


class Beside:
    """A process of its own for work beside this one; it has one thread and starts at once.

    Parameters
    ----------
    warm
        What it does first, such as importing what the work will need.
    """

    def __init__(self, warm: Callable[[], object]):
        self._pool = loky.ProcessPoolExecutor(
            max_workers=1, env=ONE_THREAD, initializer=_follow, initargs=(os.getpid(),)
        )
        self._pool.submit(warm)

    def do(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Start `work`; gives a call that waits for what it returns.

        What `work` is (a `functools.partial`, say) and what it returns have to be sendable.

        Raises
        ------
        LostWorkerError
            From the call, if the process dies.
        """
        try:
            future: Future[Result] = self._pool.submit(work)
        except loky.process_executor.BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)  # it died while it had nothing to do: told when asked

        def wait() -> Result:
            try:
                return future.result()
            except loky.process_executor.BrokenProcessPool as error:
                why = "the process beside the training died: out of memory, or killed. "
                raise LostWorkerError(why + "Give --processes 1.") from error

        return wait

    def end(self) -> None:
        """End the process, whatever it does."""
        self._pool.shutdown(wait=True, kill_workers=True)


def imported(*names: str) -> None:
    """Import modules, so that work in this process finds them ready."""
    for name in names:
        import_module(name)


def called(module: str, name: str, *given: object) -> Any:
    """Call a function by its name, so that whoever sends the work need not import it."""
    return getattr(import_module(module), name)(*given)


def _follow(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()


def end_with(parent: int) -> None:
    """End this process soon after its parent, also when it waits for work that never comes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def shared_out(items: Sequence[Item], processes: int, *, most: int = 2048) -> list[Sequence[Item]]:
    """Parts of a sequence of at most `most` items, a few for each process."""
    size = max(1, min(most, -(-len(items) // (4 * max(processes, 1)))))
    return [items[start : start + size] for start in range(0, len(items), size)]
