"""Where the time of a training goes: a trace of a few steps, and a page about all of it.

The page counts wall time by section over the whole training; the trace, which costs more than
it watches, holds a few steps after the warm-up. Time spent tracing is not counted, or it would
be the largest entry. Left off, a section is a context that does nothing (0.3 µs).

Symbols: a step is one batch, and ends when its section `optimiser` ends.
"""

import gzip
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from kekule.models.profile_page import Profile, operations_of, profile_page

log = logging.getLogger(__name__)

SECTIONS = ("data", "forward", "backward", "optimiser", "validation")
STEP = "optimiser"  # the section that ends a step
WARM_UP = 5  # steps: allocators and kernels are set up in the first
TRACED = 5  # steps

_NOTHING = nullcontext()


class Profiler:
    """One that is off: sections do nothing."""

    def section(self, name: str) -> AbstractContextManager[object]:
        """Context of a part of a step; one of `SECTIONS`, or another word."""
        del name
        return _NOTHING


class _Profiler(Profiler):
    """Adds up the time of sections, and traces a few steps."""

    def __init__(self, trace: Path, device: torch.device):
        self.trace, self.device = trace, device
        self.seconds: dict[str, float] = dict.fromkeys(SECTIONS, 0.0)
        self.inside: list[_Section] = []
        self.steps = 0
        self.begun = time.perf_counter()
        self.uncounted = 0.0  # seconds in which steps were traced, and the trace was written
        self.traced_since = 0.0
        self.torch: Any = None  # the profiler of torch, while it traces
        self.operations: list[tuple[str, int, float]] = []

    def section(self, name: str) -> AbstractContextManager[object]:
        return _Section(self, name)

    def wait(self) -> None:
        """Let the device end its work, so that it is counted where it was asked for."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def step_ended(self) -> None:
        self.steps += 1
        if self.steps == WARM_UP:
            self.start_trace()
        elif self.steps == WARM_UP + TRACED:
            self.end_trace()

    def start_trace(self) -> None:
        self.traced_since = time.perf_counter()
        activities = [torch.profiler.ProfilerActivity.CPU]
        if self.device.type == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        self.torch = torch.profiler.profile(activities=activities)
        with _without_kinetos_words():
            self.torch.start()

    def end_trace(self) -> None:
        """Stop tracing and write the trace, whole or not at all."""
        if self.torch is None:
            return
        self.stop()
        self.operations = operations_of(self.torch.key_averages(), self.device, SECTIONS)
        plain, half = self.trace.with_suffix(".plain"), self.trace.with_suffix(".half")
        try:
            self.torch.export_chrome_trace(str(plain))
            with plain.open("rb") as source, gzip.open(half, "wb", compresslevel=6) as target:
                shutil.copyfileobj(source, target)
            half.replace(self.trace)
        finally:
            for path in (plain, half):
                with suppress(OSError):
                    path.unlink()
        self.torch = None
        self.uncounted += time.perf_counter() - self.traced_since

    def stop(self) -> None:
        """Stop tracing, if it goes on."""
        if self.torch is not None:
            with _without_kinetos_words():
                self.torch.stop()

    def end(self) -> Profile:
        """What was found."""
        self.wait()
        self.end_trace()
        wall = time.perf_counter() - self.begun - self.uncounted
        known = sum(self.seconds.values())
        return Profile(
            seconds={**self.seconds, "other": max(wall - known, 0.0)},
            steps=self.steps,
            traced=max(0, min(self.steps - WARM_UP, TRACED)),
            operations=self.operations,
            device=str(self.device),
            threads=torch.get_num_threads(),
            peak_bytes=peak_memory(),
            peak_device_bytes=(
                torch.cuda.max_memory_allocated(self.device)
                if self.device.type == "cuda"
                else None
            ),
        )


class _Section:
    """A part of a step. Of sections in each other, time counts for the innermost."""

    __slots__ = ("label", "name", "own", "profiler", "since")

    def __init__(self, profiler: _Profiler, name: str):
        self.profiler, self.name, self.own, self.since = profiler, name, 0.0, 0.0
        self.label: Any = None

    def __enter__(self) -> Self:
        profiler = self.profiler
        if profiler.torch is not None:
            self.label = torch.profiler.record_function(self.name)
            self.label.__enter__()
        profiler.wait()
        now = time.perf_counter()
        if profiler.inside:
            outer = profiler.inside[-1]
            outer.own += now - outer.since
        profiler.inside.append(self)
        self.since = now
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        profiler = self.profiler
        profiler.wait()
        now = time.perf_counter()
        self.own += now - self.since
        profiler.inside.pop()
        if profiler.inside:
            profiler.inside[-1].since = now
        if profiler.torch is None:
            found = profiler.seconds
            found[self.name] = found.get(self.name, 0.0) + self.own
        if self.label is not None:
            self.label.__exit__(kind, error, trace)
        if self.name == STEP and error is None:
            profiler.step_ended()


OFF = Profiler()


@contextmanager
def profiled(
    folder: Path | None, name: str, *, device: torch.device | None = None, precision: str = ""
) -> Iterator[Profiler]:
    """Watch a training inside, and write ``<name>.trace.json.gz`` and ``<name>.md`` at its end.

    Parameters
    ----------
    folder
        For both files, made if it is not there; None watches nothing and costs nothing.
    name
        Of the training, for the files and the page.
    device, precision
        What it computes on and in, for the page; the device is waited for at each section's
        end, so a training on a GPU is slower while it is watched.

    Notes
    -----
    A folder that cannot be written loses the profile, not the training; the log says so. A
    training that fails leaves no page.
    """
    if folder is None:
        yield OFF
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("%s: no profile is written: %s", folder, error)
        yield OFF
        return
    watching = _Profiler(folder / f"{name}.trace.json.gz", device or torch.device("cpu"))
    try:
        yield watching
    except BaseException:
        watching.stop()
        raise
    try:
        page = profile_page(watching.end(), name, precision=precision)
        half = folder / f"{name}.half"
        half.write_text(page, encoding="utf-8")
        half.replace(folder / f"{name}.md")
    except OSError as error:
        log.warning("%s: the profile of %s is not written: %s", folder, name, error)


@contextmanager
def _without_kinetos_words() -> Iterator[None]:
    """Keep what the tracer says of its own start and end off standard error; all else passes.

    It is written by C++ to the file itself, and its level is fixed when torch is imported.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is none, so nothing is said
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(kept, 2)
                said.seek(0)
                for line in said:
                    if not line.startswith(b"USDT:"):
                        os.write(2, line)
    finally:
        os.close(kept)


def peak_memory() -> int:
    """Most memory this process has held so far, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
