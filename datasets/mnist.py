"""MNIST and Fashion-MNIST: 70,000 grey images of handwritten digits, and of clothes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from datasets.fetching import Directory, fetch_again, locate
from datasets.idx import read_idx
from datasets.images import Conversion, Data, Scale, check_labels
from datasets.published import FASHION_MNIST, MNIST, Published
from datasets.reading import DataError

IMAGE = (28, 28)
TRAINING, TEST = 60_000, 10_000  # images; a sample may have fewer


def mnist(
    *,
    directory: Directory = None,
    flatten: bool = False,
    scale: Scale | None = None,
    dtype: DTypeLike | None = None,
) -> tuple[Data, Data]:
    """Return MNIST: 60,000 handwritten digits for training and 10,000 for testing.

    Args:
        directory: the folder with the files, gzipped or not. Without it they are searched for
            in the folder ``DINPUTS_DATA`` (an environment variable) and in the cache, and
            otherwise downloaded: see ``datasets.fetching``.
        flatten: whether each image becomes one row of 784 numbers.
        scale: the range that 0…255 is mapped to, such as ``(0, 1)`` or ``(-1, 1)``; None does
            not scale.
        dtype: of the images. None takes float32 if they are scaled, otherwise uint8.

    Returns:
        ``(X_train, y_train), (X_test, y_test)``: images ``(samples, 28, 28)`` and labels
        ``(samples,)``, integers from 0 to 9.

    Raises:
        TypeError, ValueError: an argument out of its range.
        DataError: a file is damaged; the message names it and says how to fetch it again.
        FileNotFoundError: files are missing in ``directory``, or ``DINPUTS_DATA`` is not a folder.
        DownloadError: the files were not found and cannot be downloaded; the message says where
            to put them by hand.

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
    """
    return _load(MNIST, directory, Conversion(flatten, scale, dtype))


def fashion_mnist(
    *,
    directory: Directory = None,
    flatten: bool = False,
    scale: Scale | None = None,
    dtype: DTypeLike | None = None,
) -> tuple[Data, Data]:
    """Return Fashion-MNIST: pictures of clothes in the format of MNIST.

    Arguments, returned arrays and errors are those of ``mnist``;
    ``class_names("fashion_mnist")`` returns the names of the labels.

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms", 2017.
    """
    return _load(FASHION_MNIST, directory, Conversion(flatten, scale, dtype))


def _load(data: Published, directory: Directory, convert: Conversion) -> tuple[Data, Data]:
    files = list(zip(data.files, locate(data, directory), strict=True))
    return _pair(data, files[:2], TRAINING, convert), _pair(data, files[2:], TEST, convert)


def _pair(data: Published, files: list[tuple[str, Path]], most: int, convert: Conversion) -> Data:
    (images_file, images_path), (labels_file, labels_path) = files
    with fetch_again(data, images_file):
        images = read_idx(images_path, IMAGE, most)
    with fetch_again(data, labels_file):
        labels = read_idx(labels_path, max_items=most)
        if len(labels) != len(images):
            raise DataError(
                f"{labels_path}: expected a label for each of the {len(images):,} images of "
                f"{images_path}, found {len(labels):,}"
            )
        check_labels(labels, str(labels_path), len(data.classes))
    return convert([images]), labels.astype(np.int64)
