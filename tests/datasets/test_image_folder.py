"""A folder with a folder for each class: which pictures are read, and how."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from datasets import DataError, image_folder
from framework import (
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Model,
    Scale,
    Softmax,
)
from optimizers import Adam
from tests.datasets.picture_files import (
    COLOURED,
    GREY,
    STORED,
    content,
    photograph,
    written,
)
from tests.strategies import Array


def of_colour(path: Path, colour: Any, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Path:
    """Write a picture of one colour; ``size`` is height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new(mode, size[::-1], colour).save(path)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Three cats, one of them in a folder inside, and two dogs."""
    of_colour(tmp_path / "cats" / "tom.png", (10, 20, 30), (20, 30))
    of_colour(tmp_path / "cats" / "anna.png", (40, 50, 60), (6, 4))
    of_colour(tmp_path / "cats" / "kittens" / "felix.png", (70, 80, 90), (100, 100))
    of_colour(tmp_path / "dogs" / "rex.png", (100, 110, 120))
    of_colour(tmp_path / "dogs" / "b.png", (130, 140, 150))
    return tmp_path


def test_images_labels_and_names_are_sorted_by_class_and_file(pets: Path) -> None:
    data = image_folder(pets, (5, 7))
    assert data.images.shape == (5, 5, 7, 3)
    assert data.images.dtype == np.uint8
    assert data.labels.dtype == np.int64
    assert data.class_names == ["cats", "dogs"]
    names = ["anna.png", "kittens/felix.png", "tom.png", "b.png", "rex.png"]
    assert [file.relative_to(pets).as_posix().partition("/")[2] for file in data.files] == names
    np.testing.assert_array_equal(data.labels, [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(data.images[:, 0, 0, 0], [40, 70, 10, 130, 100])
    assert (data.images == data.images[:, :1, :1]).all()
    assert data.validation_data is None
    assert data.validation_files == []
    assert repr(data) == "ImageFolder(5 images of 5×7×3 in 2 classes)"


def test_one_number_is_height_and_width(pets: Path) -> None:
    assert image_folder(str(pets), 6).images.shape == (5, 6, 6, 3)


def test_home_is_known_by_its_sign(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pets))
    monkeypatch.setenv("USERPROFILE", str(pets))
    assert image_folder("~", 2).class_names == ["cats", "dogs"]


@pytest.mark.parametrize(
    ("height", "width"), [(40, 20), (20, 40), (80, 40)], ids=["upright", "broad", "larger"]
)
def test_nothing_is_distorted_and_the_middle_is_kept(
    height: int, width: int, tmp_path: Path
) -> None:
    # A white square in the middle, of half the shorter side, on black.
    shorter = min(height, width)
    pixels = np.zeros((height, width), np.uint8)
    top, left, half = (height - shorter // 2) // 2, (width - shorter // 2) // 2, shorter // 2
    pixels[top : top + half, left : left + half] = 255
    (tmp_path / "squares").mkdir()
    written(tmp_path / "squares" / "a.png", content(pixels, "PNG"))
    (image,) = image_folder(tmp_path, 20).images
    white = image[..., 0] > 127
    np.testing.assert_array_equal(np.flatnonzero(white.any(axis=0)), np.arange(5, 15))
    np.testing.assert_array_equal(np.flatnonzero(white.any(axis=1)), np.arange(5, 15))
    assert white[5:15, 5:15].all()


@pytest.mark.parametrize("orientation", STORED)
def test_photographs_are_turned_as_exif_says(orientation: int, tmp_path: Path) -> None:
    shown = np.kron(np.array([[40, 200, 90], [160, 10, 240]]), np.ones((8, 8))).astype(np.uint8)
    (tmp_path / "a").mkdir()
    photograph(tmp_path / "a" / "a.jpg", shown, orientation, "JPEG")
    (image,) = image_folder(tmp_path, shown.shape).images
    np.testing.assert_allclose(image[..., 0].astype(int), shown, atol=1)


def kinds(folder: Path, *modes: str) -> Path:
    """A class with a picture of each of Pillow's ``modes``, all of the same grey."""
    for mode in modes:
        file = folder / "things" / f"{mode.partition(';')[0]}.png"
        if mode == "I;16":
            file.parent.mkdir(exist_ok=True)
            PIL.Image.fromarray(np.full((8, 8), 200 * 257, np.uint16)).save(file)
        else:
            of_colour(file, {"L": 200, "LA": (200, 255)}.get(mode, (200, 200, 200)), mode=mode)
    return folder


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (["L"], 1),
        (["L", "LA", "I;16"], 1),
        (["RGB"], 3),
        (["L", "RGB"], 3),
        (["RGBA"], 3),
        (["L", "P"], 3),
    ],
)
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_every_kind_of_picture_is_brought_to_the_same_channels(
    modes: list[str], expected: int, channels: int | None, tmp_path: Path
) -> None:
    images = image_folder(kinds(tmp_path, *modes), 4, channels=channels).images
    assert images.shape == (len(modes), 4, 4, channels or expected)
    np.testing.assert_array_equal(images[..., :3], 200)
    if channels == 4:
        np.testing.assert_array_equal(images[..., 3], 255)


