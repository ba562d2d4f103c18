"""As many threads as there are parts, where the choice would depend on what else is running."""

from collections.abc import Callable

from framework.accelerated.thread_choice import ThreadChoice


class AllThreads(ThreadChoice):
    """Has all threads take every step."""

    def run(self, steps: int, take: Callable[[int, int], tuple[int, bool]]) -> None:
        goes_on = True
        while steps > 0 and goes_on:
            taken, goes_on = take(self.candidates[-1], steps)
            steps -= taken
