"""The calibrator that changes nothing: what every other one has to beat.

A network that was stopped early on a proper score is often calibrated as well as a few dozen
rows can tell, and then every correction only adds noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kekule.evaluation.calibration import stored
from kekule.evaluation.calibration.probabilities import (
    Probabilities,
    checked_probabilities,
    checked_rows,
    never_sure,
    paired,
)


@dataclass(frozen=True)
class Uncalibrated:
    """Probabilities as they are, but for the millionth that keeps them from 0 and 1.

    Attributes
    ----------
    n_classes
        K, at least 2.
    """

    kind: ClassVar[str] = "none"
    n_classes: int

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Any) -> "Uncalibrated":
        """Check the rows as any calibrator does, and learn nothing from them."""
        return cls(checked_rows(probabilities, truth)[0].shape[1])

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Give the rows back, (n, K), each moved by less than a millionth."""
        given = never_sure(checked_probabilities(probabilities, self.n_classes), self.n_classes)
        return paired(given[:, 1]) if self.n_classes == 2 else given

    def to_json(self) -> dict[str, Any]:
        """State as JSON."""
        return {"kind": self.kind, "n_classes": self.n_classes}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Uncalibrated":
        """Read what `to_json` gave."""
        return cls(stored.class_count(content))
