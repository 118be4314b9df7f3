"""What every calibrator is, and all there are by name.

A calibrator learns on rows the model was not trained on what the model's probabilities are
worth, and says so of new ones. To add one, write it in a file of its own and name it in
`CALIBRATORS`; the contract tests find it there. The order there is that of simplicity, by
which `kekule.evaluation.calibration.choice` prefers.

Symbols: n rows, K classes.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

from kekule.evaluation.calibration.isotonic import Isotonic
from kekule.evaluation.calibration.platt import Platt
from kekule.evaluation.calibration.probabilities import CalibrationError, Labels, Probabilities
from kekule.evaluation.calibration.temperature import Temperature
from kekule.evaluation.calibration.uncalibrated import Uncalibrated
from kekule.evaluation.calibration.venn_abers import VennAbers


class Calibrator(Protocol):
    """From the probabilities a model gives to those it should have given.

    Of two classes no calibrator turns the order of two rows round whose scores differ by more
    than rounding; isotonic and Venn-Abers may tie them. No probability comes out as 0 or 1: the
    least is `LEAST`, divided by the number of classes at worst.
    """

    kind: ClassVar[str]

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Labels) -> Self:
        """Learn from float64 (n, K) and int64 (n,) of rows the model was not trained on."""
        ...

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Calibrated float64 (n, K); every row sums to 1, and is answered alone."""
        ...

    def to_json(self) -> dict[str, Any]:
        """State as finite numbers, lists and ``kind``."""
        ...

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, or say what is wrong with it."""
        ...


CALIBRATORS: dict[str, type[Calibrator]] = {
    "none": Uncalibrated,
    "temperature": Temperature,
    "platt": Platt,
    "isotonic": Isotonic,
    "venn-abers": VennAbers,
}


def calibrator_named(name: str) -> type[Calibrator]:
    """Kind of calibrator, or an error that lists them.

    Raises
    ------
    CalibrationError
        If there is none of that name.
    """
    if not isinstance(name, str) or name not in CALIBRATORS:
        raise CalibrationError(
            f"{name!r} is no calibrator", f"Use one of {', '.join(CALIBRATORS)}."
        )
    return CALIBRATORS[name]


def calibrator_from_json(content: Mapping[str, Any]) -> Calibrator:
    """Read a calibrator of whichever kind was stored.

    Raises
    ------
    CalibrationError
        If the kind is unknown, or a number is missing, not finite or out of range.
    """
    if not isinstance(content, Mapping):
        raise CalibrationError("what is stored is no calibrator", "Make it again from its rows.")
    return calibrator_named(content.get("kind", "")).from_json(content)
