"""The playground: build a network, watch every number, go back, take it with you.

| file | what it does |
|---|---|
| ``settings.py`` | an experiment as plain values, each checked |
| ``sources.py features.py`` | the sets of points, and the inputs made of a point, that there are |
| ``points.py`` | the points, to train and to test on; ``point_files.py`` reads them from a table |
| ``network.py`` | makes the model, and refuses one that is too large or too slow |
| ``run.py`` | its training, in slices, to the same numbers as ``Model.train`` |
| ``timeline.py`` | the moments to go back to, and the curves of what was left |
| ``experiment.py`` | all of that together |
| ``session.py`` | what one window does with it; knows nothing of the page |
| ``compiler.py`` | compiles the steps of networks, beside the rest |
| ``worker.py`` | the thread that trains all sessions, in turn |
| ``plane.py`` | what every neuron computes over the plane, as pictures |
| ``numbers.py`` | how a neuron, a weight, a point or the loss came about |
| ``script.py link.py exports.py`` | what can be taken along |
| ``drawings.py`` | the pictures of the page, as SVG, and what changes in them |
| ``server.py sessions.py guard.py`` | serves the page: to whom, where, and whose session is whose |
| ``desk.py window.py`` | the page of one window, with ``drawing.js`` and ``style.css`` |
| ``controls.py data_controls.py network_controls.py numbers_panel.py`` | its parts |
| ``opening.py`` | ``show``: opens it on a model of one's own |

Only the page itself needs NiceGUI; what it shows is tested without one.
"""

from framework.playground.opening import show

__all__ = ["show"]


def __dir__() -> list[str]:
    return __all__
