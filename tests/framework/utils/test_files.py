"""Files appear complete or not at all."""

import os
import resource
import stat
from pathlib import Path

import pytest

from framework.utils.files import check_target, give_second_name, remove_leftovers, write_atomically


def test_the_content_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "model", b"old")
    write_atomically(str(tmp_path / "model"), b"new")
    assert (tmp_path / "model").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["model"]


def test_the_file_can_be_read_by_whom_a_new_file_can(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "model", b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "model")]
    assert modes[0] == modes[1]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "model")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "model").read_bytes() == b"new"


def test_what_cannot_be_written_to_the_end_leaves_the_old_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "model", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_atomically(tmp_path / "model", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "model").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_place_where_no_file_can_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"the folder {tmp_path}/nowhere does not exist"):
        check_target(tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match=f"{tmp_path} is a folder"):
        write_atomically(tmp_path, b"")
    if os.geteuid() != 0:  # who can write everywhere
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match="cannot be written to"):
            check_target(tmp_path / "model")


@pytest.mark.parametrize("links", [True, False])
def test_a_file_gets_a_second_name_that_outlives_the_first(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: Path) -> None:
        raise PermissionError("this file system has no links")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "first").write_bytes(b"old")
    (tmp_path / "second").write_bytes(b"another")
    for _ in range(2):  # the second time, they are the same already
        give_second_name(tmp_path / "first", tmp_path / "second")
        assert sorted(os.listdir(tmp_path)) == ["first", "second"]
    write_atomically(tmp_path / "first", b"new")
    assert (tmp_path / "second").read_bytes() == b"old"
    with pytest.raises(FileNotFoundError):
        give_second_name(tmp_path / "nothing", tmp_path / "second")
    assert sorted(os.listdir(tmp_path)) == ["first", "second"]


def test_leftovers_of_a_file_are_removed_and_nothing_else(tmp_path: Path) -> None:
    left = ".model.0123456789abcdef"
    others = [".models.0123456789abcdef", ".model.0123456789abcdeg", ".model", "model"]
    for name in [left, *others]:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "model")
    assert sorted(os.listdir(tmp_path)) == sorted(others)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_the_new_file_can_be_read_by_whom_the_old_one_could(mode: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(mode)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_what_is_no_ordinary_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="is no ordinary file"):
        write_atomically(tmp_path / "pipe", b"content")
    with pytest.raises(FileExistsError, match="is no ordinary file"):
        check_target(os.devnull)
    assert (tmp_path / "pipe").is_fifo()


def test_a_name_that_has_no_room_for_a_file_beside_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="with the characters added for the temporary file"):
        write_atomically(tmp_path / ("a" * 240), b"content")
    write_atomically(tmp_path / ("a" * 237), b"content")
    assert len(os.listdir(tmp_path)) == 1
