"""The page in a real browser. Needs playwright and Chromium, and is skipped without them."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.framework.playground.programs import TOP, printed_by

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: no browser")
pytest.importorskip("nicegui", reason="nicegui is missing: there is no page")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: no browser")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
SIZES = [(1440, 900), (1024, 768), (390, 844)]


def started(script: list[str], folder: Path) -> tuple[Any, str]:
    """Start a program, and return it with the address that it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    environment |= {"PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": "1", "BROWSER": "true"}
    process = subprocess.Popen(
        [sys.executable, *script], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    match = re.search(r"http://([\d.]+):(\d+)\S*", process.stdout.readline())
    assert match is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as found:
            if found.connect_ex((match[1], int(match[2]))) == 0:
                return process, match[0]
        time.sleep(0.1)
    raise AssertionError("the page did not start")


def ended(process: Any) -> None:
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    arguments = ["-m", "framework", "playground", "--no-browser", "--no-accelerated"]
    process, found = started([*arguments, "--port", "8900"], tmp_path_factory.mktemp("page"))
    yield found
    ended(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Page:
    """A window, which notes errors of the console and what it asks for."""

    def __init__(self, browser: Any, address: str, size: tuple[int, int] = SIZES[0]) -> None:
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.problems: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.on("websocket", lambda socket: self.asked.add(socket.url))
        self.page.goto(address)
        self.label("play").wait_for()
        self.page.locator("#background[href]").wait_for(state="attached")

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def label(self, text: str) -> Any:
        return self.page.get_by_label(text, exact=True).first

    def choose(self, label: str, option: str) -> None:
        self.label(label).click()
        options = self.page.get_by_role("listbox")
        options.get_by_text(option, exact=True).click()
        options.wait_for(state="detached")

    def epoch(self) -> int:
        return int(self.page.locator(".epoch").inner_text().replace(",", ""))

    def wait_for_epoch(self, epoch: int) -> None:
        self.page.wait_for_function(
            "n => +document.querySelector('.epoch').textContent.replace(',', '') >= n",
            arg=epoch,
            timeout=60_000,
        )

    def wait_for_figures(self, epoch: int) -> None:
        self.page.locator(".figures", has_text=f"epoch {epoch} ").wait_for()

    def figures(self) -> str:
        return str(self.page.locator(".figures").inner_text().replace("\n", " · "))

    def message(self) -> str:
        self.page.locator(".message").wait_for()
        return str(self.page.locator(".message").inner_text())

    def number(self, label: str, value: str) -> None:
        field = self.label(label)
        field.fill(value)
        field.press("Tab")

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    found = Page(browser, address)
    yield found
    found.close()
    assert found.problems == []
    hosts = {re.match(r"\w+://([^/:]+)", url) for url in found.asked if not url.startswith("data")}
    assert {match[1] for match in hosts if match} == {"127.0.0.1"}


def test_three_arms_of_a_spiral_are_learned_by_clicks_alone(page: Page) -> None:
    for _ in range(6):
        page.label("more neurons in layer 1").click()
        page.label("more neurons in layer 2").click()
    page.page.locator(".size", has_text="14").nth(1).wait_for()
    page.choose("speed", "full speed")
    page.label("play").click()
    page.page.wait_for_function(
        "() => +(document.querySelector('.figures').textContent.match(/accuracy ([0-9.]+)/)?.[1])"
        " >= 0.9",
        timeout=90_000,
    )
    page.label("pause").click()


def test_going_back_and_on_again_gives_the_same_numbers(page: Page) -> None:
    for _ in range(6):
        page.label("train one epoch").click()
    page.wait_for_epoch(6)
    page.page.wait_for_function(
        "() => /epoch 6 /.test(document.querySelector('.figures').textContent)"
    )
    before = page.figures()
    slider = page.page.locator(".timeline [tabindex='0']")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    page.page.get_by_text("epoch 3", exact=True).wait_for()
    assert page.epoch() == 3
    for _ in range(3):
        page.label("train one epoch").click()
    page.page.wait_for_function(
        "() => /epoch 6 /.test(document.querySelector('.figures').textContent)"
    )
    assert page.figures() == before
    assert page.page.locator("#loss-old0").get_attribute("points")


def test_the_script_that_is_taken_along_prints_the_figures_of_the_page(
    page: Page, tmp_path: Path
) -> None:
    page.choose("set", "moons")
    page.number("learning rate", "0.05")
    for _ in range(4):
        page.label("train one epoch").click()
    page.page.wait_for_function(
        "() => /epoch 4 /.test(document.querySelector('.figures').textContent)"
    )
    page.page.get_by_text("take along").click()
    with page.page.expect_download() as download:
        page.page.get_by_text("Python script").click()
    download.value.save_as(tmp_path / "experiment.py")
    assert printed_by("experiment.py", tmp_path).replace("  ", " · ") == page.figures()


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("model (safetensors)", "model.safetensors"), ("points (CSV)", "points.csv"),
        ("picture (PNG)", "picture.png"), ("picture (SVG)", "picture.svg"),
        ("video of the training (GIF)", "training.gif"),
    ],
)  # fmt: skip
def test_files_are_taken_along(page: Page, item: str, name: str) -> None:
    page.label("train one epoch").click()
    page.wait_for_epoch(1)
    page.page.get_by_text("take along").click()
    with page.page.expect_download(timeout=60_000) as download:
        page.page.get_by_text(item, exact=True).click()
    assert download.value.suggested_filename == name
    assert Path(download.value.path()).stat().st_size > 500


