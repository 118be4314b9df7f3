"""What an ensemble can afford: its members and inner folds, settled before anything is trained.

The time that is allowed is compared with an estimate from the data's size alone, never with a
clock: a slower machine takes longer and gets the same numbers, and a run that was killed goes on
under the plan it began with.

Symbols: G graphs.
"""

from typing import NamedTuple

import numpy as np

from kekule.evaluation.fold_inputs import FoldInputs
from kekule.evaluation.metrics import selection_score
from kekule.evaluation.recipe import Recipe
from kekule.models import NETWORKS
from kekule.models.ensemble_settings import AutoSettings
from kekule.models.members import MEMBERS, OF_GRAPHS, OF_MOLECULES, Member, Size
from kekule.models.members import NETWORK as NETWORK_MEMBER

CORES = 2  # that the allowed minutes are of
FOLDS, ROWS_FOR_FEWER = 5, 5000  # inner folds; a larger set weighs as well with three
NETWORK_OF_MOLECULES, NETWORK_OF_GRAPHS = "dmpnn", "gin"
RUNS = 3  # trainings of a network that is averaged, at least


class Plan(NamedTuple):
    """What each fold trains.

    Attributes
    ----------
    members
        Names, in the order of `kekule.models.members`.
    inner
        Folds of the training rows that weigh them; 1 is one held-out part.
    left_out
        Members that suit the data and would take too long.
    seconds
        Estimate for the whole run, of one core.
    """

    members: tuple[str, ...]
    inner: int
    left_out: tuple[str, ...]
    seconds: float


def plan_of(inputs: FoldInputs) -> Plan:
    """Members and inner folds that fit into the recipe's minutes.

    Inner folds are saved first, from five over three to one, then the members that take longest;
    one is always left.
    """
    settings = settings_of(inputs.recipe)
    members = list(members_of(inputs.recipe))
    budget = settings.minutes * 60 * CORES
    choices = [settings.inner] if settings.inner else _inner_choices(len(inputs.graphs))
    for inner in choices:
        if (seconds := _seconds(inputs, members, inner)) <= budget:
            return Plan(tuple(members), inner, (), seconds)
    inner, left_out = choices[-1], []
    while len(members) > 1 and _seconds(inputs, members, inner) > budget:
        slowest = max(members, key=lambda name: _seconds(inputs, [name], inner))
        members.remove(slowest)
        left_out.append(slowest)
    return Plan(tuple(members), inner, tuple(left_out), _seconds(inputs, members, inner))


def settings_of(recipe: Recipe) -> AutoSettings:
    """Settings of a recipe whose model is `auto`."""
    settings = recipe.model
    if not isinstance(settings, AutoSettings):
        raise TypeError(f"{settings.name} is no ensemble")
    return settings


def members_of(recipe: Recipe) -> tuple[str, ...]:
    """Names of the members to try: those stated, or all that suit the data."""
    suiting = OF_MOLECULES if recipe.is_table else OF_GRAPHS
    stated = settings_of(recipe).members
    if stated is None:
        return suiting
    return tuple(name for name in suiting if name in stated)


def member_named(name: str, inputs: FoldInputs) -> Member:
    """A member as the recipe wants it."""
    if name != NETWORK_MEMBER:
        return MEMBERS[name]
    from kekule.models.members.network import NetworkMember

    recipe, settings = inputs.recipe, settings_of(inputs.recipe)
    network = settings.network or (NETWORK_OF_MOLECULES if recipe.is_table else NETWORK_OF_GRAPHS)
    made: Member = NetworkMember(
        NETWORKS[network].Settings.model_validate({"name": network}),
        recipe.train.model_copy(update={"epochs": settings.epochs}),
        score=selection_score,
        descriptors=recipe.is_table and not inputs.graphs.schema.n_graph_attributes,
    )
    return made


def network_runs(inner: int) -> int:
    """How often the network is trained on all training rows, beside its inner folds.

    Those of the inner folds are kept and averaged; where they are fewer than three, others are.
    """
    return 0 if inner >= RUNS else RUNS - 1


def told_of_plan(plan: Plan) -> str:
    """Say what is trained, in a line for the log."""
    folds = f"{plan.inner} inner folds" if plan.inner > 1 else "one held-out part"
    cut = f"; left out for want of time: {', '.join(plan.left_out)}" if plan.left_out else ""
    about = max(plan.seconds / 60 / CORES, 0.1)
    return f"members: {', '.join(plan.members)}; {folds}; about {about:.1f} min on two cores{cut}"


def n_steps(plan: Plan) -> int:
    """Trainings of one task, for a bar of progress; of the shipped model at most."""
    runs = network_runs(plan.inner) if NETWORK_MEMBER in plan.members else 0
    others = sum(name != NETWORK_MEMBER for name in plan.members)
    return plan.inner * len(plan.members) + others + runs


def _inner_choices(n_rows: int) -> list[int]:
    return [FOLDS, 3, 1] if n_rows <= ROWS_FOR_FEWER else [3, 1]


def _seconds(inputs: FoldInputs, members: list[str], inner: int) -> float:
    """Core seconds of all tasks of the run."""
    protocol, n_folds = inputs.recipe.protocol, inputs.n_folds
    n_tasks = len(inputs.recipe.seeds) * n_folds + protocol.refit
    outer = 1 - 1 / n_folds if n_folds > 1 else 1.0
    share = 1 - 1 / inner if inner > 1 else 1 - 1 / FOLDS
    total = 0.0
    for name in members:
        all_tasks = name == NETWORK_MEMBER
        times = 1 if all_tasks else inputs.n_tasks
        again = network_runs(inner) if all_tasks else 1
        member = member_named(name, inputs)
        part, whole = (_size(inputs, name, outer * s) for s in (share, 1.0))
        total += times * (inner * member.seconds(part) + again * member.seconds(whole))
    return n_tasks * total


def _size(inputs: FoldInputs, name: str, share: float) -> Size:
    graphs = inputs.graphs
    tables = [inputs.tables[table] for table in MEMBERS.needs(name) if table in inputs.tables]
    columns = sum(np.shape(table)[1] for table in tables)
    rows, nodes, edges = (
        int(n * share) for n in (len(graphs), len(graphs.nodes), graphs.edge_index.shape[1])
    )
    return Size(rows, columns, nodes, edges, inputs.n_classes)
