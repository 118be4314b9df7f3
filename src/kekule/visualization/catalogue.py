"""Every figure of a report by name; a new one needs a line here and a place in the page.

The name is that of the figure's files and of its anchor on the page.
"""

from collections.abc import Callable

from kekule.visualization.calibration import calibration_figure
from kekule.visualization.canvas import FigureMaker
from kekule.visualization.confusion import confusion_figure
from kekule.visualization.curves import learning_figure
from kekule.visualization.data_summary import classes_figure, labels_figure, sizes_figure
from kekule.visualization.discrimination import precision_recall_figure, roc_figure
from kekule.visualization.drawings import examples_figure, mistakes_figure
from kekule.visualization.embedding import embedding_figure
from kekule.visualization.ensemble_figures import members_figure
from kekule.visualization.examination_figures import (
    ladder_figure,
    learning_curve_figure,
    scrambled_figure,
)
from kekule.visualization.folds import comparison_figure, folds_figure
from kekule.visualization.parameter_history import history_figure
from kekule.visualization.parameters import parameters_figure
from kekule.visualization.run_view import RunView
from kekule.visualization.similarity_figures import cliffs_figure, similarity_figure
from kekule.visualization.tasks import task_roc_figure, tasks_figure
from kekule.visualization.uncertainty_figures import (
    calibrated_tasks,
    coverage_figure,
    drawn_sets,
    reliability_figure,
)

FIGURES: dict[str, FigureMaker] = {
    "comparison": comparison_figure,
    "classes": classes_figure,
    "labels": labels_figure,
    "sizes": sizes_figure,
    "examples": examples_figure,
    "learning": learning_figure,
    "folds": folds_figure,
    "members": members_figure,
    "roc": roc_figure,
    "precision-recall": precision_recall_figure,
    "confusion": confusion_figure,
    "calibration": calibration_figure,
    "reliability": reliability_figure,
    "coverage": coverage_figure,
    "ladder": ladder_figure,
    "learning-curve": learning_curve_figure,
    "scrambled": scrambled_figure,
    "similarity": similarity_figure,
    "mistakes": mistakes_figure,
    "cliffs": cliffs_figure,
    "parameters": parameters_figure,
    "history": history_figure,
    "embedding": embedding_figure,
}
# Of several tasks: a row has a truth and a prediction in each, so what shows rows is left out.
FIGURES_OF_TASKS: dict[str, FigureMaker] = {
    "comparison": comparison_figure,
    "learning": learning_figure,
    "folds": folds_figure,
    "members": members_figure,
    "tasks": tasks_figure,
    "task-roc": task_roc_figure,
    "reliability": reliability_figure,
    "ladder": ladder_figure,
    "learning-curve": learning_curve_figure,
    "scrambled": scrambled_figure,
    "similarity": similarity_figure,
    "parameters": parameters_figure,
    "history": history_figure,
}
WHERE: dict[str, Callable[[RunView], bool]] = {  # what not every run has; all else is of all
    "learning": lambda view: bool(view.curves),
    "members": lambda view: view.ensemble is not None,
    "reliability": lambda view: bool(calibrated_tasks(view)),
    "coverage": lambda view: bool(drawn_sets(view)),
    "ladder": lambda view: view.examination is not None and bool(view.examination.ladder),
    "learning-curve": lambda view: (
        view.examination is not None and bool(view.examination.learning)
    ),
    "scrambled": lambda view: view.examination is not None and bool(view.examination.scrambled),
    "similarity": lambda view: view.similarity is not None,
    "cliffs": lambda view: view.cliffs is not None and bool(view.cliffs.pairs),
    "parameters": lambda view: bool(view.layers),
    "history": lambda view: bool(view.layers),
    "embedding": lambda view: view.embedding.size > 0,
}
DRAWN_BY_THE_PAGE = frozenset({"examples", "mistakes", "cliffs"})  # cards instead of a sheet


def figures_of(view: RunView) -> dict[str, FigureMaker]:
    """Return the figures of a run, by name: those for which it has something to show."""
    every = FIGURES_OF_TASKS if view.tasks else FIGURES
    return {name: make for name, make in every.items() if name not in WHERE or WHERE[name](view)}
