"""Settings of the training loop, and what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kekule.models.hardware import DeviceName, PrecisionName

SelectionScore = Callable[[NDArray[np.float64], NDArray[np.int64]], float]


class TrainSettings(BaseModel):
    """Settings of the loop."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    epochs: Annotated[
        int, Field(ge=1, le=100_000, description="Most passes over the training rows.")
    ] = 150
    patience: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            description="Stop after this many epochs without a better validation score.",
        ),
    ] = 50
    batch_size: Annotated[int, Field(ge=2, le=100_000, description="Graphs in a batch.")] = 64
    learning_rate: Annotated[float, Field(gt=0, description="Peak step size of AdamW.")] = 2e-3
    weight_decay: Annotated[float, Field(ge=0, description="Decoupled weight decay.")] = 1e-4
    averaging: Annotated[
        float,
        Field(ge=0, lt=1, description="Decay per step of the weights' moving average; 0: none."),
    ] = 0.9
    smoothing: Annotated[
        int,
        Field(ge=1, le=1000, description="Epochs over which the validation score is averaged."),
    ] = 10
    validation: Annotated[
        float, Field(gt=0, lt=1, description="Part of the training rows that chooses the epoch.")
    ] = 0.1
    warmup: Annotated[
        float, Field(ge=0, le=1000, description="Epochs in which the step size rises to its peak.")
    ] = 0.0
    clip: Annotated[
        float,
        Field(ge=0, description="Longest gradient; a longer one is shortened to it. 0: any."),
    ] = 0.0
    loss: Annotated[
        Literal["cross-entropy", "focal"],
        Field(description="`focal` counts rows that are learnt already for less."),
    ] = "cross-entropy"
    focal_gamma: Annotated[
        float, Field(ge=0, le=10, description="How much less; 0 is cross-entropy.")
    ] = 2.0
    class_weights: Annotated[
        Literal["none", "balanced"],
        Field(description="`balanced`: the classes of a task count the same in the loss."),
    ] = "none"
    device: Annotated[
        DeviceName,
        Field(description="Where to train; `auto` takes CUDA where there is one, else the CPU."),
    ] = "auto"
    precision: Annotated[
        PrecisionName,
        Field(
            description="Of the matrix products; `auto` takes bfloat16 for wide networks where "
            "the processor multiplies it."
        ),
    ] = "auto"
    deterministic: Annotated[
        bool, Field(description="Refuse operations that give other sums every time (GPU).")
    ] = True
    together: Annotated[
        Literal["auto", "on", "off"],
        Field(
            description="Train the models of all folds and seeds in one program; `auto` does so "
            "on a GPU."
        ),
    ] = "auto"
    checkpoint: Annotated[
        float,
        Field(gt=0, le=86400, description="Seconds between checkpoints inside a fold."),
    ] = 20.0
    profile: Annotated[
        bool, Field(description="Write a trace and a summary of where time went (`profile/`).")
    ] = False
    tensorboard: Annotated[
        bool, Field(description="Also write the epochs as TensorBoard events (`tensorboard/`).")
    ] = False

    @field_validator("together", mode="before")
    @classmethod
    def _as_written(cls, given: Any) -> Any:
        return {True: "on", False: "off"}[given] if isinstance(given, bool) else given  # YAML's

    @model_validator(mode="after")
    def _profiles_one_at_a_time(self) -> Self:
        if self.profile and self.together == "on":
            raise ValueError(
                "together: on trains all models in one program, of which no profile is written; "
                "leave one of the two out"
            )
        return self


class EpochReport(NamedTuple):
    """What a progress display may want to know after an epoch."""

    epoch: int  # 0-based
    train_loss: float  # mean loss a label, nats
    validation_loss: float  # mean cross-entropy a label, nats
    stopped: bool  # True in the last report of a fit
    score: float = np.nan  # smoothed validation score, higher is better
    learning_rate: float = np.nan  # of the epoch's last step
    gradient_norm: float = np.nan  # of the epoch's last step, before clipping
    seconds: float = np.nan  # of this epoch
    best_epoch: int = 0  # so far, 0-based


@dataclass(frozen=True)
class FitResult:
    """Curves of one training, and the epoch whose weights the network now holds."""

    train_loss: NDArray[np.float64]  # (epochs run,), nats
    validation_loss: NDArray[np.float64]  # (epochs run,), nats
    best_epoch: int  # 0-based
    learning_rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # (epochs,)
    # Of every parameter array, in the order of `layers_of`: root mean square of its values
    # after the epoch, and of its gradient in the epoch's last step before clipping.
    parameter_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))
    gradient_rms: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), "f4"))
