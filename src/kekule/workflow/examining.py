"""Examine: a finished run asked harder questions, by further trainings of its recipe.

A score is an answer to the question that its split asks. Whether that is the question a user
has is seen by asking others: other splits, fewer training rows, labels that mean nothing.

What is trained is laid out in `examining_plan`, told in `examining_results` and kept in
`examining_store`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from kekule import __version__
from kekule._errors import KekuleError, OutputError
from kekule.data.chunked import available_cores
from kekule.evaluation import (
    FoldResult,
    FoldTask,
    LostFoldError,
    cross_validate,
    read_recipe,
    tasks_of,
)
from kekule.evaluation.comparison import INTERVAL
from kekule.evaluation.nested import grid_of, n_trainings
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.plan import n_steps, plan_of
from kekule.models.ensemble_settings import AUTO
from kekule.workflow.examining_plan import (
    PARTS,
    Part,
    Variant,
    examined_recipe,
    parts_named,
    plan_examination,
    seconds_of,
)
from kekule.workflow.examining_results import (
    Told,
    Trained,
    gain_of_curve,
    told_of_curve,
    told_of_ladder,
    told_of_scrambled,
)
from kekule.workflow.examining_store import GO_ON, ExaminationFolder
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.prepare import Prepared
from kekule.workflow.progress import FoldProgress, shown
from kekule.workflow.run_reading import read_run

WORTH_PROCESSES = 10.0  # core seconds of a variant; others have started by then

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """What a run was asked, and what it answered.

    Attributes
    ----------
    path
        The run folder.
    told
        Content of ``examination.json``.
    """

    path: Path
    told: dict[str, Any]

    @property
    def report(self) -> Path:
        """The run's page, on which it is drawn."""
        return self.path / "report.html"

    @property
    def words(self) -> list[str]:
        """What was found, a sentence each."""
        from kekule.workflow.examining_words import sentences

        return sentences(self.told)
