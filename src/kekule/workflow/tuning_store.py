"""Trials on disk: which have begun, which ended how, and what to try next.

Every process holds a lock of its own while it lives. A trial that runs for a process whose
lock can be had was killed, and is asked for again; a trial of a process that lives is left
alone. What is decided from the trials there are (how many are left, which died, what to try
next) is decided by one process at a time, so that N trials are N however many processes
there are.

Must not know data, networks or pages.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from filelock import FileLock, Timeout

from kekule._errors import OutputError
from kekule.evaluation.tuning import TuningError
from kekule.evaluation.tuning_space import Space, combination_of, distributions_of
from kekule.workflow.disk import unwritable
from kekule.workflow.tuning_journal import open_journal, quiet

JOURNAL = "study.jsonl"
LOCKS = ".locks"
POLL_SECONDS = 0.02
MOST_DEATHS = 3  # of one combination; more would kill every process that goes on with it
SAME_ERRORS = 3  # in a row, which stop a tuning
KILLED = "killed"  # reason of a trial that is done again
OWN = "recipe"  # origin of the trial with the recipe's own values

Trial = Any  # optuna.trial.Trial, which runs
Record = Any  # optuna.trial.FrozenTrial, as the journal has it


class StudyPlan(NamedTuple):
    """What one study of a folder is of.

    Attributes
    ----------
    name
        Unique in the folder.
    key
        What its trials depend on; a study of another key is not continued.
    higher
        Whether a higher value is better.
    seed
        Of what is proposed.
    first
        Values to begin with, if any.
    """

    name: str
    key: dict[str, str]
    higher: bool
    seed: int
    first: dict[str, Any] | None


class TrialStore:
    """The studies of a folder, as one process sees and changes them; a context.

    Parameters
    ----------
    folder
        Made if it is missing.
    space
        What trials are drawn from.

    Raises
    ------
    OutputError
        If the folder cannot be written to, or its journal cannot be read.
    """

    def __init__(self, folder: Path, space: Space):
        self.folder, self.space = folder, space
        self.worker = uuid.uuid4().hex
        self._distributions = distributions_of(space)
        self._locks = folder / LOCKS
        self._studies: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Open the journal, and show that this process lives."""
        try:
            self._locks.mkdir(parents=True, exist_ok=True)
            self._alive = self._lock(self.worker)
            self._alive.acquire(timeout=0)
            self._asking = self._lock("asking")
            self._storage = open_journal(self.folder / JOURNAL, self._lock("journal"))
        except OSError as error:
            raise unwritable(self.folder, error, "Give another --out.") from None
        return self

    def __exit__(self, *args: object) -> None:
        """Leave; the lock file of this process goes with it."""
        with suppress(OSError):
            Path(self._alive.lock_file).unlink()
        self._alive.release()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Hold a lock of the folder, after whoever holds it."""
        with self._lock(what):
            yield

    def open(self, plan: StudyPlan) -> None:
        """Begin a study, or go on with the one of that name.

        Raises
        ------
        OutputError
            If the study there has another key; says what of it differs.
        """
        import optuna

        with self._asking, quiet():
            study = optuna.create_study(
                storage=self._storage,
                study_name=plan.name,
                direction="maximize" if plan.higher else "minimize",
                load_if_exists=True,
            )
            found = study.user_attrs.get("key")
            if found is None:
                if plan.first is not None:
                    study.enqueue_trial(plan.first, {"origin": OWN}, skip_if_exists=True)
                study.set_user_attr("key", plan.key)
            elif differing := [name for name in plan.key if found.get(name) != plan.key[name]]:
                why = f"the study there has another {' and '.join(differing)}"
                cure = "Give the command it was begun with, or another --out."
                raise OutputError(self.folder, why, cure)
        self._studies[plan.name] = study

    def trials(self, name: str) -> list[Record]:
        """Every trial of a study that has begun, by number."""
        records = self._studies[name].get_trials(deepcopy=False)
        return [record for record in records if record.state.name != "WAITING"]

    def running(self, name: str) -> bool:
        """Whether some trial has begun and not ended."""
        return any(record.state.name == "RUNNING" for record in self.trials(name))

    def ended(self, name: str) -> int:
        """How many of the trials asked for have ended."""
        return sum(record.state.is_finished() for record in self.trials(name) if counts(record))

    def note(self, name: str, what: str, content: Any) -> None:
        """Keep something about a study; JSON."""
        self._studies[name].set_user_attr(what, content)

    def noted(self, name: str, what: str) -> Any:
        """What `note` kept, or None."""
        return self._studies[name].user_attrs.get(what)

    def importance(self, name: str) -> dict[str, float]:
        """Share of the values' variance that each setting explains, by fANOVA.

        References
        ----------
        Hutter, Hoos & Leyton-Brown 2014, http://proceedings.mlr.press/v32/hutter14.html.
        """
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        with quiet():
            found = get_param_importances(
                self._studies[name], evaluator=FanovaImportanceEvaluator(seed=0)
            )
        return {key: float(share) for key, share in found.items()}

    def next_trial(self, plan: StudyPlan, n_trials: int, *, since: int = 0) -> Trial | None:
        """Begin the next trial of a study; None where all `n_trials` have begun.

        What is proposed depends on the trials that have ended and on how many have begun: one
        process alone proposes the same, however often it is killed.

        Parameters
        ----------
        since
            Number of the first trial whose error counts.

        Raises
        ------
        TuningError
            If the last few trials all failed in the same way.
        """
        from optuna.samplers import TPESampler

        study = self._studies[plan.name]
        with self._asking, quiet():
            self._give_up_dead(plan.name, count=True)
            begun = [record for record in self.trials(plan.name) if counts(record)]
            _check_errors([record for record in begun if record.number >= since])
            if len(begun) >= n_trials:
                return None
            (seed,) = np.random.SeedSequence([plan.seed, len(begun)]).generate_state(1)
            study.sampler = TPESampler(seed=int(seed), constant_liar=True)
            trial = study.ask(self._distributions)
            trial.set_user_attr("tried", combination_of(self.space, trial.params))
            trial.set_user_attr("worker", self.worker)
        return trial

    def complete(self, name: str, trial: Trial, value: float) -> None:
        """End a trial with its value."""
        self._studies[name].tell(trial, value)

    def prune(self, name: str, trial: Trial) -> None:
        """End a trial before its last fold; its value is what it reported last."""
        self._studies[name].tell(trial, state=_state("PRUNED"))

    def fail(self, name: str, trial: Trial, reason: str) -> None:
        """End a trial that broke."""
        trial.set_user_attr("reason", reason)
        self._studies[name].tell(trial, state=_state("FAIL"))

    def give_up_dead(self, name: str, *, count: bool) -> None:
        """Ask again for trials that were stopped; `count` where they may be what stopped them."""
        with self._asking, quiet():
            self._give_up_dead(name, count=count)

    def _give_up_dead(self, name: str, *, count: bool) -> None:
        study = self._studies[name]
        for record in self.trials(name):
            known = record.user_attrs
            if record.state.name != "RUNNING" or self._lives(known.get("worker")):
                continue
            deaths = known.get("deaths", 0) + int(count)
            again = deaths < MOST_DEATHS
            reason = KILLED if again else f"its process was killed {deaths} times"
            self._storage.set_trial_user_attr(record._trial_id, "reason", reason)
            study.tell(record.number, state=_state("FAIL"))
            if again:
                origin = {"origin": known["origin"]} if "origin" in known else {}
                study.enqueue_trial(record.params, origin | {"deaths": deaths})

    def _lives(self, worker: str | None) -> bool:
        """Whether the process of that name, which is not this one, holds its lock.

        A trial without a name is of nobody: it gets one before `_asking` is let go.
        """
        if worker is None or worker == self.worker or not (self._locks / worker).exists():
            return False
        lock = self._lock(worker)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()
        return False

    def _lock(self, name: str) -> FileLock:
        return FileLock(self._locks / name, poll_interval=POLL_SECONDS)


def counts(record: Record) -> bool:
    """Whether a trial is one of those asked for; one that was killed is done again."""
    return bool(record.user_attrs.get("reason") != KILLED)


def _check_errors(begun: list[Record]) -> None:
    """Stop where the last few trials that ended failed in the same way."""
    ended = [record for record in begun if record.datetime_complete is not None]
    ended = sorted(ended, key=lambda record: record.datetime_complete)[-SAME_ERRORS:]
    reasons = {record.user_attrs.get("reason") for record in ended}
    if len(ended) == SAME_ERRORS and len(reasons) == 1 and None not in reasons:
        why = f"the last {SAME_ERRORS} failed in the same way: {reasons.pop()}".rstrip(".")
        cure = "Put that right, and give the same command again: it goes on."
        raise TuningError("trials", why, cure)


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
