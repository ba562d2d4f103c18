"""The downloader against a server on this machine that behaves as servers do."""

import contextlib
import gzip
import hashlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from datasets import DataError, DownloadError, fetching, remove
from datasets.fetching import cache_folder, fetch_again, locate
from datasets.published import ALL, MNIST, Published, PublishedFile
from tests.datasets.files import write

CONTENTS = {
    "images.gz": bytes(range(256)) * 2000,
    "labels.gz": gzip.compress(b"0123456789", mtime=0),
}
PATIENCE = 20  # seconds after which a test that waits for another thread gives up


class Server(ThreadingHTTPServer):
    """Serves ``CONTENTS`` under folders named after the way in which each is served."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.sent = 0
        self.half_sent = threading.Event()
        self.may_go_on = threading.Event()
        self.both_are_here = threading.Barrier(2, timeout=PATIENCE)

    def mirror(self, manner: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{manner}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        _, manner, name = self.path.split("/")
        # A client that gives up hangs up.
        with contextlib.suppress(ConnectionError):
            getattr(self, manner)(CONTENTS[name])

    def log_message(self, format: str, *args: object) -> None:
        pass

    def good(self, data: bytes) -> None:
        self.start(len(data))
        self.wfile.write(data)

    def wrong(self, data: bytes) -> None:
        self.good(b"<!DOCTYPE html><title>Moved</title>")

    def unpacked_on_arrival(self, data: bytes) -> None:
        # As some servers send a file whose name ends with .gz.
        accepted = self.headers["Accept-Encoding"]
        self.send_response(200)
        if "gzip" in accepted:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def missing(self, data: bytes) -> None:
        self.send_error(503)

    def truncated(self, data: bytes) -> None:
        self.start(len(data))
        self.wfile.write(data[: len(data) // 2])

    def truncated_in_silence(self, data: bytes) -> None:
        self.start(None)
        self.wfile.write(data[: len(data) // 2])

    def endless(self, data: bytes) -> None:
        self.start(None)
        while True:  # until the client hangs up
            self.wfile.write(data)
            self.server.sent += len(data)

    def endless_zeros(self, data: bytes) -> None:
        # A megabyte of zeros in each kilobyte, which a client unpacks on arrival.
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        packed = gzip.compress(bytes(1_000_000))
        while True:
            self.wfile.write(packed)
            self.server.sent += len(packed)

    def one_byte_more(self, data: bytes) -> None:
        self.good(data + b"0")

    def slow(self, data: bytes) -> None:
        self.start(len(data))
        for start in range(0, len(data), 100_000):
            self.wfile.write(data[start : start + 100_000])
            threading.Event().wait(0.02)

    def stalled(self, data: bytes) -> None:
        self.start(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.server.half_sent.set()
        self.server.may_go_on.wait(PATIENCE)
        self.wfile.write(data[len(data) // 2 :])

    def together(self, data: bytes) -> None:
        self.start(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.server.both_are_here.wait()
        self.wfile.write(data[len(data) // 2 :])

    def start(self, length: int | None) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DINPUTS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fetching, "TIMEOUT", 0.5)
    return tmp_path / "cache" / "dinputs" / "tiny"


def tiny(*mirrors: str, files: tuple[str, ...] = ("images.gz",)) -> Published:
    published = {
        name: PublishedFile(len(CONTENTS[name]), hashlib.sha256(CONTENTS[name]).hexdigest())
        for name in files
    }
    return Published("tiny", "tiny", published, mirrors, ("a", "b"))


def contents_of(folder: Path) -> dict[str, bytes]:
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def test_files_are_downloaded_into_the_cache_and_found_there_again(
    server: Server, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny(server.mirror("good"), files=("images.gz", "labels.gz"))
    paths = locate(data)
    assert paths == [cache / "images.gz", cache / "labels.gz"]
    assert contents_of(cache) == CONTENTS
    assert "100%" in capsys.readouterr().err, "a progress bar"
    assert locate(data) == paths
    assert server.requests == ["/good/images.gz", "/good/labels.gz"]


@pytest.mark.parametrize(
    "manner", ["wrong", "missing", "truncated", "truncated_in_silence", "stalled"]
)
def test_a_mirror_that_fails_is_followed_by_the_next(
    manner: str, server: Server, cache: Path
) -> None:
    data = tiny(server.mirror(manner), server.mirror("good"))
    assert locate(data) == [cache / "images.gz"]
    assert contents_of(cache) == {"images.gz": CONTENTS["images.gz"]}
    assert server.requests == [f"/{manner}/images.gz", "/good/images.gz"]


def test_a_gzipped_file_arrives_as_it_is_from_servers_that_call_it_compressed(
    server: Server, cache: Path
) -> None:
    locate(tiny(server.mirror("unpacked_on_arrival"), files=("labels.gz",)))
    assert contents_of(cache) == {"labels.gz": CONTENTS["labels.gz"]}


def test_a_variable_that_names_no_folder_is_an_error_and_fetches_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DINPUTS_DATA", str(tmp_path / "mistyped"))
    with pytest.raises(FileNotFoundError, match="DINPUTS_DATA names '.*mistyped', which is no f"):
        locate(tiny(server.mirror("good")))
    assert server.requests == []


def test_a_failed_download_says_where_the_variable_made_it_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DINPUTS_DATA", str(tmp_path))
    with pytest.raises(DownloadError) as raised:
        locate(tiny("http://127.0.0.1:9/"))
    assert f"DINPUTS_DATA is set, but {tmp_path / 'tiny'} has none" in str(raised.value)


def test_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    data = tiny("http://127.0.0.1:9/")
    folder = write(tmp_path / "data" / "tiny", {"images.gz": b"here"})
    assert locate(data, "~/data") == [folder / "images.gz"]
    monkeypatch.setenv("DINPUTS_DATA", "~/data")
    assert locate(data) == [folder / "images.gz"]


def test_a_server_that_is_slow_but_steady_is_waited_for(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny(server.mirror("slow"), server.mirror("good"))
    locate(data)
    assert server.requests == ["/slow/images.gz"]
    assert contents_of(cache) == {"images.gz": CONTENTS["images.gz"]}


@pytest.mark.parametrize("manner", ["wrong", "truncated_in_silence"])
def test_without_any_good_mirror_the_error_names_each_and_nothing_is_left(
    manner: str, server: Server, cache: Path
) -> None:
    data = tiny(server.mirror(manner), server.mirror("missing"))
    with pytest.raises(DownloadError) as raised:
        locate(data)
    message = str(raised.value)
    assert f"{server.mirror(manner)}images.gz: SHA256 hash" in message
    assert f"{server.mirror('missing')}images.gz: 503 Server Error" in message
    assert contents_of(cache) == {}


def test_without_a_network_the_error_says_where_to_put_the_files(cache: Path) -> None:
    # Port 9 of this machine is the discard service, which nobody runs.
    data = tiny("http://127.0.0.1:9/", files=("images.gz", "labels.gz"))
    with pytest.raises(DownloadError) as raised:
        locate(data)
    message = str(raised.value)
    assert "put images.gz, labels.gz into a folder and give that as directory=" in message
    assert "into the folder tiny of the folder that the environment variable DINPUTS_D" in message
    assert str(cache) in message


def test_a_cached_file_that_was_damaged_since_is_fetched_again(server: Server, cache: Path) -> None:
    data = tiny(server.mirror("good"))
    write(cache, {"images.gz": b"damaged"})
    locate(data)
    assert contents_of(cache) == {"images.gz": CONTENTS["images.gz"]}


CHILD = """
import json, signal, sys
# An interrupt must arrive also where the tests run in the background, which ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from datasets.fetching import locate
from datasets.published import Published, PublishedFile
data = json.loads(sys.argv[1])
data["files"] = {name: PublishedFile(*file) for name, file in data["files"].items()}
print(locate(Published(**data))[0])
"""


def in_another_process(data: Published) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(asdict(data))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_at_once_do_not_disturb_each_other(server: Server, cache: Path) -> None:
    data = tiny(server.mirror("together"))
    first, second = in_another_process(data), in_another_process(data)
    for process in (first, second):
        printed, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        assert printed.strip() == str(cache / "images.gz")
    assert server.requests == ["/together/images.gz"] * 2, "both were downloading"
    assert contents_of(cache) == {"images.gz": CONTENTS["images.gz"]}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_download_that_is_interrupted_leaves_no_broken_file(
    how: signal.Signals, server: Server, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = in_another_process(tiny(server.mirror("stalled")))
    assert server.half_sent.wait(PATIENCE)
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "images.gz" not in contents_of(cache)
    if how == signal.SIGINT:
        assert list(cache.iterdir()) == []

    assert locate(tiny(server.mirror("good"))) == [cache / "images.gz"]
    assert contents_of(cache)["images.gz"] == CONTENTS["images.gz"]


@pytest.mark.parametrize("manner", ["endless", "endless_zeros", "one_byte_more"])
def test_a_server_that_sends_too_much_is_hung_up_on(
    manner: str, server: Server, cache: Path
) -> None:
    with pytest.raises(DownloadError, match="sends more than the 512,000 bytes of the file"):
        locate(tiny(server.mirror(manner)))
    assert contents_of(cache) == {}
    # What a network takes in ahead of the client is a few megabytes.
    assert server.sent < 50_000_000
    assert locate(tiny(server.mirror(manner), server.mirror("good"))) == [cache / "images.gz"]
    assert contents_of(cache) == {"images.gz": CONTENTS["images.gz"]}


def test_remove_deletes_what_was_downloaded_and_says_how_much(
    server: Server,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = tiny(server.mirror("good"))
    monkeypatch.setitem(ALL, "tiny", data)
    locate(data)
    other = write(cache.parent / "other", {"file": b"another data set's"})
    capsys.readouterr()
    assert remove("tiny") == 512_000
    assert capsys.readouterr().out == f"tiny: 0.5 MB freed in {cache}\n"
    assert not cache.exists()
    assert contents_of(other)
    assert remove("tiny") == 0, "there is nothing left to remove"


def test_remove_deletes_what_a_killed_download_left(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny(server.mirror("stalled"))
    monkeypatch.setitem(ALL, "tiny", data)
    process = in_another_process(data)
    assert server.half_sent.wait(PATIENCE)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert list(cache.iterdir())
    remove("tiny")
    assert not cache.exists()


def test_remove_leaves_alone_what_it_did_not_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = ("images.gz", "labels.gz")
    monkeypatch.setitem(ALL, "tiny", tiny("http://127.0.0.1:9/", files=files))
    mine = {"images.gz": b"mine", "notes.txt": b"mine", "tmp0_killed": b"mine", "tmpabcdefgh": b""}
    write(cache, mine)
    write(cache / ".download-", {"a": b"mine, too"})
    write(cache / "tmp-folder", {"a": b"mine, too"})
    elsewhere = write(tmp_path / "elsewhere", CONTENTS)
    (cache / "labels.gz").symlink_to(elsewhere / "labels.gz")
    (cache / ".download-abcdefgh").symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("*"))
    assert remove("tiny") == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_remove_leaves_alone_a_folder_that_the_cache_is_linked_to(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(ALL, "tiny", tiny("http://127.0.0.1:9/"))
    own = write(tmp_path / "own", CONTENTS)
    cache.parent.mkdir(parents=True)
    cache.symlink_to(own)
    assert locate(tiny("http://127.0.0.1:9/")) == [cache / "images.gz"]
    assert remove("tiny") == 0
    assert contents_of(own) == CONTENTS


def test_remove_does_not_mind_if_another_process_is_first(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("images.gz", "labels.gz")
    monkeypatch.setitem(ALL, "tiny", tiny("http://127.0.0.1:9/", files=files))
    write(cache, CONTENTS)
    unlink = Path.unlink

    def too_late(path: Path) -> None:
        unlink(path)
        if path.name == "images.gz":
            unlink(path)

    monkeypatch.setattr(Path, "unlink", too_late)
    assert remove("tiny") == len(CONTENTS["labels.gz"])
    assert not cache.exists()


def test_remove_takes_names_with_a_hyphen(capsys: pytest.CaptureFixture[str]) -> None:
    assert remove("fashion-mnist") == 0
    assert capsys.readouterr().out.startswith("fashion_mnist: 0.0 MB freed")


def test_remove_refuses_a_name_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no data set '../..'"):
        remove("../..")


GIVEN = {"images.gz": b"given", "labels.gz": b"as well"}


@pytest.mark.parametrize("inside", [".", "tiny"])
def test_a_directory_comes_first(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny("http://127.0.0.1:9/", files=("images.gz", "labels.gz"))
    folder = write(tmp_path / "given" / inside, GIVEN)
    write(tmp_path / "root" / "tiny", GIVEN)
    monkeypatch.setenv("DINPUTS_DATA", str(tmp_path / "root"))
    assert locate(data, tmp_path / "given") == [folder / "images.gz", folder / "labels.gz"]
    assert locate(data, str(tmp_path / "given"))[0] == folder / "images.gz"


def test_then_comes_the_environment_variable_and_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, cache: Path
) -> None:
    data = tiny(server.mirror("good"))
    locate(data)
    root = tmp_path / "root"
    write(root / "tiny", {"images": b"not gzipped"})
    monkeypatch.setenv("DINPUTS_DATA", str(root))
    assert locate(data) == [root / "tiny" / "images"]
    (tmp_path / "empty").mkdir()
    for elsewhere in (str(tmp_path / "empty"), ""):
        monkeypatch.setenv("DINPUTS_DATA", elsewhere)
        assert locate(data) == [cache / "images.gz"]
    assert len(server.requests) == 1


def test_a_directory_without_the_files_is_an_error_and_fetches_nothing(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = replace(tiny(server.mirror("good")), samples={"images.gz": "some-images.gz"})
    monkeypatch.setenv("DINPUTS_DATA", str(write(tmp_path / "root" / "tiny", GIVEN).parent))
    with pytest.raises(FileNotFoundError) as raised:
        locate(data, tmp_path)
    assert f"directory={str(tmp_path)!r} has no files of tiny" in str(raised.value)
    assert "images.gz or images or some-images.gz or some-images" in str(raised.value)
    assert server.requests == []


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_place_with_only_some_of_the_files_is_an_error(
    by_variable: bool, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny(server.mirror("good"), files=("images.gz", "labels.gz"))
    folder = write(tmp_path / "tiny", {"labels": b"here"})
    monkeypatch.setenv("DINPUTS_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError) as raised:
        locate(data, None if by_variable else folder)
    assert f"{folder} has some files of tiny, but not images.gz" in str(raised.value)
    assert server.mirror("good") in str(raised.value)
    assert server.requests == []


def test_an_error_about_a_file_says_how_to_fetch_that_again() -> None:
    with (
        pytest.raises(DataError) as raised,
        fetch_again(MNIST, "t10k-labels-idx1-ubyte.gz"),
    ):
        raise DataError("labels: expected something else")
    first, hint = str(raised.value).splitlines()
    assert first == "labels: expected something else"
    assert f"replace it by {MNIST.mirrors[0]}t10k-labels-idx1-ubyte.gz;" in hint


def test_the_cache_is_the_users_own(tmp_path: Path) -> None:
    assert cache_folder(MNIST) == tmp_path / "cache" / "dinputs" / "mnist"
