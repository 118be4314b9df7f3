r"""Temperature scaling: one number that makes all probabilities bolder or more careful.

.. math:: q_k \propto p_k^{1/T}

T > 1 takes sureness back, T < 1 adds to it; the most probable class stays the same. The one
parameter can be learnt from a few dozen rows, and it is the natural choice for more than two
classes, which it treats together. It cannot mend a model that is too sure of one class and
not sure enough of another: Platt's two numbers can, for two classes.

References
----------
Guo, Pleiss, Sun & Weinberger 2017, https://arxiv.org/abs/1706.04599.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kekule.evaluation.calibration import stored
from kekule.evaluation.calibration.probabilities import (
    Labels,
    Probabilities,
    checked_probabilities,
    checked_rows,
    log_odds,
    logistic,
    never_sure,
    paired,
    softmax,
)
from kekule.evaluation.calibration.rising_root import rising_root

LOWEST = 0.2  # rows that are all right ask for no end of sureness, and T would go to 0
HIGHEST = 20.0  # a model worse than chance asks for none, and T would have no end


@dataclass(frozen=True)
class Temperature:
    """Log-probabilities divided by a number.

    Attributes
    ----------
    temperature
        T, from `LOWEST` to `HIGHEST`, without unit; 1 changes nothing.
    n_classes
        K, at least 2.
    """

    kind: ClassVar[str] = "temperature"
    temperature: float
    n_classes: int

    @classmethod
    def fit(cls, probabilities: Probabilities, truth: Labels) -> "Temperature":
        """Temperature with the least log-loss on the rows; 1 where all have the same class.

        Rows of one class say nothing of how sure to be of it against another. A class that is
        absent beside two others is scaled as they are.

        Parameters
        ----------
        probabilities
            float64 (n, K), of rows the model was not trained on.
        truth
            int64 (n,).

        Raises
        ------
        CalibrationError
            If a row is no distribution or has no class.
        """
        given, classes = checked_rows(probabilities, truth)
        n_classes = given.shape[1]
        if len(np.unique(classes)) < 2:
            return cls(1.0, n_classes)
        logs = np.log(never_sure(given, n_classes))
        of_truth = float(logs[np.arange(len(logs)), classes].sum())

        def slope(log_inverse: float) -> float:
            # The log-loss is convex in 1/T, so its slope there rises through its one zero.
            return float((softmax(logs * np.exp(log_inverse)) * logs).sum()) - of_truth

        log_inverse = rising_root(slope, -np.log(HIGHEST), -np.log(LOWEST))
        return cls(float(np.clip(np.exp(-log_inverse), LOWEST, HIGHEST)), n_classes)

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """Scaled rows, (n, K)."""
        given = checked_probabilities(probabilities, self.n_classes)
        if self.n_classes == 2:
            return paired(never_sure(logistic(log_odds(given[:, 1]) / self.temperature)))
        logs = np.log(never_sure(given, self.n_classes))
        return never_sure(softmax(logs / self.temperature), self.n_classes)

    def to_json(self) -> dict[str, Any]:
        """State as JSON."""
        return {
            "kind": self.kind,
            "n_classes": self.n_classes,
            "temperature": self.temperature,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Temperature":
        """Read what `to_json` gave."""
        temperature = stored.number(content, "temperature", LOWEST, HIGHEST)
        return cls(temperature, stored.class_count(content))
