"""Points: generated, drawn, and read from tables."""

import numpy as np
import pytest

from framework.playground.features import inputs_of
from framework.playground.point_files import LARGEST_FILE, read_points
from framework.playground.points import is_for_testing, split_of
from framework.playground.settings import DataSettings
from framework.playground.sources import SOURCES


@pytest.mark.parametrize("source", SOURCES)
def test_a_generated_set_is_split_and_repeatable(source: str) -> None:
    settings = DataSettings(source, samples=50, noise=0.1, test_percent=20)
    split, again = split_of(settings), split_of(settings)
    total = len(split.train) + len(split.test)
    assert len(split.test) == total * 20 // 100
    np.testing.assert_array_equal(split.train.X, again.train.X)
    assert split.train.has_classes == (source not in ("sine", "plane"))
    assert len(split_of(settings.changed(test_percent=0)).test) == 0
    assert (split_of(settings.changed(noise=0.2)).train.X.shape) == split.train.X.shape


def test_of_points_of_ones_own_every_so_many_th_is_for_testing() -> None:
    assert np.flatnonzero(is_for_testing(12, 20)).tolist() == [4, 9]
    assert not is_for_testing(5, 0).any()


def test_features_are_functions_of_the_coordinates() -> None:
    X = np.array([[2.0, 3.0]])
    names = ("x", "y", "x²", "y²", "xy", "sin x", "sin y")
    np.testing.assert_allclose(inputs_of(X, names), [[2, 3, 4, 9, 6, np.sin(2), np.sin(3)]])
    more = np.ones((1, 3))
    assert inputs_of(more, names) is more


def test_a_table_has_the_class_in_its_last_column() -> None:
    points = read_points("width;height;kind\n1;2;red\n3;4;blue\n\n5;6;red\n".encode("utf-16"))
    np.testing.assert_array_equal(points.X, [[1, 2], [3, 4], [5, 6]])
    assert points.columns == ("width", "height") and points.class_names == ("blue", "red")
    np.testing.assert_array_equal(points.y, [1, 0, 1])


def test_a_table_of_windows_has_decimal_commas() -> None:
    points = read_points("Länge;Preis €;Art\n1,5;1.000,5;größer\n3;4;kleiner\n".encode("cp1252"))
    assert points.columns == ("Länge", "Preis €") and points.class_names == ("größer", "kleiner")
    np.testing.assert_array_equal(points.X, [[1.5, 1000.5], [3, 4]])


def test_numbers_in_the_last_column_are_values_unless_they_are_few_whole_ones() -> None:
    assert read_points(b"1,2,0\n3,4,1\n").class_names == ("0", "1")
    assert read_points(b"1,2,10\n3,4,9\n").class_names == ("9", "10")
    assert read_points(b"sep=;\n1;2;10\n3;4;9\n").class_names == ("9", "10")
    values = read_points(b"1,2,0.5\n3,4,1\n")
    assert values.class_names is None
    np.testing.assert_array_equal(values.y, [[0.5], [1]])
    assert read_points(b"1,2,0\n3,4,1\n", "value").class_names is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the table is empty"),
        (b"a,b,c\n", "heading, but no points"),
        (b"1\n2\n", "line 1 has one column"),
        (b"1,2,a\n3,x,b\n", "line 2 has 'x' in column 2"),
        (b"h,i,j\n1,2,a\n\n3,inf,b\n", "line 4 has 'inf' in column 2"),
        (b"1,2,a\n3,b\n", "line 2 has 2 columns, the first one 3"),
        (b'1,2,"a\n', "a"),
        (b"\n".join(b"1,2,c%d" % i for i in range(200)), "200 different classes, at most 100"),
        (b"1" * (LARGEST_FILE + 1), "up to 20,000,000 bytes"),
        (b"\x80\x04\x95pickle", "line 1 has one column"),
    ],
)
def test_a_table_that_does_not_fit_is_answered_with_its_line_and_column(
    content: bytes, message: str
) -> None:
    if content == b'1,2,"a\n':  # an open quotation mark is read to the end, as csv does
        assert read_points(content).class_names == ("a",)
        return
    with pytest.raises(ValueError, match=message):
        read_points(content)


def test_values_that_are_asked_for_have_to_be_numbers() -> None:
    with pytest.raises(ValueError, match="line 2 has 'red' in column 3, the last one"):
        read_points(b"1,2,5\n3,4,red\n", "value")
