"""Pictures of data, of models and of trainings, drawn with matplotlib.

Every function returns the axes that it drew on, or an array of axes; ``decision_boundary_video``,
which trains and writes a file, returns the history. Without ``ax`` (or ``figure``) a new figure is
made by ``matplotlib.pyplot``, which needs no display unless the figure is shown. A script that does
not call ``plt.show()`` shows its new figures when it ends; without a display it says how to save
them. matplotlib is imported when a picture is drawn, not before.
"""

from framework.plots.augmentation import augmented
from framework.plots.boundaries import decision_boundary, decision_boundary_video
from framework.plots.confusion import confusion_matrix
from framework.plots.convolutions import feature_maps, filters
from framework.plots.curves import activation
from framework.plots.flow import gradient_flow
from framework.plots.images import image_grid, weights
from framework.plots.network import network
from framework.plots.saliency import saliency
from framework.training.learning_curves import learning_curves
from framework.utils.figures import COLOURS

__all__ = [
    "COLOURS",
    "activation",
    "augmented",
    "confusion_matrix",
    "decision_boundary",
    "decision_boundary_video",
    "feature_maps",
    "filters",
    "gradient_flow",
    "image_grid",
    "learning_curves",
    "network",
    "saliency",
    "weights",
]


def __dir__() -> list[str]:
    return __all__
