"""Networks of all folds and seeds trained in one program, where that is asked for or faster.

Measured on two cores, training them in turn in two processes is several times faster, because
rows that molecules share are computed once; one program is for a GPU, which a single small
network leaves idle.
"""

import time
from collections.abc import Callable, Sequence

from kekule.evaluation.fold_inputs import FoldInputs, FoldResult, FoldTask
from kekule.evaluation.folds import network_result, split_rows
from kekule.evaluation.metrics import selection_score
from kekule.models import EpochReport, TrainSettings, build_network, device_named, fit_together

MOST_GRAPHS = 10_000  # a larger set keeps a GPU busy with one network


def trains_together(settings: TrainSettings, n_graphs: int, n_networks: int) -> bool:
    """Whether the networks of a run are trained in one program."""
    if settings.together != "auto":
        return settings.together == "on"
    if settings.profile:  # of each fold
        return False
    small = n_graphs <= MOST_GRAPHS and n_networks > 1
    return small and device_named(settings.device).type == "cuda"


def run_together(
    inputs: FoldInputs,
    tasks: Sequence[FoldTask],
    on_epoch: Callable[[FoldTask, EpochReport], None],
) -> dict[FoldTask, FoldResult]:
    """Train the network of every task at once and answer for each one's test rows.

    The program holds the labels of all rows; `fit_together` sees to it that those of a
    task's test rows reach nothing of its network.
    """
    started = time.perf_counter()
    recipe = inputs.recipe
    rows = [split_rows(inputs, task) for task in tasks]
    networks = [
        build_network(
            inputs.graphs.schema,
            inputs.n_classes,
            recipe.model,
            seed=task.seed,
            n_tasks=inputs.n_tasks,
        )
        for task in tasks
    ]
    curves = fit_together(
        networks,
        inputs.graphs,
        inputs.targets,
        train_rows=[train for train, _, _ in rows],
        validation_rows=[held for _, held, _ in rows],
        settings=recipe.train,
        score=selection_score,
        seed=recipe.seed,
        weights=inputs.weights,
        on_epoch=lambda model, epoch: on_epoch(tasks[model], epoch),
    )
    each = (time.perf_counter() - started) / len(tasks)
    return {
        task: network_result(inputs, task, network, curve, each, held=held)
        for task, network, curve, (_, held, _) in zip(tasks, networks, curves, rows, strict=True)
    }