def test_a_table_of_ones_own_is_read_and_one_that_does_not_fit_is_answered(page: Page) -> None:
    page.page.get_by_text("a table of your own (CSV)").click()
    chooser = page.page.locator("input[type=file]")
    rows = [f"{i % 9},{i % 7},{i % 5},{'red' if i % 2 else 'blue'}" for i in range(60)]
    content = "\n".join(["a,b,c,kind", *rows]).encode()
    chooser.set_input_files([{"name": "own.csv", "mimeType": "text/csv", "buffer": content}])
    page.page.get_by_text(
        "own.csv: 60 points, 3 columns, the last one taken for 2 classes"
    ).wait_for()
    page.choose("across", "c")
    broken = b"1,2,red\n3,x,blue\n"
    chooser.set_input_files([{"name": "bad.csv", "mimeType": "text/csv", "buffer": broken}])
    page.page.get_by_text("line 2 has 'x' in column 2, which is no number").wait_for()
    page.label("train one epoch").click()
    page.wait_for_epoch(1)


def drag(page: Page, places: list[tuple[float, float]]) -> None:
    box = page.page.locator(".map svg").bounding_box()
    x, y = places[0]
    page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.page.mouse.down()
    for x, y in places[1:]:
        page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.page.mouse.up()


def test_points_are_drawn_and_erased(page: Page) -> None:
    count = lambda: page.page.locator(".map [data-part^=point]").count()  # noqa: E731
    page.label("remove all points").click()
    page.page.wait_for_function("() => !document.querySelector('.map [data-part^=point]')")
    page.label("draw class 0").click()
    drag(page, [(0.1, 0.2), (0.2, 0.2), (0.3, 0.2)])
    page.page.locator(".map [data-part='point:2']").wait_for()
    page.label("draw class 1").click()
    drag(page, [(0.5, 0.8)])
    page.page.locator(".map [data-part='point:3']").wait_for()
    assert count() == 4
    page.page.get_by_text("erase", exact=True).click()
    box = page.page.locator(".map [data-part='point:0']").bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.wait_for_function(
        "() => document.querySelectorAll('.map [data-part^=point]').length < 4"
    )
    page.label("train one epoch").click()
    page.wait_for_epoch(1)


def test_every_number_of_what_is_chosen_is_shown(page: Page) -> None:
    sheet = page.page.locator(".sheet").first
    page.label("train on one batch").click()
    page.label("neuron 4 of layer 1").click()
    sheet.get_by_text(re.compile(r"output\[0, 3\] = max\(0, .*·x")).wait_for()
    sheet.get_by_text(re.compile(r"corrected_momentum = ")).first.wait_for()
    page.page.locator("[data-part='weight:2:1:4']").dispatch_event("click")
    sheet.get_by_text(re.compile(r"^dweights\[1, 4\] = ")).wait_for()
    page.page.locator(".map [data-part='point:3']").dispatch_event("click")
    sheet.get_by_text("Point 4").wait_for()
    page.page.get_by_role("tab", name="step by step").click()
    page.page.get_by_text("1 of 17").wait_for()
    page.label("the next step").click()
    page.page.get_by_text("2 of 17").wait_for()
    page.page.get_by_role("tab", name="gradient check").click()
    page.page.get_by_text("check the gradients of the whole network").click()
    page.page.get_by_text(re.compile("largest relative error")).wait_for(timeout=60_000)
    page.page.get_by_role("tab", name="diagnosis").click()
    page.page.get_by_text("diagnose the network").click()
    page.page.get_by_text(re.compile("samples?, loss")).wait_for()


