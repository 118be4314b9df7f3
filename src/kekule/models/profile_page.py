"""The page about one training: where its time went, in a table of sections and one of operations.

Knows numbers and words; must not know how they were measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

SHOWN = 10  # most expensive operations


@dataclass(frozen=True)
class Profile:
    """What a watched training left.

    Attributes
    ----------
    seconds
        Wall time of each section and of all that is in none, without the traced steps.
    steps, traced
        Batches in all, and those in the trace.
    operations
        Name, calls and seconds of every operation in the traced steps, without those it calls;
        the most expensive first.
    peak_bytes
        Of the process; 0 where it is not known.
    peak_device_bytes
        Of a GPU; None on a CPU.
    """

    seconds: dict[str, float]
    steps: int
    traced: int
    operations: Sequence[tuple[str, int, float]]
    device: str
    threads: int
    peak_bytes: int
    peak_device_bytes: int | None = None

    @property
    def shares(self) -> dict[str, float]:
        """Share of each section, summing to one; all 0 where no time passed."""
        total = sum(self.seconds.values())
        return {name: value / total if total else 0.0 for name, value in self.seconds.items()}


def operations_of(
    averages: Iterable[Any], device: torch.device, sections: Sequence[str]
) -> list[tuple[str, int, float]]:
    """Name, calls and own seconds of every operation of torch's table, most expensive first.

    On a GPU seconds are those of the device.
    """
    field = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    found = [
        (str(one.key), int(one.count), float(getattr(one, field)) / 1e6)
        for one in averages
        if one.key not in sections and not str(one.key).startswith("ProfilerStep")
    ]
    return sorted((one for one in found if one[2] > 0), key=lambda one: (-one[2], one[0]))


def profile_page(profile: Profile, name: str, *, precision: str = "") -> str:
    """One page of Markdown."""
    total = sum(profile.seconds.values())
    facts = [
        f"{total:.3g} s in {profile.steps:,} steps",
        f"device {profile.device}",
        f"{profile.threads} thread{'' if profile.threads == 1 else 's'}",
    ]
    if precision:
        facts.append(f"products in {precision}")
    if profile.peak_bytes:
        facts.append(f"peak memory of the process {_mebibytes(profile.peak_bytes)}")
    if profile.peak_device_bytes is not None:
        facts.append(f"of the GPU {_mebibytes(profile.peak_device_bytes)}")
    lines = [f"# Where the time of {name} went", "", ", ".join(facts) + ".", ""]
    lines += _table(
        ("section", "seconds", "share"),
        (
            (section, f"{seconds:.3f}", f"{profile.shares[section]:.1%}")
            for section, seconds in profile.seconds.items()
        ),
    )
    lines += ["", *_operations(profile, name), ""]
    return "\n".join(lines)


def _operations(profile: Profile, name: str) -> list[str]:
    if not profile.operations:
        return ["The training was too short for a trace, so no operations were told apart."]
    total = sum(seconds for *_, seconds in profile.operations)
    first = (
        f"The most expensive of {len(profile.operations)} operations in {profile.traced} traced "
        f"steps, each without those it calls. The trace `{name}.trace.json.gz` opens in "
        "https://ui.perfetto.dev or chrome://tracing. Tracing makes small operations look "
        "dearer than they are, and its steps are not counted above."
    )
    rows = (
        (f"`{operation}`", f"{calls:,}", f"{seconds * 1e3:.2f}", f"{seconds / total:.1%}")
        for operation, calls, seconds in profile.operations[:SHOWN]
    )
    return [first, "", *_table(("operation", "calls", "ms", "share"), rows)]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = "|---|" + "---:|" * (len(header) - 1)
    return [f"| {' | '.join(header)} |", ruler, *(f"| {' | '.join(row)} |" for row in rows)]


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
