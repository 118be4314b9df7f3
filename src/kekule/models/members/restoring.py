"""From what a bundle stores back to trained members, each part looked at before it is believed.

Imports neither scikit-learn nor LightGBM.
"""

from kekule.features import GraphSchema
from kekule.models.members import (
    constant,
    linear,
    network,
    per_task,
    tree_columns,
    wl_svm,
    wl_trees,
)
from kekule.models.members.contents import Contents
from kekule.models.members.member import Stored, Trained
from kekule.models.members.per_task import PerTask

KINDS = (
    constant.KIND,
    *tree_columns.LINKS,
    linear.KIND,
    wl_svm.KIND,
    wl_trees.KIND,
    network.KIND,
)


def restored(stored: Stored, *, schema: GraphSchema, n_classes: int, n_tasks: int = 1) -> Trained:
    """Trained member of what its `stored` gave, with the same answers to the last bit.

    Parameters
    ----------
    stored
        Of any origin.
    schema
        Of the graphs that it will be asked about.
    n_classes, n_tasks
        What it has to answer.

    Raises
    ------
    ValueError
        If a part is missing, too much, or not what it must be.
    """
    given = Contents(stored)
    if given.settings.get("kind") == per_task.KIND:
        return _per_task(given, schema, n_classes, n_tasks)
    return _one(given, schema, n_classes, n_tasks)


def _per_task(given: Contents, schema: GraphSchema, n_classes: int, n_tasks: int) -> PerTask:
    settings = given.setting("tasks", list)
    if len(settings) != n_tasks or not 1 < n_tasks <= per_task.MOST_TASKS:
        raise ValueError(f"{given.what}: {len(settings)} trainings of {n_tasks} tasks")
    tasks = []
    for t, own in enumerate(settings):
        if not isinstance(own, dict):
            raise ValueError(f"{given.what}: settings of task {t} are no named parts")
        tasks.append(_one(given.under(per_task.prefix_of(t), own), schema, n_classes, 1))
    given.end()
    return PerTask(tuple(tasks))


def _one(given: Contents, schema: GraphSchema, n_classes: int, n_tasks: int) -> Trained:
    kind = given.setting("kind", str)
    if kind not in KINDS:
        raise ValueError(f"{given.what}: kind {kind[:60]!r} is none of {', '.join(KINDS)}")
    if kind == network.KIND:
        return network.restored_network(given, schema, n_classes, n_tasks)
    if n_tasks != 1:
        raise ValueError(f"{given.what}: a {kind} answers one task, not {n_tasks}")
    if kind in tree_columns.LINKS:
        return tree_columns.restored_trees(given, n_classes)
    if kind == wl_trees.KIND:
        return wl_trees.restored_wl_trees(given, schema, n_classes)
    if kind == wl_svm.KIND:
        return wl_svm.restored_machine(given, n_classes)
    if kind == linear.KIND:
        return linear.restored_logistic(given, n_classes)
    return constant.restored_constant(given, n_classes)