def test_every_control_of_network_and_data_is_used(page: Page) -> None:
    for name in (
        "circle",
        "exclusive or",
        "Gaussians",
        "vertical bands",
        "sine (values)",
        "plane (values)",
    ):
        page.choose("set", name)
        page.page.wait_for_timeout(150)
    page.choose("set", "spiral")
    page.choose("classes", "4")
    for slider in ("points of each class", "noise", "tested on, percent"):
        page.label(slider).focus()
        page.label(slider).press("ArrowRight")
    page.label("other points").click()
    for feature in ("x²", "y²", "xy", "sin x", "sin y"):
        page.page.get_by_role("checkbox", name=feature, exact=True).click()
        page.page.wait_for_timeout(150)
    page.choose("optimizer", "nadam")
    page.number("batch size", "16")
    page.choose("loss", "categorical_crossentropy")
    page.page.get_by_text("more", exact=True).click()
    page.choose("schedule of the rate", "cosine")
    page.page.keyboard.press("Escape")
    page.label("add a layer behind layer 2").click()
    page.label("remove layer 3").wait_for()
    page.label("settings of layer 1").click()
    page.choose("activation", "gelu")
    page.label("settings of layer 1").get_by_text("gelu").wait_for()
    page.label("settings of layer 2").click()
    page.label("move layer 2 towards the outputs").click()
    page.page.keyboard.press("Escape")
    page.label("remove layer 3").click()
    page.label("remove layer 3").wait_for(state="detached")
    page.label("fewer neurons in layer 1").click()
    page.label("train on one batch").click()
    page.page.get_by_text(re.compile(r"\+ batch 1 of")).wait_for()
    page.label("start again from new weights").click()
    page.label("start again from the same weights").click()
    page.page.get_by_text("take along").click()
    page.page.get_by_text("link to this setting").click()
    link = page.page.locator(".link input").input_value()
    page.page.get_by_text("close", exact=True).click()
    page.page.goto(link)
    page.label("play").wait_for()
    page.label("settings of layer 2").wait_for()
    assert page.label("optimizer").input_value() == "nadam"


def test_what_is_not_possible_is_said_and_changes_nothing(page: Page) -> None:
    page.label("settings of layer 1").click()
    page.number("neurons", "900000")
    assert "is too large: up to 1,000,000 are possible" in page.message()
    page.page.keyboard.press("Escape")
    assert page.page.locator(".size", has_text="8").count() == 2


def test_the_keyboard_alone_suffices(page: Page) -> None:
    page.label("train one epoch").focus()
    page.page.keyboard.press("Enter")
    page.wait_for_epoch(1)
    neuron = page.label("neuron 2 of layer 2")
    neuron.focus()
    page.page.keyboard.press("Enter")
    page.page.get_by_text("Neuron 2 of Dense → ReLU").wait_for()
    for _ in range(40):
        page.page.keyboard.press("Tab")
    reached = page.page.evaluate(
        "() => [...document.querySelectorAll('button, input, [role=button]')]"
        ".filter(e => e.offsetParent !== null && e.tabIndex < 0 && !e.closest('.q-tab')"
        " && !e.disabled && e.type !== 'file').map(e => e.outerHTML.slice(0, 90))"
    )
    assert reached == []


def test_the_rules_of_axe_find_nothing(page: Page) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing"
    )
    results = axe.Axe().run(page.page)
    found = [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in results.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert found == []


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_overlaps_and_nothing_sticks_out(browser: Any, address: str, size: Any) -> None:
    page = Page(browser, address, size)
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    boxes = page.page.evaluate(
        "() => [...document.querySelectorAll('.room, .numbers')].map(e => {"
        " const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    )
    assert len(boxes) == 4
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= size[0]
        for other in boxes[:place]:
            apart = other[2] <= left or right <= other[0] or other[3] <= top or bottom <= other[1]
            assert apart
    page.close()
    assert page.problems == []


def test_a_second_window_has_a_session_of_its_own_and_a_reload_keeps_it(
    browser: Any, address: str
) -> None:
    one, other = Page(browser, address), Page(browser, address)
    one.label("train one epoch").click()
    one.wait_for_epoch(1)
    assert other.epoch() == 0
    one.page.reload()
    one.label("play").wait_for()
    one.wait_for_epoch(1)
    for page in (one, other):
        page.close()


def test_a_model_of_ones_own_is_shown_and_trained(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        """
import numpy as np
from framework import Dense, MeanSquaredError, Model
from framework.playground import show
from optimizers import SGD


class Cube:
    '''``output = inputs³``'''

    def forward(self, inputs):
        self.inputs, self.output = inputs, inputs**3

    def backward(self, dvalues):
        self.dinputs = 3 * self.inputs**2 * dvalues


X = np.random.default_rng(0).normal(size=(64, 2))
model = Model([Dense(2, 4), Cube(), Dense(4, 1)])
model.set(loss=MeanSquaredError(), optimizer=SGD(0.001))
model.finalize()
show(model, X, X[:, :1])
""",
        encoding="utf-8",
    )
    process, found = started(["own.py"], tmp_path)
    try:
        page = Page(browser, found)
        page.label("train one epoch").click()
        page.wait_for_epoch(1)
        page.label("neuron 2 of layer 1").click()
        page.page.get_by_text(re.compile(r"output\[0, 1\] = \(.*\)³")).first.wait_for()
        assert page.page.get_by_text("Cube").first.is_visible()
        assert page.problems == []
        page.close()
    finally:
        ended(process)
