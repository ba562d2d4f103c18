"""The page on a model of one's own: inside a notebook, or from a script in the browser."""

from __future__ import annotations

import itertools
import time
import webbrowser
from typing import Any

from numpy.typing import ArrayLike

from framework.model import Model
from framework.playground.experiment import Given, given_points
from framework.playground.server import Server
from framework.playground.session import Session
from framework.playground.settings import Settings
from framework.training.notebook_table import in_notebook

HEIGHT = 980  # pixels in a notebook
WAITED_FOR = 60.0  # seconds until the first window has to be open

_keys = itertools.count(1)
_server: Server | None = None


def show(
    model: Model,
    X: ArrayLike,
    y: ArrayLike,
    *,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    batch_size: int = 32,
) -> Any:
    """Open the playground on a model and its data: your objects, so what is trained there, is.

    In a notebook the page appears below the cell, and the notebook goes on. In a script it opens
    in the browser, and the script goes on about a minute after the page was closed, or at Ctrl-C.
    Pause the training in the page before you use the model elsewhere.

    Layers, loss, optimizer and data are those of your script; the page shows them, with every
    number. Operations of your own are among them as they are.

    Args:
        model: finalized, with loss and optimizer.
        X: ``(samples, features)``. Of more than two features, two are shown at a time.
        y: targets that fit the loss.
        validation_data: ``(X_val, y_val)``, measured after each epoch.
        batch_size: samples of an update.

    Raises:
        ImportError: nicegui is not installed (the extra ``[playground]``).
        RuntimeError: ``set`` or ``finalize`` has not been called.
        TypeError, ValueError: data that do not fit.
    """
    if model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    points, targets = given_points(model, X, y)
    validation = None if validation_data is None else model.check_data(*validation_data)
    given = Given(model, targets, points, validation)
    training = Settings().training.changed(batch_size=batch_size)
    settings = Settings(training=training)
    session = Session(settings, given=given)  # what does not fit is an error here
    server = _running()
    key = f"model-{next(_keys)}"
    server.sessions.given[key] = lambda: session
    address = f"{server.address}/?given={key}"
    if in_notebook():
        from IPython.display import IFrame

        return IFrame(address, width="100%", height=HEIGHT)
    print(f"playground at {address} (Ctrl-C goes on)", flush=True)
    webbrowser.open(address)
    _wait_until_closed(server, key)
    return None


def _running() -> Server:
    """Return the server of this process, which is started the first time."""
    global _server
    if _server is None:
        server = Server()
        server.start()
        _server = server
    return _server


def _wait_until_closed(server: Server, key: str) -> None:
    started, seen = time.monotonic(), False
    try:
        while True:
            is_open = server.sessions.is_open(key)
            seen = seen or is_open
            if (seen and not is_open) or (not seen and time.monotonic() - started > WAITED_FOR):
                return
            time.sleep(0.2)
    except KeyboardInterrupt:
        print()
