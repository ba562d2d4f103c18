"""Random changes of images: what they compute, and from which random numbers."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import framework
from framework import (
    plots,
)
from framework.augmentation import (
    Augmentation,
    Compose,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomShift,
)
from framework.utils import rng
from tests.strategies import Array, generator

BYTES = np.random.default_rng(0).integers(0, 256, size=(12, 7, 9, 3), dtype=np.uint8)
MANY = np.tile(BYTES, (5, 1, 1, 1))
DTYPES: list[Any] = [np.uint8, np.float32, np.float64, np.int64, bool]


class Brightness(Augmentation):
    """A change of the user's own."""

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        factors = generator.uniform(0.5, 1, size=(len(images), 1, 1, 1))
        return (images * factors).astype(images.dtype)


def every(seed: int | None = None) -> list[Augmentation]:
    return [
        RandomShift(2, seed=seed),
        RandomShift((0, 3), fill="edge", seed=seed),
        RandomFlip(seed=seed),
        RandomFlip(horizontal=False, vertical=True, seed=seed),
        RandomCrop((5, 6), seed=seed),
        RandomCrop((7, 9), padding=2, fill="reflect", seed=seed),
        RandomRotation(20, seed=seed),
        RandomRotation(20, fill="reflect", seed=seed),
        RandomErasing(seed=seed),
        Brightness(seed=seed),
        Compose([RandomShift(2), lambda images: images[:, ::-1], RandomFlip()], seed=seed),
    ]


# What they compute


@given(data=st.data(), pixels=st.integers(0, 4))
def test_a_shift_moves_each_image_whole_and_fills_what_is_left(
    data: st.DataObject, pixels: int
) -> None:
    height, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    images = generator(data.draw).normal(size=(6, height, width, 2))
    shift = RandomShift(pixels, fill=7.0, seed=1)
    found = set()
    for image, changed in zip(images, shift(images), strict=True):
        expected = []
        for down in range(-pixels, pixels + 1):
            for right in range(-pixels, pixels + 1):
                moved = np.full_like(image, 7.0)
                for i in range(height):
                    for j in range(width):
                        if 0 <= i - down < height and 0 <= j - right < width:
                            moved[i, j] = image[i - down, j - right]
                expected.append(moved)
        matching = [k for k, moved in enumerate(expected) if np.array_equal(moved, changed)]
        assert matching
        found.add(matching[0])
    assert len(found) > 1 or pixels == 0 or max(height, width) <= pixels


@pytest.mark.parametrize(("fill", "outside"), [("edge", [1, 1, 1, 2]), ("reflect", [3, 2, 1, 2])])
def test_what_comes_in_can_go_on_with_the_image(fill: str, outside: list[int]) -> None:
    image = np.arange(1, 5).reshape(1, 1, 4, 1)
    shift = RandomShift((0, 2), fill=fill, seed=0)
    rows = {tuple(shift(image).ravel()) for _ in range(100)}
    assert tuple(outside) in rows
    assert len(rows) == 5


def test_every_distance_and_both_ways_of_a_flip_are_as_likely() -> None:
    images = np.tile(np.arange(5).reshape(1, 1, 5, 1), (4000, 1, 1, 1))
    shifted = RandomShift((0, 1), fill=-1, seed=0)(images)[:, 0, 2, 0]
    counts = np.bincount(shifted, minlength=4)[1:4]
    assert (np.abs(counts - 4000 / 3) < 130).all()  # four standard deviations of 30
    flipped = RandomFlip(vertical=True, seed=0)(images)[:, 0, 0, 0] == 4
    assert abs(flipped.sum() - 2000) < 130


def test_flips_are_drawn_for_each_image_and_each_direction() -> None:
    flip = RandomFlip(vertical=True, seed=0)
    ways = [lambda a: a, lambda a: a[:, ::-1], lambda a: a[::-1], lambda a: a[::-1, ::-1]]
    found = [
        [np.array_equal(way(image), changed) for way in ways].index(True)
        for image, changed in zip(MANY, flip(MANY), strict=True)
    ]
    assert set(found) == {0, 1, 2, 3}
    only = RandomFlip(seed=0)(BYTES)
    assert {
        np.array_equal(a, b) or np.array_equal(a[:, ::-1], b)
        for a, b in zip(BYTES, only, strict=True)
    } == {True}


