"""Every figure of a report by name; a new one needs a line here and a place in the page.

The name is that of the figure's files and of its anchor on the page.
"""

from kekule.visualization.calibration import calibration_figure
from kekule.visualization.canvas import FigureMaker
from kekule.visualization.confusion import confusion_figure
from kekule.visualization.curves import learning_figure
from kekule.visualization.data_summary import classes_figure, labels_figure, sizes_figure
from kekule.visualization.discrimination import precision_recall_figure, roc_figure
from kekule.visualization.drawings import examples_figure, mistakes_figure
from kekule.visualization.embedding import embedding_figure
from kekule.visualization.folds import comparison_figure, folds_figure
from kekule.visualization.parameter_history import history_figure
from kekule.visualization.parameters import parameters_figure
from kekule.visualization.run_view import RunView
from kekule.visualization.tasks import task_roc_figure, tasks_figure

FIGURES: dict[str, FigureMaker] = {
    "comparison": comparison_figure,
    "classes": classes_figure,
    "labels": labels_figure,
    "sizes": sizes_figure,
    "examples": examples_figure,
    "learning": learning_figure,
    "folds": folds_figure,
    "roc": roc_figure,
    "precision-recall": precision_recall_figure,
    "confusion": confusion_figure,
    "calibration": calibration_figure,
    "mistakes": mistakes_figure,
    "parameters": parameters_figure,
    "history": history_figure,
    "embedding": embedding_figure,
}
# Of several tasks: a row has a truth and a prediction in each, so what shows rows is left out.
FIGURES_OF_TASKS: dict[str, FigureMaker] = {
    "comparison": comparison_figure,
    "learning": learning_figure,
    "folds": folds_figure,
    "tasks": tasks_figure,
    "task-roc": task_roc_figure,
    "parameters": parameters_figure,
    "history": history_figure,
}
DRAWN_BY_THE_PAGE = frozenset({"examples", "mistakes"})  # cards with links instead of a sheet


def figures_of(view: RunView) -> dict[str, FigureMaker]:
    """Return the figures of a run, by name."""
    return FIGURES_OF_TASKS if view.tasks else FIGURES
