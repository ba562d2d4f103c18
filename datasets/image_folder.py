"""Pictures of one's own: a folder with a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.pictures import as_channels, is_grey, is_picture, read_picture
from datasets.reading import DataError
from optimizers.arrays import Array
from optimizers.checks import check_count, check_fraction

# What Windows and macOS leave in folders and hide there; names that begin with a dot are hidden
# everywhere.
HIDDEN = ("desktop.ini", "thumbs.db", "__macosx")


@dataclass(frozen=True, repr=False, eq=False)
class ImageFolder:
    """The pictures that ``image_folder`` has read.

    Attributes:
        images: bytes, ``(samples, height, width, channels)``, class after class.
        labels: the class of each, ``(samples,)``: a position in ``class_names``.
        class_names: the names of the folders, sorted.
        files: the file of each image.
        validation_data: images and labels that were set aside, as ``Model.train`` takes them; None
            without a ``validation_split``.
        validation_files: their files.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: list[str]
    files: list[Path]
    validation_data: tuple[NDArray[np.uint8], NDArray[np.int64]] | None
    validation_files: list[Path]

    def __repr__(self) -> str:
        size = "×".join(map(str, self.images.shape[1:]))
        aside = f", {len(self.validation_files):,} set aside" if self.validation_files else ""
        return (
            f"ImageFolder({len(self.images):,} images of {size} in {len(self.class_names)} "
            f"classes{aside})"
        )


def image_folder(
    path: str | PathLike[str],
    size: int | tuple[int, int],
    *,
    channels: int | None = None,
    validation_split: float = 0.0,
    seed: int | None = None,
) -> ImageFolder:
    """Return the pictures in a folder that has a folder for each class.

        pets/cats/tom.jpg
        pets/cats/kittens/felix.png
        pets/dogs/rex.jpg

    Pictures can be of any size, PNG, JPEG or another of the usual formats, by their content and
    not by their names. Each is turned as its EXIF data say that it is shown, scaled by one factor
    until it just covers ``size``, and the middle is cut out, so that nothing is distorted. Hidden
    files are left out, such as ``.DS_Store``.

    Args:
        path: the folder. "~" is the user's home.
        size: height and width of the images, or one number for both.
        channels: 1 for grey, 3 for colours, 4 for colours and opacity. None takes 1 if all
            pictures are stored as grey, and 3 otherwise.
        validation_split: the share of each class to set aside, at least 0 and less than 1.
        seed: of the random choice of those. None chooses the same in every call, as long as the
            folder is the same.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such folder.
        OSError: a file cannot be read.
        DataError: there are no classes, or a class has no pictures; a file is no picture, is
            damaged, or, unless ``channels`` is 4, has transparent parts; a folder is a link to one
            that it is in. The message names it.
        TypeError, ValueError: an argument of another kind or out of its range, or a split that
            sets no picture aside.

        data = image_folder("pets", 64, validation_split=0.2)
        model.train(data.images, data.labels, validation_data=data.validation_data, epochs=10)
        model.save("pets.safetensors", class_names=data.class_names)
    """
    height, width = _checked_size(size)
    if channels is not None and check_count("channels", channels) not in (1, 3, 4):
        raise ValueError(f"channels must be 1, 3 or 4, or None, received {channels!r}")
    split = check_fraction("validation_split", validation_split)
    seed = None if seed is None else check_count("seed", seed, minimum=0)
    classes = _classes_in(Path(path).expanduser())
    counts = [len(pictures) for pictures in classes.values()]
    chosen = _chosen(counts, split, seed)
    # Those set aside come last, so that all are read into one array.
    order = np.argsort(chosen, kind="stable")
    labels = np.repeat(np.arange(len(classes)), counts)[order]
    every = [picture for pictures in classes.values() for picture in pictures]
    files = [every[position] for position in order]
    # All headers first: a file that is no picture is named before the long work has begun.
    are_grey = [is_grey(file) for file in files]
    channels = channels or (1 if all(are_grey) else 3)
    images = np.empty((len(files), height, width, channels), np.uint8)
    for image, file in zip(images, files, strict=True):
        picture = read_picture(file, size=(height, width), transparent=channels == 4)
        image[...] = as_channels(picture, channels)
    kept = len(files) - int(chosen.sum())
    return ImageFolder(
        images=images[:kept],
        labels=labels[:kept],
        class_names=list(classes),
        files=files[:kept],
        validation_data=(images[kept:], labels[kept:]) if split else None,
        validation_files=files[kept:],
    )


def _checked_size(size: Any) -> tuple[int, int]:
    pair = size if isinstance(size, (tuple, list)) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size must be a whole number or (height, width), received {size!r}")
    height, width = (check_count("size", number) for number in pair)
    return height, width


def _classes_in(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each class, classes and files sorted by name.

    Raises FileNotFoundError or NotADirectoryError without such a folder, DataError without
    classes, for a class without files, and for a picture in no class.
    """
    classes = {}
    for entry in _entries(folder):
        if entry.is_dir():
            classes[entry.name] = _files_in(entry, (folder.resolve(),))
            if not classes[entry.name]:
                raise DataError(f"{entry}: expected pictures of this class, found none")
        elif is_picture(entry):  # a licence, or a list of the files, is none
            raise DataError(
                f"{entry}: expected pictures in a folder for each class, found this one in none"
            )
    if not classes:
        raise DataError(f"{folder}: expected a folder for each class, found none")
    return classes


def _files_in(folder: Path, around: tuple[Path, ...]) -> list[Path]:
    """Return the files in ``folder`` and in all folders inside it.

    ``around`` are the folders that it is in. Raises DataError if it is a link to one of them.
    """
    place = folder.resolve()
    if place in around:
        raise DataError(f"{folder} is a link to {place}, which it is in: remove it")
    found = []
    for entry in _entries(folder):
        found += _files_in(entry, (*around, place)) if entry.is_dir() else [entry]
    return found


def _entries(folder: Path) -> list[Path]:
    """Return what is in ``folder`` and not hidden, sorted by name."""
    visible = (
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith(".") and entry.name.lower() not in HIDDEN
    )
    return sorted(visible, key=lambda entry: entry.name)


def _chosen(counts: Sequence[int], split: float, seed: int | None) -> Array:
    """Return which pictures are set aside: of each class so many, and never all.

    Raises ValueError for a split that sets none aside.
    """
    total = sum(counts)
    generator = np.random.default_rng(total if seed is None else seed)
    chosen = np.zeros(total, bool)
    first = 0
    for count in counts:
        aside = min(round(split * count), count - 1)
        chosen[first + generator.permutation(count)[:aside]] = True
        first += count
    if split and not chosen.any():
        raise ValueError(
            f"validation_split={split} of {total} pictures in {len(counts)} classes sets none aside"
        )
    return chosen
