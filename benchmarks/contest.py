"""Contestants that take turns: each in a process of its own, each timing itself.

A contestant is started once, does its imports, and then waits for its turn; so no import is
ever counted, every one meets the same machine within seconds of the others, and a ratio of
two is taken within a round. All are held to one core and one thread unless told otherwise.
Whole commands, started anew each time, are in `commands.py`.
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

    def __init__(
        self, name: str, script: str, python: Path = OURS, *, cores: int = 1, threads: int = 1
    ):
        self.name = name
        pinned = sorted(os.sched_getaffinity(0))[:cores]
        self._process = subprocess.Popen(
            [str(python), script, "--as", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
        )
        os.sched_setaffinity(self._process.pid, pinned)  # before it has started a thread
        self.versions: dict[str, str] = self._answer()

    def turn(self, **given: Any) -> dict[str, Any]:
        """Let it work once; what it measured, and how many cores others kept busy meanwhile."""
        with Others() as others:
            print(json.dumps(given), file=self._process.stdin, flush=True)
            answer = self._answer()
        return answer | {"others": others.cores(answer.get("processor_seconds", 0.0))}

    def stop(self) -> None:
        """End its process."""
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self._process.wait()}; see above")
        return json.loads(line)


def serve(work: Callable[..., dict[str, Any]], packages: tuple[str, ...]) -> None:
    """Be a contestant: say the versions, then work once for each line that comes in."""
    print(json.dumps(versions(packages)), flush=True)
    for line in sys.stdin:
        print(json.dumps(work(**json.loads(line))), flush=True)


class Others:
    """What the rest of the machine did while something was timed.

    Two threads that wait for each other slow down tenfold where a third wants their cores, and
    a ratio to them is then worth nothing.
    """

    MOST = 0.25  # cores: the system's own housekeeping and the one that measures stay below

    def __enter__(self) -> "Others":
        self.started, self.before = time.perf_counter(), _busy_seconds()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self.started
        self.busy = _busy_seconds() - self.before

    def cores(self, own: float) -> float:
        """Cores that others kept busy, of `own` seconds of the processor that are not theirs."""
        return round(max(self.busy - own, 0.0) / self.seconds, 3)


def undisturbed(answers: list[dict[str, Any]]) -> bool:
    """Whether others left the machine alone; says so where they did not."""
    most = max(answer["others"] for answer in answers)
    if most > Others.MOST:
        print(f"Others kept up to {most:.1f} cores busy: no result of this run is kept.")
    return most <= Others.MOST


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions in this environment; empty where a package is not there."""
    return {name: _version(name) for name in packages}


def versions_of(python: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Versions in the environment of another Python."""
    told = subprocess.run(
        [str(python), __file__, *packages], stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(told.stdout))


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of a call, by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": time.perf_counter() - clock,
        "processor_seconds": time.process_time() - processor,
    }


def processor_seconds() -> float:
    """Seconds of the processor of this process and of those it has seen to their end."""
    return sum(os.times()[:4])


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


def _busy_seconds() -> float:
    """Seconds that all cores have worked since the machine was started; 0 where none tells."""
    try:
        first = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, first[:8])
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    print(json.dumps(versions(tuple(sys.argv[1:]))))
