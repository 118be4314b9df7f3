"""Contestants that take turns: each in a process of its own, each timing itself.

A contestant is started once, does its imports, and then waits for its turn; so no import is
ever counted, every one meets the same machine within seconds of the others, and a ratio of
two is taken within a round. All are held to one core and one thread unless told otherwise.
Needs Python's own library only, so that the peers' environment can run it as well.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OURS = Path(sys.executable)
PEERS = ROOT / ".venv-peers" / "bin" / "python"
DATA = Path(os.environ.get("KEKULE_TEST_DATA", ROOT.parent / "shared" / "data"))
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Contestant:
    """A script that runs under one of the two environments and answers turns."""

    def __init__(self, name: str, script: str, python: Path = OURS, *, cores: int = 1):
        self.name = name
        pinned = sorted(os.sched_getaffinity(0))[:cores]
        self._process = subprocess.Popen(
            [str(python), script, "--as", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(THREADS, "1")},
        )
        os.sched_setaffinity(self._process.pid, pinned)  # before it has started a thread
        self.versions: dict[str, str] = self._answer()

    def turn(self, **given: Any) -> dict[str, float]:
        """Let it work once; what it measured."""
        print(json.dumps(given), file=self._process.stdin, flush=True)
        return self._answer()

    def stop(self) -> None:
        """End its process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self._process.wait()}; see above")
        return json.loads(line)


def serve(work: Callable[..., dict[str, float]], packages: tuple[str, ...]) -> None:
    """Be a contestant: say the versions, then work once for each line that comes in."""
    print(json.dumps({name: _version(name) for name in packages}), flush=True)
    for line in sys.stdin:
        print(json.dumps(work(**json.loads(line))), flush=True)


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of a call, by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": time.perf_counter() - clock,
        "processor_seconds": time.process_time() - processor,
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median and both ends."""
    return {
        "median": float(f"{statistics.median(values):.4g}"),
        "low": float(f"{min(values):.4g}"),
        "high": float(f"{max(values):.4g}"),
    }


def machine() -> dict[str, Any]:
    """What it ran on, and when."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def conclude(script: str, record: dict[str, Any], *, write: bool) -> None:
    """Print ratios beside their bounds, keep the record, and exit with 1 if a bound is missed."""
    missed = []
    for name, found in record["ratios"].items():
        least, most = found.get("at_least"), found.get("below")
        good = (least is None or found["median"] >= least) and (
            most is None or found["median"] < most
        )
        bound = f"at least {least:g}" if least is not None else f"below {most:g}" if most else ""
        missed += [] if good else [name]
        print(
            f"{name:44s} {found['median']:8.2f}  ({found['low']:.2f} to {found['high']:.2f})"
            f"  {bound}{'' if good else '  MISSED'}"
        )
    if write:
        path = Path(script).with_suffix(".json")
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        print(path)
    raise SystemExit(1 if missed else 0)


def need(path: Path, cure: str) -> None:
    """Stop with a sentence where something is missing."""
    if not path.exists():
        raise SystemExit(f"{path} is not there. {cure}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
