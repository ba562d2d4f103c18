"""Figures that a script has drawn and nobody has seen when it ends.

Outside of notebooks, matplotlib shows a figure only when ``plt.show()`` is called, which is easily
forgotten: ``history.plot()`` as the last line of a script would show nothing. So the figures that a
script lets this library open are shown when it ends; where there is no display, one line says how
to save them.

Figures that were shown, saved or closed before have been seen. Whatever else calls this library, a
test or a library for instance, looks after its figures itself.
"""

from __future__ import annotations

import atexit
import sys
import weakref
from typing import TYPE_CHECKING

from framework.utils.warnings import users_frame

if TYPE_CHECKING:
    from matplotlib.backend_bases import DrawEvent
    from matplotlib.figure import Figure

_unseen: weakref.WeakSet[Figure] = weakref.WeakSet()


def show_in_the_end(figure: Figure) -> None:
    """Show a new figure of pyplot when the script that asked for it ends, unless it was seen."""
    if users_frame().f_globals.get("__name__") != "__main__" or _interactive():
        return
    if not _unseen:
        # After matplotlib's own handler, and so called before it, which closes all figures.
        atexit.unregister(_show_unseen)
        atexit.register(_show_unseen)
    _unseen.add(figure)
    figure.canvas.mpl_connect("draw_event", _is_seen)


def _interactive() -> bool:
    """Whether somebody types the lines, at a prompt or in a notebook, where pictures show up."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive)


def _is_seen(event: DrawEvent) -> None:
    # Windows and files draw a figure; nothing else does.
    _unseen.discard(event.canvas.figure)


def _show_unseen() -> None:
    import matplotlib.pyplot as plt
    from matplotlib.backend_bases import FigureManagerBase

    if hasattr(sys, "last_value"):  # the script failed, and its error is what should be seen
        return
    open_figures = [figure for figure in map(plt.figure, plt.get_fignums()) if figure in _unseen]
    if not open_figures:
        return
    manager = open_figures[0].canvas.manager
    if manager is not None and type(manager).show is not FigureManagerBase.show:
        plt.show()
    else:
        print(
            "A picture was drawn but not shown, since there is no display. To save it: "
            'import matplotlib.pyplot as plt; plt.savefig("picture.png")',
            file=sys.stderr,
        )