def test_a_crop_is_a_window_anywhere_in_the_image_and_the_middle_one_in_validation() -> None:
    crop = RandomCrop((5, 6), seed=0)
    places = set()
    for image, changed in zip(BYTES, crop(BYTES), strict=True):
        places |= {
            (i, j)
            for i in range(3)
            for j in range(4)
            if np.array_equal(image[i : i + 5, j : j + 6], changed)
        }
    assert len(places) > 3
    np.testing.assert_array_equal(crop(BYTES, training=False), BYTES[:, 1:6, 1:7])
    assert RandomCrop(9, padding=(1, 0))(BYTES).shape == (12, 9, 9, 3)


@pytest.mark.parametrize(("angle", "turns"), [(0.0, 0), (0.5, 1), (-0.5, 3), (1.0, 2)])
def test_a_rotation_by_right_angles_is_exact(angle: float, turns: int) -> None:
    class Chosen(np.random.Generator):
        def uniform(self, low: Any, high: Any, size: Any) -> Any:
            return np.full(size, angle * high)

    square = np.random.default_rng(0).normal(size=(3, 6, 6, 2))
    rotated = RandomRotation(180).change(square, Chosen(np.random.PCG64(0)))
    np.testing.assert_allclose(rotated, np.rot90(square, turns, axes=(1, 2)), atol=1e-12)


@settings(max_examples=30)
@given(data=st.data(), fill=st.sampled_from([5.0, "edge", "reflect"]))
def test_a_rotation_interpolates_where_each_pixel_came_from(data: st.DataObject, fill: Any) -> None:
    height, width = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    images = generator(data.draw).normal(size=(2, height, width, 1))
    degrees = data.draw(st.sampled_from([5.0, 30.0, 170.0]))
    rotated = RandomRotation(degrees, fill=fill, seed=3)(images)
    angles = np.radians(np.random.default_rng(3).uniform(-degrees, degrees, 2))
    many = 10  # pixels around, more than any is moved
    options: dict[str, Any] = {"constant_values": fill} if fill == 5.0 else {}
    mode: Any = "constant" if fill == 5.0 else fill
    padded = np.pad(images, ((0, 0), (many, many), (many, many), (0, 0)), mode, **options)
    for image, angle, changed in zip(padded[..., 0], angles, rotated[..., 0], strict=True):
        for i in range(height):
            for j in range(width):
                y, x = i - (height - 1) / 2, j - (width - 1) / 2
                row = np.cos(angle) * y + np.sin(angle) * x + (height - 1) / 2 + many
                column = np.cos(angle) * x - np.sin(angle) * y + (width - 1) / 2 + many
                k, m = int(row), int(column)
                weights = np.outer([k + 1 - row, row - k], [m + 1 - column, column - m])
                expected = (weights * image[k : k + 2, m : m + 2]).sum()
                assert changed[i, j] == pytest.approx(expected, abs=1e-9)


def test_images_of_integers_are_rounded_and_stay_in_their_range() -> None:
    narrow = RandomRotation(30, seed=0)(BYTES)
    wide = RandomRotation(30, seed=0)(BYTES.astype(np.float64))
    np.testing.assert_allclose(narrow, np.rint(wide), atol=1)
    white = np.full((4, 8, 8, 1), 255, np.uint8)
    np.testing.assert_array_equal(RandomRotation(30, fill=255)(white), 255)


