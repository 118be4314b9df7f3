"""Which epoch's weights are kept, and the curves that led there."""

from typing import Any

import numpy as np

from kekule.models.train_settings import FitResult

_CURVES = ("train_loss", "validation_loss", "learning_rate")
_SUMMARIES = ("parameter_rms", "gradient_rms")


class Selection:
    """The epoch with the best smoothed score, the first of equals; and all curves.

    Attributes
    ----------
    epoch
        0-based, of the best score so far.
    smoothed
        Mean of the scores of the last epochs, as if the first had always been there.
    improved
        Whether the last epoch is the best.
    """

    def __init__(self, smoothing: int):
        self.smoothing = smoothing
        self.epoch, self.best, self.smoothed, self.improved = 0, -np.inf, -np.inf, False
        self.recent: list[float] = []
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.learning_rate: list[float] = []
        self.parameter_rms: list[list[float]] = []
        self.gradient_rms: list[list[float]] = []

    @property
    def epochs_run(self) -> int:
        """Epochs offered so far."""
        return len(self.train_loss)

    def offer(
        self, score: float, train_loss: float, validation_loss: float, learning_rate: float
    ) -> None:
        """Take note of an epoch."""
        if not self.recent:
            self.recent = [score] * self.smoothing
        self.recent = [*self.recent[1:], score]
        self.smoothed = float(np.mean(self.recent))
        self.improved = self.smoothed > self.best or not self.epochs_run
        if self.improved:
            self.epoch, self.best = self.epochs_run, self.smoothed
        self.train_loss.append(train_loss)
        self.validation_loss.append(validation_loss)
        self.learning_rate.append(learning_rate)

    def remember(self, parameter_rms: list[float], gradient_rms: list[float]) -> None:
        """Take note of the sizes of weights and gradients."""
        self.parameter_rms.append(parameter_rms)
        self.gradient_rms.append(gradient_rms)

    def result(self) -> FitResult:
        """Curves as arrays."""
        return FitResult(
            train_loss=np.asarray(self.train_loss),
            validation_loss=np.asarray(self.validation_loss),
            best_epoch=self.epoch,
            learning_rate=np.asarray(self.learning_rate),
            parameter_rms=np.asarray(self.parameter_rms, dtype=np.float32),
            gradient_rms=np.asarray(self.gradient_rms, dtype=np.float32),
        )

    def to_json(self) -> dict[str, Any]:
        """All of it; `from_json` takes it back to the last bit."""
        names = ("epoch", "best", "smoothed", "recent", *_CURVES, *_SUMMARIES)
        return {name: getattr(self, name) for name in names}

    def from_json(self, given: dict[str, Any]) -> None:
        """Take up what `to_json` gave."""
        for name, value in given.items():
            setattr(self, name, value)
