import re

import pytest

from datasets import class_names
from datasets.published import ALL, CIFAR10, MNIST, Published, published


def test_class_names_are_those_of_the_publishers() -> None:
    assert class_names("mnist") == [str(digit) for digit in range(10)]
    assert class_names("fashion_mnist")[9] == "Ankle boot"
    assert class_names("cifar10") == (
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    )


def test_a_name_may_have_a_hyphen_as_on_the_command_line() -> None:
    assert class_names("fashion-mnist") == class_names("fashion_mnist")


@pytest.mark.parametrize("name", [["a"], None, 3])
def test_a_name_that_is_no_string_is_a_type_error(name: object) -> None:
    with pytest.raises(TypeError, match="the name of a data set must be a string, received"):
        class_names(name)  # type: ignore[arg-type]


def test_the_list_of_names_is_the_callers_own() -> None:
    class_names("mnist").clear()
    assert len(class_names("mnist")) == 10


def test_an_unknown_data_set_is_refused_with_the_known_ones() -> None:
    for function in (class_names, published):
        with pytest.raises(ValueError, match="no data set 'cifar100'; known are mnist, fashion_m"):
            function("cifar100")


@pytest.mark.parametrize("data", ALL.values(), ids=lambda data: data.name)
def test_every_file_has_a_checksum_and_two_mirrors_over_https(data: Published) -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in data.files.values())
    assert all(file.size > 0 for file in data.files.values())
    assert len(set(data.files.values())) == len(data.files)
    assert len(data.mirrors) == 2
    assert all(re.fullmatch(r"https://\S+/", mirror) for mirror in data.mirrors)
    assert len(data.classes) == 10


def test_the_complete_file_is_preferred_to_a_sample_and_gzip_is_optional() -> None:
    assert MNIST.accepted("t10k-labels-idx1-ubyte.gz") == [
        "t10k-labels-idx1-ubyte.gz",
        "t10k-labels-idx1-ubyte",
    ]
    assert CIFAR10.accepted("cifar-10-binary.tar.gz") == [
        "cifar-10-binary.tar.gz",
        "cifar-10-binary.tar",
        "cifar-10-binary-sample.tar.gz",
        "cifar-10-binary-sample.tar",
    ]
