"""The controls of the network: its layers, and how it is trained."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from framework.playground.controls import button, select
from framework.playground.desk import Desk
from framework.playground.settings import (
    ACTIVATIONS,
    CLASS_LOSSES,
    INITIALIZERS,
    OPTIMIZERS,
    SCHEDULES,
    VALUE_LOSSES,
    LayerSettings,
    TrainingSettings,
)


class NetworkControls:
    """The choices above the diagram, and those over each of its columns."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.showing = False
        self.shown_rate = 0.0
        self.layers: list[LayerControls] = []
        self.columns = -1
        training = desk.session.settings.training
        with ui.row().classes("titles"):
            ui.label("Network").classes("title").props("role=heading aria-level=2")
            self.pace = ui.label("").classes("caption pace").props("role=status")
        with ui.row().classes("choices"):
            change = self._change
            self.optimizer = select(
                "optimizer", list(OPTIMIZERS), training.optimizer,
                lambda e: change(optimizer=e.value),
            )  # fmt: skip
            self.rate = self._number("learning rate", training.learning_rate, "learning_rate")
            self.batch = self._number("batch size", training.batch_size, "batch_size")
            self.loss = select("loss", ["auto"], "auto", lambda e: self._loss(e.value))
            with ui.button("more", icon="tune").props("flat dense no-caps"), ui.menu() as menu:
                menu.props("persistent=false").classes("more-menu")
                with ui.column().classes("more-column"):
                    self.schedule = select(
                        "schedule of the rate", list(SCHEDULES), training.schedule,
                        lambda e: change(schedule=e.value),
                    )  # fmt: skip
                    self.steps = self._number(
                        "steps of the schedule", training.schedule_steps, "schedule_steps"
                    )
                    self.decay = self._number("decay", training.decay, "decay")
                    self.momentum = self._number("momentum of SGD", training.momentum, "momentum")

    def show(self) -> None:
        """Show the present settings, and the controls of each column."""
        session, self.showing = self.desk.session, True
        training, given = session.settings.training, session.experiment.given is not None
        self.optimizer.set_value(training.optimizer)
        for control, name in (
            (self.batch, "batch_size"), (self.steps, "schedule_steps"), (self.decay, "decay"),
            (self.momentum, "momentum"),
        ):  # fmt: skip
            control.set_value(getattr(training, name))
        self.schedule.set_value(training.schedule)
        fitting = CLASS_LOSSES if session.experiment.split.train.has_classes else VALUE_LOSSES
        self.loss.set_options(["auto", *fitting], value=session.settings.network.loss)
        chosen: list[Any] = [self.optimizer, self.loss, self.schedule, self.steps, self.decay]
        for one in chosen:
            one.set_enabled(not given)
        self.momentum.set_enabled(not given and training.optimizer == "sgd")
        self.shown_rate = 0.0
        self.show_rate(training)
        self._show_layers()
        self.showing = False

    def show_rate(self, training: TrainingSettings) -> None:
        """Show the learning rate, which follows the timeline; what is being typed stays."""
        if self.shown_rate != training.learning_rate:
            self.shown_rate = training.learning_rate
            showing, self.showing = self.showing, True
            self.rate.set_value(training.learning_rate)
            self.showing = showing

    def _show_layers(self) -> None:
        """Show what is over each column. Controls stay while there are as many layers."""
        desk = self.desk
        session, columns = desk.session, desk.drawings.columns
        layers, given = session.settings.network.layers, session.experiment.given is not None
        kept = 0 if given else len(layers)
        # Between the inputs and the layers there may be a column that scales the inputs.
        first = len(columns) - 1 - kept
        if given or kept != len(self.layers) or len(columns) != self.columns:
            self.columns = len(columns)
            desk.layers.clear()
            self.ends: list[ui.label] = []
            self.layers = []
            with desk.layers:
                for place, column in enumerate(columns):
                    with ui.element("div").classes("layer"):
                        if not given and first <= place < len(columns) - 1:
                            self.layers.append(LayerControls(desk, place - first))
                            continue
                        name = "output" if place == len(columns) - 1 else "scaled"
                        self._end(place, column.names[-1] if given else name)
        fixed = columns if given else [*columns[:first], *columns[-1:]]
        for label, column in zip(self.ends, fixed, strict=True):
            label.set_text(f"{column.neurons:,}")
        for controls, layer in zip(self.layers, layers, strict=False):
            controls.show(layer)

    def _end(self, place: int, name: str) -> None:
        """Add what is over the inputs, over the outputs, or over a layer of a given model."""
        session = self.desk.session
        self.ends.append(ui.label().classes("size"))
        ui.label(name if place else "inputs").classes("kind")
        if not place and session.experiment.given is None:
            add = lambda: self.desk.do(lambda: session.add_layer(0))  # noqa: E731
            button("add_circle", "add a layer behind the inputs", add)

    def _number(self, label: str, value: float, name: str) -> ui.number:
        made = ui.number(label, value=value, min=0, step="any")  # type: ignore[arg-type]
        made.props("dense outlined").classes("choice")
        kind = float if isinstance(value, float) else int
        made.on("change", lambda: self._change(**{name: kind(made.value or 0)}))
        return made

    async def _loss(self, name: str) -> None:
        if not self.showing and name != self.desk.session.settings.network.loss:
            await self.desk.do(lambda: self.desk.session.change_network(loss=name))

    async def _change(self, **changes: Any) -> None:
        training = self.desk.session.settings.training
        if self.showing or all(getattr(training, name) == new for name, new in changes.items()):
            return
        await self.desk.do(lambda: self.desk.session.change_training(**changes))