def test_colours_become_brightness_in_one_channel(tmp_path: Path) -> None:
    of_colour(tmp_path / "a" / "a.png", (255, 0, 0))
    # ITU-R BT.601: 0.299 of 255.
    np.testing.assert_array_equal(image_folder(tmp_path, 2, channels=1).images, 76)


def test_opacity_is_a_fourth_channel_and_refused_otherwise(pets: Path) -> None:
    path = of_colour(pets / "cats" / "z.png", (200, 100, 50, 102), mode="RGBA")
    for channels in (None, 1, 3):
        with pytest.raises(DataError) as raised:
            image_folder(pets, 4, channels=channels)
        assert str(raised.value) == f"{path} has transparent parts: give it a ground first"
    images = image_folder(pets, 4, channels=4).images
    # Scaled as weighted by its opacity, which rounds: 2.5 steps of a byte at 0.4.
    np.testing.assert_allclose(images[3, 0, 0].astype(int), [200, 100, 50, 102], atol=3)


def test_hidden_files_and_folders_are_left_out(pets: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "cats/.DS_Store", "cats/desktop.ini", "dogs/._rex.png"):
        (pets / name).write_bytes(b"no picture")
    of_colour(pets / ".git" / "a.png", 0, mode="L")
    of_colour(pets / "cats" / ".thumbnails" / "a.png", 0, mode="L")
    of_colour(pets / "__MACOSX" / "a.png", 0, mode="L")
    assert len(image_folder(pets, 4).images) == 5


def test_names_and_formats_need_not_agree(pets: Path) -> None:
    written(pets / "dogs" / "photo", content(COLOURED, "JPEG"))
    written(pets / "dogs" / "x.jpg", content(COLOURED, "BMP"))
    assert len(image_folder(pets, 4).images) == 7


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_linked_pictures_and_classes_are_read(pets: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    (chosen / "some").mkdir(parents=True)
    (chosen / "dogs").symlink_to(pets / "dogs")
    (chosen / "some" / "one.png").symlink_to(pets / "cats" / "tom.png")
    data = image_folder(chosen, 4)
    assert data.class_names == ["dogs", "some"]
    np.testing.assert_array_equal(data.images[:, 0, 0, 0], [130, 100, 10])


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("link", ["loop", "cats/loop"])
def test_links_to_a_folder_around_are_named(link: str, pets: Path) -> None:
    for number in range(3):  # each doubles what is found, at any depth
        (pets / f"{link}{number}").symlink_to((pets / link).parent)
    with pytest.raises(DataError, match=f"{link}0 is a link to .*, which it is in: remove it"):
        image_folder(pets, 4)


# Setting some aside


def many(folder: Path, **counts: int) -> Path:
    """So many pictures of each class, each of another grey."""
    grey = 0
    for name, count in counts.items():
        for position in range(count):
            of_colour(folder / name / f"{position:02}.png", grey, (2, 2), mode="L")
            grey += 1
    return folder


def greys(images: Array) -> list[int]:
    assert (images == images[:, :1, :1]).all()
    return images[:, 0, 0, 0].tolist()


def test_a_share_of_each_class_is_set_aside(tmp_path: Path) -> None:
    data = image_folder(many(tmp_path, a=20, b=10, c=1), 2, validation_split=0.2)
    assert data.validation_data is not None
    images, labels = data.validation_data
    np.testing.assert_array_equal(np.bincount(data.labels), [16, 8, 1])
    np.testing.assert_array_equal(np.bincount(labels), [4, 2])
    assert sorted(greys(data.images) + greys(images)) == list(range(31))
    for files, kept, found in (
        (data.files, data.images, data.labels),
        (data.validation_files, images, labels),
    ):
        greys_of_files = [PIL.Image.open(file).getpixel((0, 0)) for file in files]
        assert greys(kept) == greys_of_files
        assert [data.class_names[label] for label in found] == [f.parent.name for f in files]
    assert repr(data) == "ImageFolder(25 images of 2×2×1 in 3 classes, 6 set aside)"


def test_the_choice_is_random_and_the_same_again(tmp_path: Path) -> None:
    many(tmp_path, a=30, b=30)

    def chosen(seed: int | None) -> list[Path]:
        state = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
        files = image_folder(tmp_path, 2, validation_split=0.5, seed=seed).validation_files
        np.testing.assert_array_equal(np.random.get_state()[1], state)  # type: ignore[index]
        return files

    assert chosen(None) == chosen(None)
    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    positions = [int(file.stem) for file in chosen(3)]
    assert positions[:15] != list(range(15))
    assert positions[:15] != positions[15:]


def test_no_class_is_set_aside_whole(tmp_path: Path) -> None:
    data = image_folder(many(tmp_path, a=1, b=2, c=10), 2, validation_split=0.95)
    np.testing.assert_array_equal(np.bincount(data.labels), [1, 1, 1])


def test_a_split_that_sets_none_aside_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"validation_split=0.1 of 4 pictures in 2 classes sets"):
        image_folder(many(tmp_path, a=2, b=2), 2, validation_split=0.1)


