"""Whole commands as a user gives them: seconds from start to end, and memory on the way.

A command is started in a session of its own, and every process of that session counts: what
it starts to work beside it takes the same machine's memory. Memory is looked at 20 times a
second. A process's share of pages it has in common with others (PSS) takes the kernel
milliseconds to tell, so it is asked for only when the resident pages stand at a new height,
and once a second besides.

Needs Python's own library and Linux.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from contest import Others

SAMPLE_SECONDS = 0.05
LIST_EVERY = 4  # samples between two looks for new processes
SHARE_SECONDS = 1.0
NEW_HEIGHT = 1e6  # bytes
PAGE = os.sysconf("SC_PAGE_SIZE")
SHOWN = 2000  # characters of the output of a command that failed


class Memory(threading.Thread):
    """Watches the processes of a session until it is told to stop.

    Attributes
    ----------
    together
        Most bytes of all processes at one time, shared pages counted once (sum of PSS).
    largest
        Most bytes that were ever resident of one process (its RSS).
    """

    def __init__(self, session: int):
        super().__init__(daemon=True)
        self.session = session
        self.together = self.largest = 0.0
        self._ended = threading.Event()

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Take samples."""
        height, asked, count = 0.0, 0.0, 0
        members: list[Path] = []
        while not self._ended.wait(SAMPLE_SECONDS):
            if count % LIST_EVERY == 0:
                members = [path for path in _processes() if _session(path) == self.session]
            count += 1
            resident = sum(map(_resident, members))
            if resident > height + NEW_HEIGHT or time.monotonic() > asked + SHARE_SECONDS:
                height, asked = max(height, resident), time.monotonic()
                self.together = max(self.together, sum(map(_share, members)))
                self.largest = max(self.largest, *map(_highest, members), 0.0)


def run_command(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Run a command to its end; what it took.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File for what it prints.
    environment
        Added to this one's.

    Returns
    -------
    dict
        ``seconds`` by the clock, ``processor_seconds`` of all its processes, ``megabytes`` of
        all its processes together, ``largest_megabytes`` of its largest, and how many cores
        ``others`` kept busy meanwhile.
    """
    with log.open("wb") as output, Others() as others:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        memory = Memory(process.pid)
        memory.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            memory.stop()
    if process.returncode:
        told = log.read_text(encoding="utf-8", errors="replace")[-SHOWN:]
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{told}")
    own = used.ru_utime + used.ru_stime
    return {
        "seconds": seconds,
        "processor_seconds": own,
        "others": others.cores(own),
        "megabytes": memory.together / 1e6,
        "largest_megabytes": memory.largest / 1e6,
    }


def _processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def _session(process: Path) -> int:
    with suppress(OSError):
        # After the name, which may hold anything: state, parent, group, session.
        return int((process / "stat").read_text(errors="replace").rpartition(")")[2].split()[3])
    return 0


def _resident(process: Path) -> float:
    with suppress(OSError):
        return float((process / "statm").read_text().split()[1]) * PAGE
    return 0.0


def _share(process: Path) -> float:
    return _kilobytes(process / "smaps_rollup", "Pss:")


def _highest(process: Path) -> float:
    return _kilobytes(process / "status", "VmHWM:")


def _kilobytes(path: Path, name: str) -> float:
    """Bytes that a line of a file of the kernel tells in kB; 0 where the process has ended."""
    with suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith(name):
                return float(line.split()[1]) * 1024
    return 0.0