class LayerControls:
    """What is over a hidden layer: its neurons, its settings, and buttons around it."""

    def __init__(self, desk: Desk, place: int) -> None:
        self.desk, self.place, self.showing = desk, place, False
        session, name = desk.session, f"layer {place + 1}"
        with ui.element("div").classes("size-row"):
            button("remove", f"fewer neurons in {name}", lambda: self._neurons(-1))
            self.size = ui.label().classes("size")
            button("add", f"more neurons in {name}", lambda: self._neurons(1))
        opener = ui.button(icon="expand_more").classes("kind")
        opener.props(f'flat dense no-caps aria-label="settings of {name}"')
        self.opener = opener
        with opener, ui.menu().classes("more-menu"), ui.column().classes("more-column"):
            self._menu()
        with ui.element("div").classes("size-row"):
            add = lambda: self.desk.do(lambda: session.add_layer(place + 1))  # noqa: E731
            remove = lambda: self.desk.do(lambda: session.remove_layer(place))  # noqa: E731
            button("add_circle", f"add a layer behind {name}", add)
            button("delete", f"remove {name}", remove)

    def show(self, layer: LayerSettings) -> None:
        """Show the settings of the layer."""
        self.showing = True
        self.size.set_text(f"{layer.neurons:,}")
        self.opener.set_text(layer.activation)
        for name, control in self.controls.items():
            control.set_value(getattr(layer, name))
        self.showing = False

    def _menu(self) -> None:
        session, place = self.desk.session, self.place

        def chosen(name: str) -> Any:
            return lambda event: self._change(name, event.value)

        self.controls: dict[str, Any] = {}
        of = self.controls
        of["activation"] = select("activation", list(ACTIVATIONS), "relu", chosen("activation"))
        self._number("neurons", "neurons")
        of["initializer"] = select(
            "initial weights", list(INITIALIZERS), "auto", chosen("initializer")
        )
        box = ui.checkbox("batch normalization", on_change=chosen("batch_normalization"))
        of["batch_normalization"] = box
        for label, name in (("dropout", "dropout"), ("L1 penalty", "l1"), ("L2 penalty", "l2")):
            self._number(label, name)
        with ui.row().classes("line"):
            left = lambda: self.desk.do(lambda: session.move_layer(place, -1))  # noqa: E731
            right = lambda: self.desk.do(lambda: session.move_layer(place, 1))  # noqa: E731
            button("west", f"move layer {place + 1} towards the inputs", left)
            button("east", f"move layer {place + 1} towards the outputs", right)

    def _number(self, label: str, name: str) -> None:
        kind = int if name == "neurons" else float
        made = ui.number(label, min=0, step=1 if name == "neurons" else 0.001)
        made.props("dense outlined").classes("choice")
        made.on("change", lambda: self._change(name, kind(made.value or 0)))
        self.controls[name] = made

    def _neurons(self, by: int) -> Any:
        session, place = self.desk.session, self.place

        def change() -> None:
            now = session.settings.network.layers[place].neurons
            session.change_layer(place, neurons=max(1, now + by))

        return self.desk.do(change)

    async def _change(self, name: str, value: Any) -> None:
        session, place = self.desk.session, self.place
        layers = session.settings.network.layers
        if self.showing or place >= len(layers) or getattr(layers[place], name) == value:
            return
        await self.desk.do(lambda: session.change_layer(place, **{name: value}))