# What is refused


def test_a_file_that_is_no_picture_is_named_before_any_is_decoded(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pets / "dogs" / "z.png"
    path.write_text("no picture")
    monkeypatch.delattr("PIL.ImageFile.ImageFile.load")
    for channels in (None, 3):
        with pytest.raises(DataError) as raised:
            image_folder(pets, 4, channels=channels)
        assert str(raised.value).startswith(
            f"{path}: it is damaged, or no image in a known format (PNG, JPEG, "
        )


def test_a_damaged_picture_is_named(pets: Path) -> None:
    path = written(pets / "dogs" / "z.png", content(COLOURED, "PNG")[:-30])
    with pytest.raises(DataError, match="it is damaged") as raised:
        image_folder(pets, 4)
    assert str(raised.value).startswith(f"{path}: ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here: nothing to refuse")
def test_a_pipe_is_named_and_not_waited_for(pets: Path) -> None:
    os.mkfifo(pets / "pipe")  # beside the classes, where other files are left alone
    assert len(image_folder(pets, 4).class_names) == 2
    os.mkfifo(pets / "dogs" / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png: expected a file, found a pipe"):
        image_folder(pets, 4)


def test_a_class_without_pictures_is_named(pets: Path) -> None:
    (pets / "birds").mkdir()
    (pets / "birds" / ".DS_Store").touch()
    with pytest.raises(DataError) as raised:
        image_folder(pets, 4)
    assert str(raised.value) == f"{pets / 'birds'}: expected pictures of this class, found none"


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DataError) as raised:
        image_folder(tmp_path, 4)
    assert str(raised.value) == f"{tmp_path}: expected a folder for each class, found none"


def test_a_picture_in_no_class_is_named_and_other_files_beside_are_left_alone(pets: Path) -> None:
    (pets / "LICENSE.txt").write_text("free")
    assert len(image_folder(pets, 4).images) == 5
    path = written(pets / "a.png", content(GREY, "PNG"))
    with pytest.raises(DataError) as raised:
        image_folder(pets, 4)
    assert str(raised.value) == (
        f"{path}: expected pictures in a folder for each class, found this one in none"
    )


def test_a_folder_that_is_not_there_is_named(pets: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        image_folder(pets / "nowhere", 4)
    with pytest.raises(NotADirectoryError, match="rex"):
        image_folder(pets / "dogs" / "rex.png", 4)


@pytest.mark.parametrize(
    ("size", "options", "error", "message"),
    [
        (0, {}, ValueError, "size must be at least 1, received 0"),
        (2.5, {}, TypeError, "size must be a whole number, received 2.5"),
        ((4, 4, 3), {}, ValueError, r"size must be a whole number or \(height, width\)"),
        (4, {"channels": True}, TypeError, "channels must be a whole number, received True"),
        (4, {"channels": 3.0}, TypeError, "channels must be a whole number, received 3.0"),
        (4, {"channels": 2}, ValueError, "channels must be 1, 3 or 4, or None, received 2"),
        (4, {"validation_split": 1}, ValueError, "validation_split must be at least 0 and less"),
        (4, {"validation_split": 0.5, "seed": -1}, ValueError, "seed must be at least 0"),
        (4, {"seed": 0.5}, TypeError, "seed must be a whole number, received 0.5"),
    ],
)
def test_impossible_arguments_are_refused(
    size: Any, options: dict[str, Any], error: type[Exception], message: str, pets: Path
) -> None:
    with pytest.raises(error, match=message):
        image_folder(pets, size, **options)


def test_the_result_goes_into_a_training(pets: Path, tmp_path: Path) -> None:
    data = image_folder(pets, 6, validation_split=0.4)
    layers = [Scale(1 / 255), Conv2D(3, 4, 3), GlobalAveragePooling2D(), Dense(4, 2), Softmax()]
    model = Model(layers)
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    history = model.train(
        data.images, data.labels, validation_data=data.validation_data, progress=False
    )
    assert len(history.val_loss) == 1
    model.save(tmp_path / "pets.safetensors", class_names=data.class_names)
