"""The audit of a run: before the training, or beside it where that leaves a core idle.

A run of one training computes with one thread (`kekule.evaluation.parallel` says why), so on
two cores the audit of its table costs no time of its own. What is found is the same; a red
finding is then logged when the training is done.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from kekule.data import SPLITS
from kekule.data.chunked import Beside, LostWorkerError, called, imported
from kekule.evaluation import Recipe
from kekule.features import cache_folder
from kekule.workflow.disk import unwritable
from kekule.workflow.molecule_set import MoleculeSet
from kekule.workflow.nearness_of_run import COMPARED
from kekule.workflow.prepare import Prepared
from kekule.workflow.progress import StageProgress
from kekule.workflow.reporting import DRAWING
from kekule.workflow.run_folder import GO_ON, RunFolder

log = logging.getLogger(__name__)

SKIPPED = "skipped"  # verdict of an audit that was not done
COUNTED_BY = ("kekule.features.fingerprints.stored", "stored_in")
WORTH_A_PROCESS = 1000  # rows; fewer are looked over before a process has started
Found = Callable[[], dict[str, Any]]


def audit_of_run(
    prepared: Prepared,
    folder: RunFolder,
    *,
    wanted: bool,
    spare: int,
    processes: int,
    show: bool | None,
    process: Beside | None = None,
) -> AbstractContextManager[Found]:
    """Look the data over; a resumed run has done so.

    Parameters
    ----------
    prepared, folder
        Of the run.
    wanted
        Else it is told to have been left out, unless it is there already.
    spare
        Processes that the training in the ``with`` has no use for: with one or more, a table
        that takes a while is looked over there meanwhile.
    processes
        For an audit that comes before the training.
    show
        Its progress bar.
    process
        Started by `spare_process` for this; None: none was.

    Returns
    -------
    AbstractContextManager
        Gives a call that waits for the audit.
    """
    if (kept := _kept(folder)) is not None:
        return _given(kept)
    if not wanted:
        return _given(_left_out(prepared))
    origin = prepared.origin
    large = isinstance(origin, MoleculeSet) and len(origin) >= WORTH_A_PROCESS
    if isinstance(origin, MoleculeSet) and large and spare > 0 and process is not None:
        return _beside(process, origin, prepared, folder)
    with StageProgress(show=show) as stages:
        audit = origin.audit(split=prepared.split(), processes=processes, progress=stages)
    return _given(_keep(folder, audit))


def _left_out(prepared: Prepared) -> dict[str, Any]:
    """What stands in for an audit; not kept, so a run resumed without the word has its audit."""
    log.warning("audit: skipped, as was asked")
    origin = prepared.origin
    told = {"name": origin.name, "source": origin.source, "sha256": origin.sha256}
    return {**told, "rows": len(origin), "verdict": SKIPPED, "findings": []}


@contextmanager
def _given(audit: dict[str, Any]) -> Iterator[Found]:
    _warn(audit)
    yield lambda: audit


@contextmanager
def _beside(
    process: Beside, molecules: MoleculeSet, prepared: Prepared, folder: RunFolder
) -> Iterator[Found]:
    from kekule.data.audit import audit_molecules

    work = partial(audit_molecules, molecules.table, molecules.rows, split=prepared.split())
    result = process.do(work)
    # For the page, which is next.
    smiles = [molecules.rows.smiles[row] for row in prepared.usable.tolist()]
    process.do(partial(called, *COUNTED_BY, smiles, COMPARED, cache_folder()))
    process.do(partial(imported, DRAWING))

    def found() -> dict[str, Any]:
        try:
            audit = result()
        except LostWorkerError:
            log.warning("the process of the audit died; the audit is done here")
            audit = work()
        _warn(_keep(folder, audit))
        return audit

    yield found


@contextmanager
def spare_process(recipe: Recipe, *, wanted: bool, processes: int) -> Iterator[Beside | None]:
    """Start a process for the audit while the table is read, where one may be left for it."""
    protocol = recipe.protocol
    alone = not protocol.refit and protocol.seeds == 1 and not protocol.baselines
    folds = SPLITS[protocol.split].form == "folds"
    if not wanted or not recipe.is_table or not alone or folds:
        yield None
        return
    # Not a function of this module, which would bring the networks along.
    warm = partial(imported, "kekule.data.audit", "sklearn.ensemble")
    process = Beside(warm) if processes > 1 else None
    try:
        yield process
    finally:
        if process is not None:
            process.end()


def _kept(folder: RunFolder) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder.partial / "audit.json").read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        return None


def _keep(folder: RunFolder, audit: dict[str, Any]) -> dict[str, Any]:
    """Write an audit for a resumed run; half a file is none."""
    try:
        (folder.partial / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
    except OSError as error:
        raise unwritable(folder.out, error, GO_ON) from None
    return audit


def _warn(audit: dict[str, Any]) -> None:
    for finding in audit["findings"]:
        if finding["verdict"] == "red":
            log.warning("audit: %s: %s", finding["name"], finding["advice"])
