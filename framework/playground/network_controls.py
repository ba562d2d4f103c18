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
    TrainingSettings,
)


class NetworkControls:
    """The choices above the diagram, and those over each of its columns."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.showing = False
        training = desk.session.settings.training
        ui.label("Network").classes("title").props("role=heading aria-level=2")
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
        self.show_rate(training)
        self._show_layers()
        self.showing = False

    def show_rate(self, training: TrainingSettings) -> None:
        """Show the learning rate, which follows the timeline."""
        if self.rate.value != training.learning_rate:
            showing, self.showing = self.showing, True
            self.rate.set_value(training.learning_rate)
            self.showing = showing

    def _show_layers(self) -> None:
        desk = self.desk
        session, columns = desk.session, desk.drawings.columns
        layers = session.settings.network.layers
        given = session.experiment.given is not None
        desk.layers.clear()
        with desk.layers:
            for place, column in enumerate(columns):
                with ui.element("div").classes("layer"):
                    if given or place in (0, len(columns) - 1):
                        ui.label(f"{column.neurons:,}").classes("size")
                        last = place == len(columns) - 1
                        text = "inputs" if not place else "output" if last else column.names[-1]
                        ui.label(text).classes("kind")
                        if not place and not given:
                            add = lambda: self._do(lambda: session.add_layer(0))  # noqa: E731
                            button("add_circle", "add a layer behind the inputs", add)
                    else:
                        self._layer(place - 1, layers[place - 1])

    def _layer(self, place: int, layer: Any) -> None:
        session = self.desk.session
        name = f"layer {place + 1}"

        def neurons(count: int) -> Any:
            return self._do(lambda: session.change_layer(place, neurons=count))

        with ui.element("div").classes("size-row"):
            button("remove", f"fewer neurons in {name}", lambda: neurons(max(1, layer.neurons - 1)))
            ui.label(f"{layer.neurons:,}").classes("size")
            button("add", f"more neurons in {name}", lambda: neurons(layer.neurons + 1))
        with (
            ui.button(layer.activation, icon="expand_more")
            .props(f'flat dense no-caps size=sm aria-label="settings of {name}"')
            .classes("kind"),
            ui.menu().classes("more-menu"),
        ):
            self._layer_menu(place, layer)
        with ui.element("div").classes("size-row"):
            add = lambda: self._do(lambda: session.add_layer(place + 1))  # noqa: E731
            remove = lambda: self._do(lambda: session.remove_layer(place))  # noqa: E731
            button("add_circle", f"add a layer behind {name}", add)
            button("delete", f"remove {name}", remove)

    def _layer_menu(self, place: int, layer: Any) -> None:
        session = self.desk.session

        def change(**changes: Any) -> Any:
            return self._do(lambda: session.change_layer(place, **changes))

        def number(label: str, value: float, name: str) -> None:
            made = ui.number(label, value=value, min=0, step=0.001 if name != "neurons" else 1)
            made.props("dense outlined").classes("choice")
            kind = int if name == "neurons" else float
            made.on("change", lambda: change(**{name: kind(made.value or 0)}))

        with ui.column().classes("more-column"):
            select(
                "activation", list(ACTIVATIONS), layer.activation,
                lambda e: change(activation=e.value),
            )  # fmt: skip
            number("neurons", layer.neurons, "neurons")
            select(
                "initial weights", list(INITIALIZERS), layer.initializer,
                lambda e: change(initializer=e.value),
            )  # fmt: skip
            normalize = ui.checkbox("batch normalization", value=layer.batch_normalization)
            normalize.on_value_change(lambda e: change(batch_normalization=e.value))
            number("dropout", layer.dropout, "dropout")
            number("L1 penalty", layer.l1, "l1")
            number("L2 penalty", layer.l2, "l2")
            with ui.row().classes("line"):
                left = lambda: self._do(lambda: session.move_layer(place, -1))  # noqa: E731
                right = lambda: self._do(lambda: session.move_layer(place, 1))  # noqa: E731
                button("west", f"move layer {place + 1} towards the inputs", left)
                button("east", f"move layer {place + 1} towards the outputs", right)

    def _number(self, label: str, value: float, name: str) -> ui.number:
        made = ui.number(label, value=value, min=0, step="any")  # type: ignore[arg-type]
        made.props("dense outlined").classes("choice")
        kind = float if isinstance(value, float) else int
        made.on("change", lambda: self._change(**{name: kind(made.value or 0)}))
        return made

    async def _loss(self, name: str) -> None:
        if not self.showing and name != self.desk.session.settings.network.loss:
            await self._do(lambda: self.desk.session.change_network(loss=name))

    async def _change(self, **changes: Any) -> None:
        training = self.desk.session.settings.training
        if self.showing or all(getattr(training, name) == new for name, new in changes.items()):
            return
        await self._do(lambda: self.desk.session.change_training(**changes))

    async def _do(self, function: Any) -> None:
        self.desk.say("")
        await self.desk.do(function)
