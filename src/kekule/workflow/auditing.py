"""Audit: what is odd about data, before anything is learnt from them."""

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

from kekule._errors import OutputError
from kekule.data.chunked import available_cores
from kekule.evaluation import Recipe, read_recipe
from kekule.visualization.audit_page import write_audit_page
from kekule.visualization.page import write_whole
from kekule.workflow.csv_file import check_writable
from kekule.workflow.prepare import open_data, prepare
from kekule.workflow.progress import StageProgress


def audit(
    data: str | Path | Sequence[str | Path],
    overrides: Sequence[str] = (),
    *,
    json: str | Path | None = None,
    html: str | Path | None = None,
    processes: int | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Look data over: molecules, labels, shortcuts, duplicates, and leakage of a split.

    Parameters
    ----------
    data
        Table, several of them, TU folder, or name of a set.
    overrides
        As for `kekule.train`: ``smiles=COLUMN``, ``target=COLUMN``, ``standardise=NAME``. With
        a ``protocol.split`` (and its column or file) the split's sides are compared too.
    json, html
        Also write the audit there, as JSON and as a page that needs nothing else.
    processes
        For the work on molecules; the cores at hand if None.
    progress
        Show progress bars; None shows them on a terminal.

    Returns
    -------
    dict
        ``verdict`` (``green``, ``amber`` or ``red``), ``findings`` and what the data are.

    Raises
    ------
    RecipeError, DataFileError
        If a key or the data cannot be used.
    OutputError
        If a file cannot be written.
    """
    recipe = read_recipe(None, [f"data={_as_value(data)}", *overrides])
    _check_outputs(data, [Path(out) for out in (json, html) if out is not None])
    n_processes = processes or available_cores()
    with StageProgress(show=progress) as stages:
        found = _audited(recipe, _names_split(overrides), n_processes, stages)
    if json is not None:
        text = dumps(found, indent=1, ensure_ascii=False) + "\n"
        write_whole(Path(json), text.encode("utf-8", "replace"))
    if html is not None:
        write_audit_page(found, Path(html))
    return found


def _check_outputs(data: str | Path | Sequence[str | Path], outs: list[Path]) -> None:
    """Refuse, before the work, places that cannot be written to, and the data themselves."""
    sources = [data] if isinstance(data, str | Path) else data
    taken = {Path(source).expanduser().resolve(): "it is what is audited" for source in sources}
    for out in outs:
        if out.resolve() in taken:
            raise OutputError(out, taken[out.resolve()], "Give another name.")
        check_writable(out)
        taken[out.resolve()] = "two files would have this name"


def _audited(
    recipe: Recipe, with_split: bool, processes: int, stages: StageProgress
) -> dict[str, Any]:
    if with_split:
        prepared = prepare(recipe, processes=processes, progress=stages)
        return prepared.origin.audit(split=prepared.split(), processes=processes, progress=stages)
    origin = open_data(recipe, processes=processes, progress=stages)
    return origin.audit(split=None, processes=processes, progress=stages)


def _as_value(data: str | Path | Sequence[str | Path]) -> str:
    """Data as the value of a recipe's key; JSON is YAML."""
    if isinstance(data, str | Path):
        return str(data)
    return dumps([str(one) for one in data])


def _names_split(overrides: Sequence[str]) -> bool:
    return any(text.startswith(("protocol=", "protocol.split=")) for text in overrides)
