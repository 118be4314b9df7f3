"""The epochs of every fold on disk while they pass: a line of CSV each, flushed at once.

``curves.csv`` in the unfinished run folder grows by a line an epoch, in the order in which
words of the folds arrive, so that ``tail -f`` and a spreadsheet can follow a run. A fold that
is begun again, or goes on from a checkpoint, takes back what it says anew: no epoch stands
twice. When the run ends the file is written once more in the order of the folds, from their
results; what a kill kept from being written is missing there from three columns alone.

Must not know how an epoch came to its numbers.
"""

import csv
import logging
import math
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from kekule.evaluation import FINAL, FoldTask, Progress
from kekule.evaluation.ensemble import Step
from kekule.models import EpochReport
from kekule.workflow.event_files import EventFiles
from kekule.workflow.run_folder import CURVES, TENSORBOARD

log = logging.getLogger(__name__)

Training = tuple[int, int]  # seed and fold, as `Epoch` has them


class Epoch(NamedTuple):
    """One line of the stream."""

    model: str  # name of the network
    seed: int
    fold: int  # from 1; 0 is the final model
    epoch: int  # from 1
    train_loss: float  # nats
    validation_loss: float  # nats
    score: float  # smoothed, on validation rows, higher is better
    learning_rate: float  # of the epoch's last step
    gradient_norm: float  # of the epoch's last step, before clipping
    seconds: float

    @property
    def training(self) -> Training:
        """Which fit it is of."""
        return self.seed, self.fold


class MetricStream:
    """Writes every epoch it is told of, and remembers those of a run that was stopped.

    Parameters
    ----------
    folder
        The unfinished run folder.
    network
        Name that stands in the first column.
    tensorboard
        Write event files as well.

    Notes
    -----
    A disk that takes no more lines ends the stream, not the training: the log says so once,
    and the run itself fails where it cannot keep a fold.
    """

    def __init__(self, folder: Path, *, network: str, tensorboard: bool = False):
        self.path, self.network = folder / CURVES, network
        self.lock = threading.Lock()  # words may come from another thread than the end
        self.epochs: dict[Training, list[Epoch]] = {}
        for epoch in read_epochs(self.path):
            self.epochs.setdefault(epoch.training, []).append(epoch)
        self.events = EventFiles(folder / TENSORBOARD) if tensorboard else None
        self.file: TextIO | None = None

    def __enter__(self) -> Self:
        """Open the file, with what is known already in it."""
        with self._harmless():
            self._rewrite()
            if self.events is not None:
                self.events.clear()
                for epochs in self.epochs.values():
                    self.events.rewrite(epochs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all files."""
        with self.lock:
            self._close()

    @property
    def heard(self) -> list[Epoch]:
        """Every epoch so far."""
        return [epoch for one in self.epochs.values() for epoch in one]

    def on_progress(self, word: Progress) -> None:
        """Add an epoch; of a fold that was begun again, in place of the old one."""
        if isinstance(word.epoch, Step):
            return
        epoch = epoch_of(word.task, word.epoch, self.network)
        with self.lock:
            if self.file is None:
                return
            with self._harmless():
                self._add(epoch, last=word.epoch.stopped)

    def _add(self, epoch: Epoch, *, last: bool) -> None:
        known = self.epochs.setdefault(epoch.training, [])
        again = bool(known) and known[-1].epoch >= epoch.epoch
        if again:
            known[:] = [old for old in known if old.epoch < epoch.epoch]
        known.append(epoch)
        if again:
            self._rewrite()
        elif self.file is not None:
            self.file.write(_line(epoch))
            self.file.flush()
        if self.events is not None:
            if again:
                self.events.rewrite(known)
            else:
                self.events.add(epoch)
            if last:
                self.events.close(epoch.training)

    def complete(self, epochs: Iterable[Epoch]) -> None:
        """Bring the event files to what the run's results say, where words of it were lost."""
        if self.events is None:
            return
        by_training: dict[Training, list[Epoch]] = {}
        for epoch in epochs:
            by_training.setdefault(epoch.training, []).append(epoch)
        for training, found in by_training.items():
            if len(self.epochs.get(training, ())) != len(found):
                self.events.rewrite(found)
        self.events.close()

    def _rewrite(self) -> None:
        """Write the file anew in its own place, so that who follows it goes on following."""
        if self.file is None:
            self.file = self.path.open("a+", encoding="utf-8", newline="")
        self.file.seek(0)
        self.file.truncate()
        self.file.write(",".join(Epoch._fields) + "\n")
        self.file.writelines(map(_line, self.heard))
        self.file.flush()

    def _harmless(self) -> "_EndsStream":
        return _EndsStream(self)

    def _close(self) -> None:
        with suppress(OSError):
            if self.file is not None:
                self.file.close()
        self.file = None
        if self.events is not None:
            self.events.close()


class _EndsStream(suppress):
    """Lets an error of the disk end the stream, and say so in the log."""

    def __init__(self, stream: MetricStream):
        super().__init__(OSError)
        self.stream = stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, OSError):
            log.warning("%s is not written on: %s; the folds go on", self.stream.path, error)
            self.stream._close()
        return super().__exit__(kind, error, trace)


def epoch_of(task: FoldTask, told: EpochReport, network: str) -> Epoch:
    """Line of a word."""
    return Epoch(
        network,
        task.seed,
        0 if task.fold == FINAL else task.fold + 1,
        told.epoch + 1,
        *(told.train_loss, told.validation_loss),
        *(told.score, told.learning_rate, told.gradient_norm, told.seconds),
    )


def read_epochs(path: Path) -> list[Epoch]:
    """Epochs of a stream, or of a finished run's curves; a line that was cut off is left out.

    An epoch that stands twice counts once, as it stands last.
    """
    found: dict[tuple[int, int, int], Epoch] = {}
    try:
        with path.open(encoding="utf-8", newline="", errors="replace") as file:
            whole = (line for line in file if line.endswith("\n") and "\0" not in line)
            for row in csv.DictReader(whole):
                with suppress(KeyError, TypeError, ValueError):
                    epoch = _epoch(row)
                    found[epoch.seed, epoch.fold, epoch.epoch] = epoch
    except (OSError, csv.Error):
        return []
    return list(found.values())


def _epoch(row: dict[str, str]) -> Epoch:
    numbers = [float(row[name] or "nan") for name in Epoch._fields[4:]]
    return Epoch(row["model"], int(row["seed"]), int(row["fold"]), int(row["epoch"]), *numbers)


def _line(epoch: Epoch) -> str:
    """As pandas writes it: every digit, and nothing where there is no number."""
    numbers = ("" if math.isnan(value) else repr(float(value)) for value in epoch[4:])
    named = ",".join(map(str, epoch[1:4]))
    return f"{epoch.model},{named},{','.join(numbers)}\n"
