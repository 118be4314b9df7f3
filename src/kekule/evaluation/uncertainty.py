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

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from kekule._errors import KekuleError
from kekule.evaluation.calibration.calibrator import Calibrator, calibrator_from_json
from kekule.evaluation.conformal import Conformal
from kekule.evaluation.domain import Domain
from kekule.evaluation.thresholds import Threshold, parse_aim
from kekule.evaluation.uncertainty_settings import UncertaintySettings
from kekule.features import PackedGraphs
from kekule.features.wl_folded import wl_folded

if TYPE_CHECKING:
    from kekule.features.similarity import Counts

Probabilities = NDArray[np.float64]

AS_IT_IS: Final = "none"  # the calibrator that changes nothing
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
            "calibration": {
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
            "conformal": {"tasks": [task.conformal.to_json() for task in self.tasks]},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Uncertainty":
        """Read what `to_json` gave; the domain is added with `dataclasses.replace`.

        Raises
        ------
        UncertaintyError, CalibrationError, ConformalError
            If a part is missing, of another kind, out of range or not of the same classes.
        """
        try:
            calibration, conformal = content["calibration"], content["conformal"]
            settings = UncertaintySettings.model_validate(calibration["settings"], strict=True)
            told, sets = calibration["tasks"], conformal["tasks"]
            if not isinstance(told, list) or not isinstance(sets, list) or not told:
                raise ValueError("tasks are no list of one or more")
            tasks = tuple(_task(*parts) for parts in zip(told, sets, strict=True))
            return cls(tasks, settings, _text(calibration["fitted_on"]))
        except ValidationError as error:
            first = error.errors()[0]
            raise _stored(f"settings {first['loc']}: {first['msg']}") from None
        except KekuleError:
            raise
        except (LookupError, TypeError, ValueError) as error:
            raise _stored(repr(error)) from None

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


def _task(told: Mapping[str, Any], sets: Mapping[str, Any]) -> TaskUncertainty:
    calibrator, conformal = calibrator_from_json(told["calibrator"]), Conformal.from_json(sets)
    n_classes = len(conformal.calibration)
    calibrator.apply(np.full((1, n_classes), 1 / n_classes))  # refused by another number of them
    threshold = None if told["threshold"] is None else _threshold(told["threshold"])
    if threshold is not None and threshold.value is not None and n_classes != 2:
        raise ValueError(f"a threshold where there are {n_classes} classes")
    return TaskUncertainty(
        calibrator, _text(told["why"]), threshold, conformal, _count(told["rows"])
    )


def _threshold(told: Mapping[str, Any]) -> Threshold:
    return Threshold(
        _number(told["value"], 0),
        parse_aim(told["aim"]).text,
        _number(told["reached"], -1),
        _count(told["on_rows"]),
        _number(told["beside"], -1),
        _text(told["reason"]),
    )


def _number(value: Any, low: float) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not low <= value <= 1:
        raise ValueError(f"{str(value)[:40]} is no number from {low:g} to 1")
    return float(value)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:40]} is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def _stored(why: str) -> UncertaintyError:
    return UncertaintyError("stored state", why, AGAIN)
