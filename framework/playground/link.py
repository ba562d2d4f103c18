"""A whole setting in an address: what to open, without weights."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

import numpy as np

from framework.playground.points import Points
from framework.playground.settings import Settings

# An address longer than this is not read; nothing in one becomes larger than that.
LONGEST, LARGEST = 16_000, 200_000
# Points of one's own are in the address up to this number.
MOST_POINTS = 500


def encode(settings: Settings, own: Points | None = None) -> str:
    """Return the settings, and a few points of one's own, as text for an address.

    More than 500 points are left out: then the link opens the rest of the setting.
    """
    content: dict[str, Any] = settings.to_dict()
    if own is not None and own.in_plane and 0 < len(own) <= MOST_POINTS:
        content["points"] = {
            "X": np.round(own.X, 4).tolist(),
            "y": own.y.reshape(-1).tolist(),
            "names": None if own.class_names is None else list(own.class_names),
        }
    elif settings.data.source == "own":
        content.pop("data")
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(text: str) -> tuple[Settings, Points | None]:
    """Return what ``encode`` was given. The text is not trusted.

    Raises ValueError for anything else.
    """
    if len(text) > LONGEST:
        raise ValueError(f"the link is too long: {len(text):,} characters, up to {LONGEST:,}")
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        content = json.loads(unpacker.decompress(packed, LARGEST))
        if unpacker.unconsumed_tail or not isinstance(content, dict):
            raise ValueError("it holds something else")
        points = content.pop("points", None)
        own = None if points is None else _points(points)
        settings = Settings.from_dict(content)
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error, zlib.error) as error:
        raise ValueError(f"the link is damaged, or of another version: {error}") from None
    if (own is None) != (settings.data.source != "own"):
        raise ValueError("the link is damaged: it has no points")
    return settings, own


def _points(content: Any) -> Points:
    X = np.array(content["X"], dtype=np.float64)
    names = content["names"]
    if X.ndim != 2 or X.shape[1] != 2 or len(X) > MOST_POINTS or not np.isfinite(X).all():
        raise ValueError("its points are no pairs of numbers")
    y = np.array(content["y"], dtype=np.float64)
    if y.shape != (len(X),) or not np.isfinite(y).all():
        raise ValueError("its points have no classes or values")
    if names is None:
        return Points(X, y[:, np.newaxis], ("x", "y"), None)
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ValueError("its classes have no names")
    classes = y.astype(np.intp)
    if not 1 <= len(names) <= 100 or (classes != y).any() or not _within(classes, len(names)):
        raise ValueError("its points have classes that are none")
    return Points(X, classes, ("x", "y"), tuple(name[:60] for name in names))


def _within(classes: np.ndarray, count: int) -> bool:
    return bool(((classes >= 0) & (classes < count)).all())