def test_erasing_covers_one_rectangle_of_the_share_that_was_asked_for() -> None:
    images = np.ones((300, 20, 30, 2))
    erased = RandomErasing((0.1, 0.3), fill=-1.0, seed=0)(images)
    covered = erased == -1
    assert (covered == covered[..., :1]).all()
    shares, ratios = [], []
    for mask in covered[..., 0]:
        if mask.any():
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
            assert mask.sum() == len(rows) * len(columns)
            shares.append(mask.mean())
            ratios.append(len(rows) / len(columns))
    assert 110 < len(shares) < 190  # one half, within four standard deviations of 8.7
    assert 0.07 < min(shares) < 0.13
    assert 0.25 < max(shares) < 0.33
    assert min(ratios) < 0.5
    assert max(ratios) > 2


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.95, 1.0])
@pytest.mark.parametrize("shape", [(20, 30), (4, 90), (50, 3), (1, 1)])
def test_erasing_covers_the_share_in_images_of_any_shape(
    shape: tuple[int, int], share: float
) -> None:
    transform = RandomErasing((share, share), probability=1.0, seed=0)
    covered = (transform(np.ones((100, *shape, 1))) == 0).sum(axis=(1, 2, 3))
    expected = max(1, share * np.prod(shape))
    assert (np.abs(covered - expected) <= max(shape) / 2).all()
    assert covered.min() >= 1
    if share == 1:
        assert (covered == np.prod(shape)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_images_keep_their_dtype_and_are_never_written_to(dtype: Any) -> None:
    images = BYTES.astype(dtype)
    given_images = images.copy()
    for transform in every():
        for training in (True, False):
            changed = transform(given_images, training)
            assert changed.dtype == dtype, transform
            assert not np.shares_memory(changed, given_images), transform
            np.testing.assert_array_equal(given_images, images)


def test_the_package_lists_every_change() -> None:
    used = [Augmentation, *map(type, every())]
    ours = {cls.__name__ for cls in used if cls is not Brightness}
    assert set(framework.augmentation.__all__) == ours


def test_one_image_one_pixel_and_none_will_do() -> None:
    for transform in [*every()[:4], *every()[6:]]:
        for shape in ((1, 1, 1, 1), (0, 5, 5, 3), (2, 1, 8, 1)):
            assert transform(np.ones(shape)).shape == shape


def test_in_validation_images_are_left_as_they_are() -> None:
    state = rng.rng_state()["ours"]
    for transform in (*every()[:4], *every()[6:10]):
        np.testing.assert_array_equal(transform(BYTES, training=False), BYTES)
    assert rng.rng_state()["ours"] == state


# Random numbers


@pytest.mark.parametrize("position", range(len(every())))
def test_a_seed_makes_it_repeatable_and_leaves_the_generators_alone(position: int) -> None:
    framework.seed(0)
    state = rng.rng_state()
    one, other, again = every(5)[position], every(6)[position], every(5)[position]
    first, second = one(BYTES), one(BYTES)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, other(BYTES))
    np.testing.assert_array_equal(again(BYTES), first)
    for copied in (
        (copy.deepcopy(again), pickle.loads(pickle.dumps(again))) if position < 10 else ()
    ):
        np.testing.assert_array_equal(copied(BYTES), second)
    assert rng.rng_state()["ours"] == state["ours"]


@pytest.mark.parametrize("position", range(len(every())))
def test_without_a_seed_the_generator_of_the_framework_is_drawn_from(position: int) -> None:
    transform = every()[position]
    framework.seed(3)
    first = transform(BYTES)
    assert not np.array_equal(transform(BYTES), first)
    framework.seed(3)
    np.testing.assert_array_equal(transform(BYTES), first)


@pytest.mark.parametrize("position", range(len(every())))
def test_in_a_block_with_another_generator_that_is_drawn_from(position: int) -> None:
    seeded, plain = every(5)[position], every()[position]
    expected = every(5)[position](BYTES)
    with rng.use_generator(np.random.default_rng(9)):
        found = seeded(BYTES)
    with rng.use_generator(np.random.default_rng(9)):
        np.testing.assert_array_equal(found, plain(BYTES))
    np.testing.assert_array_equal(seeded(BYTES), expected)


def test_compose_applies_one_after_the_other_and_tells_them_the_mode() -> None:
    told = []

    def halved(images: Array) -> Array:
        return images / 2

    def marked(images: Array, training: bool) -> Array:
        told.append(training)
        return images + 1

    transform = Compose([halved, RandomFlip(), marked], seed=0)
    flip = RandomFlip(seed=0)
    np.testing.assert_array_equal(transform(BYTES), flip(BYTES / 2) + 1)
    np.testing.assert_array_equal(transform(BYTES, training=False), BYTES / 2 + 1)
    assert told == [True, False]
    np.testing.assert_array_equal(Compose([])(BYTES), BYTES)
    assert not np.shares_memory(Compose([])(BYTES), BYTES)


def test_a_repr_is_the_call_that_makes_it() -> None:
    for text in (
        "RandomShift((1, 2), fill='edge', seed=3)",
        "RandomCrop(24, padding=4)",
        "Compose([RandomFlip(vertical=True), RandomRotation(10.0)], seed=1)",
        "RandomErasing((0.1, 0.2), probability=1.0)".replace("(0.1, 0.2)", "share=(0.1, 0.2)"),
    ):
        assert repr(eval(text, vars(framework.augmentation))) == text


