"""TensorBoard's event files, one folder a training, written without TensorFlow or PyTorch.

TensorBoard's own record writer is used, not `torch.utils.tensorboard`: it starts no thread,
an epoch costs a sixth of the time, and what is written is on disk when the epoch is over.
"""

import shutil
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kekule._errors import KekuleError

if TYPE_CHECKING:
    from kekule.workflow.metric_streams import Epoch, Training

TAGS = {  # scalar of TensorBoard: column of the stream
    "loss/train": "train_loss",
    "loss/validation": "validation_loss",
    "score/validation": "score",
    "step/learning_rate": "learning_rate",
    "step/gradient_norm": "gradient_norm",
    "epoch/seconds": "seconds",
}


def check_tensorboard() -> None:
    """Fail before the training, not in it, where TensorBoard is not installed.

    Raises
    ------
    KekuleError
        Naming the command that installs it.
    """
    try:
        import_module("tensorboard.compat.proto.event_pb2")
        import_module("tensorboard.summary.writer.record_writer")
    except ImportError as error:
        raise KekuleError(
            f"train.tensorboard: true needs TensorBoard, which cannot be imported ({error}). "
            "Install it with: pip install 'kekule[track]'"
        ) from None


class EventFiles:
    """A folder of trainings, each a run of TensorBoard: ``seed0-fold1``, ``final``.

    A file is kept open while its training goes on. Made anew by `rewrite`, its events carry
    the times at which the epochs would have ended had they just been run.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.open: dict[Training, Any] = {}

    def clear(self) -> None:
        """Remove what an earlier part of the run has written; `rewrite` gives it back."""
        self.close()
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def add(self, epoch: "Epoch") -> None:
        """Write one epoch, so that it is read at once."""
        self._write(epoch, time.time())

    def rewrite(self, epochs: Sequence["Epoch"]) -> None:
        """Put these epochs of one training in place of what was written of it."""
        if not epochs:
            return
        self.close(epochs[0].training)
        for old in self._place(epochs[0]).glob("events.out.tfevents.*"):
            old.unlink()
        ends = time.time() - sum(_seconds(epoch) for epoch in epochs)
        for epoch in epochs:
            ends += _seconds(epoch)
            self._write(epoch, ends)

    def close(self, training: "Training | None" = None) -> None:
        """Close the file of a training, or of all."""
        for one in [*self.open] if training is None else [training]:
            if one in self.open:
                self.open.pop(one).close()

    def _place(self, epoch: "Epoch") -> Path:
        return self.folder / (
            f"seed{epoch.seed}-fold{epoch.fold}" if epoch.fold else f"seed{epoch.seed}-final"
        )

    def _write(self, epoch: "Epoch", moment: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        writer = self.open.get(epoch.training) or self._started(epoch, moment)
        values = [
            Summary.Value(tag=tag, simple_value=getattr(epoch, name)) for tag, name in TAGS.items()
        ]
        event = Event(wall_time=moment, step=epoch.epoch, summary=Summary(value=values))
        writer.write(event.SerializeToString())
        writer.flush()

    def _started(self, epoch: "Epoch", moment: float) -> Any:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        place = self._place(epoch)
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"events.out.tfevents.{int(moment):010d}.kekule"
        writer = RecordWriter(path.open("wb"))
        writer.write(Event(wall_time=moment, file_version="brain.Event:2").SerializeToString())
        self.open[epoch.training] = writer
        return writer


def _seconds(epoch: "Epoch") -> float:
    return epoch.seconds if epoch.seconds >= 0 else 0.0  # NaN where nobody measured it
