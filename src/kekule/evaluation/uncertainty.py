"""What a model's probabilities are worth for a single row: calibrated, cut, made into a set.

One object is fitted on rows the model was not fitted on, and goes into the bundle. Its parts do
not hang on each other more than they must:

- the calibrator puts the model's probabilities right;
- the threshold is a cut of the calibrated probabilities, since it is to mean something;
- the sets are made from the model's own probabilities. Calibrated ones would have been fitted on
  the very rows whose oddness the sets compare with, and the promise would hang on that.

Symbols: n rows, T tasks, K classes. ``probabilities`` float64 (n, K), or (n, T, K) of several
tasks, as the model gives them; NaN where it gives none. Must not know models, class names or
where things are kept.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from kekule._errors import KekuleError
from kekule.evaluation.calibration.calibrator import Calibrator
from kekule.evaluation.conformal import Conformal
from kekule.evaluation.domain import Domain
from kekule.evaluation.thresholds import Threshold
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.evaluation.uncertainty_stored import (
    Calibration,
    calibration_in,
    conformal_in,
    tasks_in,
    text_in,
)
from kekule.features import PackedGraphs
from kekule.features.wl_folded import wl_folded

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

Probabilities = NDArray[np.float64]

AS_IT_IS: Final = "none"  # the calibrator that changes nothing
CALIBRATION, CONFORMAL, BOTH = "calibration", "conformal", "both"  # parts that are stored
AGAIN: Final = "Train the model again."


class UncertaintyError(KekuleError, ValueError):
    """Probabilities of other tasks or classes, or stored parts that are none."""

    def __init__(self, what: str, why: str, cure: str):
        super().__init__(f"uncertainty: {what}: {why}. {cure}")
        self.what, self.why, self.cure = what, why, cure


@dataclass(frozen=True, eq=False)
class TaskUncertainty:
    """What was fitted for one task.

    Attributes
    ----------
    calibrator
        Of K classes.
    why
        Why it is this one, in a sentence for a report.
    threshold
        Cut of the calibrated probability of the positive class; None where none is asked for.
        One without a value has a reason instead, and the most probable class is given.
    conformal
        Of the model's own probabilities.
    n_rows
        Rows all of it was fitted on.
    """

    calibrator: Calibrator
    why: str
    threshold: Threshold | None
    conformal: Conformal
    n_rows: int

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.conformal.calibration)

    def calibrated(self, probabilities: Probabilities) -> Probabilities:
        """Probabilities (n, K) put right; to the last bit the model's own by ``none``."""
        if self.calibrator.kind == AS_IT_IS:
            return probabilities
        return self.calibrator.apply(probabilities)

    def labels(self, probabilities: Probabilities) -> NDArray[np.int64]:
        """Class numbers (n,) by the threshold, or of the most probable class."""
        calibrated = self.calibrated(probabilities)
        cut = None if self.threshold is None else self.threshold.value
        if cut is None:
            return np.asarray(calibrated.argmax(axis=-1), dtype=np.int64)
        return (calibrated[:, 1] >= cut).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """All that is said of a model's answers beside them.

    Attributes
    ----------
    tasks
        T of them, in the order of the probabilities.
    settings
        What was asked for.
    fitted_on
        Which rows, in words.
    domain
        Training rows, and what nearness to them is worth; None where it was not asked for or
        cannot be.
    similarity
        A key of `kekule.evaluation.uncertainty_domain.WIDTHS`: what the domain counts; empty
        where there is none.
    """

    tasks: tuple[TaskUncertainty, ...]
    settings: UncertaintySettings
    fitted_on: str = ""
    domain: Domain | None = None
    similarity: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the fingerprints that its domain compares."""
        return () if self.domain is None or self.similarity != "ecfp" else ("ecfp",)

    def counts(self, graphs: PackedGraphs, tables: Mapping[str, NDArray[Any]]) -> "Counts | None":
        """What the domain compares of some rows, (n, W); None where there is no domain."""
        if self.domain is None:
            return None
        return tables[self.needs[0]] if self.needs else wl_folded(graphs)

    def calibrated(self, probabilities: Probabilities) -> Probabilities:
        """Probabilities put right, of the shape given; NaN where the model gave none.

        Raises
        ------
        UncertaintyError
            If they are of other tasks or classes.
        """
        given, answered = self._by_task(probabilities)
        put_right = np.full(given.shape, np.nan)
        for t, task in enumerate(self.tasks):
            rows = answered[:, t]
            put_right[rows, t] = task.calibrated(given[rows, t])
        return put_right.reshape(np.shape(probabilities))

    def labels(self, probabilities: Probabilities) -> NDArray[np.int64]:
        """Class numbers (n,) or (n, T); -1 where the model gave no answer.

        Parameters
        ----------
        probabilities
            The model's own, not calibrated.

        Raises
        ------
        UncertaintyError
            If they are of other tasks or classes.
        """
        given, answered = self._by_task(probabilities)
        found = np.full(given.shape[:2], -1, dtype=np.int64)
        for t, task in enumerate(self.tasks):
            rows = answered[:, t]
            found[rows, t] = task.labels(given[rows, t])
        return found.reshape(np.shape(probabilities)[:-1])

    def sets(
        self, probabilities: Probabilities, confidence: float | None = None
    ) -> NDArray[np.bool_]:
        """Classes that cannot be excluded, bool of the shape given; none without an answer.

        Parameters
        ----------
        probabilities
            The model's own, not calibrated.
        confidence
            That of the settings where not given.

        Raises
        ------
        UncertaintyError
            If they are of other tasks or classes.
        """
        confidence = self.settings.confidence if confidence is None else confidence
        given, answered = self._by_task(probabilities)
        found = np.zeros(given.shape, dtype=np.bool_)
        for t, task in enumerate(self.tasks):
            rows = answered[:, t]
            found[rows, t] = task.conformal.sets(given[rows, t], confidence)
        return found.reshape(np.shape(probabilities))

    def to_json(self) -> dict[str, dict[str, Any]]:
        """All but the domain: ``calibration``, with thresholds, and ``conformal``; finite."""
        return {
            CALIBRATION: {
                "settings": self.settings.model_dump(mode="json"),
                "fitted_on": self.fitted_on,
                "tasks": [
                    {
                        "calibrator": task.calibrator.to_json(),
                        "why": task.why,
                        "rows": task.n_rows,
                        "threshold": None if task.threshold is None else asdict(task.threshold),
                    }
                    for task in self.tasks
                ],
            },
            CONFORMAL: {"tasks": [task.conformal.to_json() for task in self.tasks]},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Uncertainty":
        """Read what `to_json` gave; the domain is added with `dataclasses.replace`.

        Raises
        ------
        UncertaintyError
            If a part is missing, of another kind, out of range or not of the same classes; its
            ``what`` is the part, `CALIBRATION` or `CONFORMAL`, or `BOTH` where each is sound
            and they do not fit each other.
        """
        with _reading(CALIBRATION):
            calibration = content[CALIBRATION]
            settings = UncertaintySettings.model_validate(calibration["settings"], strict=True)
            fitted_on = text_in(calibration["fitted_on"])
            own = [calibration_in(told) for told in tasks_in(calibration)]
        with _reading(CONFORMAL):
            conformal = [conformal_in(told) for told in tasks_in(content[CONFORMAL])]
        with _reading(BOTH):
            if len(own) != len(conformal):
                raise ValueError(
                    f"{len(own)} tasks are calibrated, and {len(conformal)} have sets"
                )
            tasks = tuple(_task(*parts) for parts in zip(own, conformal, strict=True))
            if len(classes := {task.n_classes for task in tasks}) > 1:
                raise ValueError(f"tasks of {sorted(classes)} classes")
        return cls(tasks, settings, fitted_on)

    def _by_task(self, probabilities: Probabilities) -> tuple[Probabilities, NDArray[np.bool_]]:
        """Probabilities as (n, T, K), and which rows of which tasks are answered, (n, T)."""
        given = np.asarray(probabilities, dtype=np.float64)
        n_tasks, n_classes = len(self.tasks), self.tasks[0].n_classes
        wanted = (n_classes,) if n_tasks == 1 else (n_tasks, n_classes)
        if given.ndim < 2 or given.shape[1:] not in (wanted, (n_tasks, n_classes)):
            raise UncertaintyError(
                "probabilities",
                f"they have shape {given.shape}, and it was fitted to {('n', *wanted)}",
                "Give those of the model it belongs to.",
            )
        given = given.reshape(len(given), n_tasks, n_classes)
        return given, np.asarray(np.isfinite(given).all(axis=2), dtype=np.bool_)


def _task(own: Calibration, conformal: Conformal) -> TaskUncertainty:
    n_classes = len(conformal.calibration)
    own.calibrator.apply(np.full((1, n_classes), 1 / n_classes))  # refused by another number
    if own.threshold is not None and own.threshold.value is not None and n_classes != 2:
        raise ValueError(f"a threshold where there are {n_classes} classes")
    return TaskUncertainty(own.calibrator, own.why, own.threshold, conformal, own.n_rows)


@contextmanager
def _reading(part: str) -> Iterator[None]:
    """Turn whatever is amiss in a stored part into an error whose `what` is the part."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        why = f"settings {first['loc']}: {first['msg']}"
        raise UncertaintyError(part, why, AGAIN) from None
    except KekuleError as error:
        raise UncertaintyError(part, str(error), AGAIN) from None
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise UncertaintyError(part, repr(error), AGAIN) from None