# What is refused


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (5, 28, 28),
            "RandomFlip() expects images of shape (samples, height, width, channels), received "
            "(5, 28, 28): there is no axis for channels; images[..., np.newaxis] adds one",
        ),
        (
            (5, 784),
            "RandomFlip() expects images of shape (samples, height, width, channels), received "
            "(5, 784)",
        ),
        ((5, 0, 28, 1), "RandomFlip() received images without a pixel: (5, 0, 28, 1)"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(shape: tuple[int, ...], message: str) -> None:
    for training in (True, False):
        with pytest.raises(ValueError) as raised:
            RandomFlip()(np.ones(shape), training)
        assert str(raised.value) == message


def test_images_with_channels_first_are_pointed_out() -> None:
    with pytest.warns(UserWarning, match=r"RandomFlip\(\) .* are these channels first\?"):
        RandomFlip()(np.ones((5, 3, 32, 32)))


def test_low_images_of_many_channels_are_images() -> None:
    images = np.ones((10, 4, 1000, 8))
    assert RandomShift(1)(images).shape == images.shape


@pytest.mark.parametrize(
    ("transform", "dtype", "message"),
    [
        (RandomCrop(8), np.uint8, "RandomCrop(8) cannot cut 8 × 8 pixels out of images of 7 × 9"),
        (
            RandomShift(1, fill=-1),
            np.uint8,
            "RandomShift(1, fill=-1.0): images of uint8 have no -1 to fill with",
        ),
        (
            RandomErasing(fill=0.5),
            np.uint8,
            "RandomErasing(fill=0.5): images of uint8 have no 0.5 to fill with",
        ),
        (
            RandomRotation(5, fill=2),
            bool,
            "RandomRotation(5.0, fill=2.0): images of bool have no 2 to fill with",
        ),
        (
            RandomErasing(fill=1e6),
            np.float16,
            "RandomErasing(fill=1000000.0): images of float16 have no 1e+06 to fill with",
        ),
    ],
)
def test_images_that_do_not_fit_are_refused(
    transform: Augmentation, dtype: Any, message: str
) -> None:
    with pytest.raises(ValueError) as raised:
        transform(BYTES.astype(dtype))
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomShift(-1), ValueError, "pixels must be at least 0, received -1"),
        (lambda: RandomShift(1.5), TypeError, "pixels must be a whole number"),  # type: ignore[arg-type]
        (lambda: RandomShift(1, fill="white"), ValueError, "fill must be a number, 'edge' or"),
        (lambda: RandomCrop(0), ValueError, "size must be at least 1, received 0"),
        (lambda: RandomFlip(horizontal=False), ValueError, "needs horizontal=True, vertical=True"),
        (lambda: RandomRotation(0), ValueError, "degrees must be greater than 0 and at most 180"),
        (lambda: RandomErasing((0.5, 0.1)), ValueError, "share must be two numbers above 0"),
        (lambda: RandomErasing(0.5), TypeError, "share must be two numbers .* received 0.5"),  # type: ignore[arg-type]
        (lambda: RandomErasing((0.1, 0.2, 0.3)), ValueError, "share must be two numbers above 0"),  # type: ignore[arg-type]
        (lambda: Compose(RandomFlip()), TypeError, r"must be a list of them, .* RandomFlip\(\)"),  # type: ignore[arg-type]
        (lambda: RandomErasing(probability=2), ValueError, "probability must be above 0 and at"),
        (lambda: RandomFlip(seed=-1), ValueError, "seed must be at least 0, received -1"),
        (lambda: Compose([RandomFlip]), TypeError, "a transform must be a function of a batch"),
        (lambda: Compose(["flip"]), TypeError, "a transform must be a function of a batch"),  # type: ignore[list-item]
    ],
)
def test_impossible_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_picture_of_changes_leaves_their_generator_alone() -> None:
    transform = RandomShift(2, seed=4)
    plots.augmented(BYTES, transform, rows=2, variations=2)
    np.testing.assert_array_equal(transform(BYTES), RandomShift(2, seed=4)(BYTES))
