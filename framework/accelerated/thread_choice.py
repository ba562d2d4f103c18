"""How many threads share the steps of a training, found out while it runs.

More threads are faster on a quiet machine. Where another program needs one of the processors, they
wait for each other, and one thread alone is faster. Nothing but time tells which it is. So a
training begins with a look: some steps by one thread, then some by two, four, …, and goes on with
what was fastest. The first steps of several threads say little, since a thread has to be started,
on a processor that may have been asleep: they do not count. It looks again now and then, and as
soon as several threads are slower than one was. What a look costs, beside taking all steps in the
fastest way, is at most ``SHARE`` of the time until the next one.

The choice does not change the results: see ``thread_team.py``.
"""

import time
from collections.abc import Callable

# Seconds. Within less, the scheduler favours threads that have just begun, or just waited.
LOOK = 0.02
PIECE = LOOK / 2
# Seconds between two moments at which the time of the steps is looked at.
PERIOD = 0.05
# The fewest seconds of steps from one look to the next.
INTERVAL = 0.1
SHARE = 0.02
# What it takes to start threads: one thread takes the steps for which they would save less.
START = 0.0004
# More threads have to be worth it: they take the processors from others.
WORTH = 0.97
# Threads are given up at once where steps take so many times as long as in the fastest way known.
HOPELESS = 1.3


class ThreadChoice:
    """Chooses the number of threads for the steps of one kind.

    Args:
        most: of the threads.
        clock: returns the time in seconds.

    Attributes:
        threads: how many are to take the next step.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.candidates = [*(2**i for i in range(most.bit_length()) if 2**i < most), most]
        self.clock = clock
        self.threads = 1
        self._seconds: dict[int, float] = {}  # of a step, as last measured, by threads
        self._elapsed = 0.0  # in steps alone: there may be hours between two calls
        self._most_steps = 1
        self._lost = 0.0
        self._look()

    def run(self, steps: int, take: Callable[[int, int], tuple[int, bool]]) -> None:
        """Have so many steps taken by ``take(threads, count)``.

        It returns how many it took, and whether training goes on. They may be fewer than it was
        asked for.
        """
        if self.threads > 1 and not self._is_looking:
            saved = steps * (self._seconds[1] - self._seconds[self.threads])
            if 0 <= saved < START:
                take(1, steps)
                return
        goes_on = True
        while steps > 0 and goes_on:
            count = min(steps, self._steps_at_once())
            begun = self.clock()
            taken, goes_on = take(self.threads, count)
            self._learn(taken, self.clock() - begun)
            steps -= taken

    def _look(self) -> None:
        """Begin to measure every candidate, first the present one."""
        self._found: dict[int, tuple[int, float]] = {}  # steps and seconds of this look
        self._untried = [n for n in self.candidates if n != self.threads]
        self._is_looking = True
        self._begin(self.threads)

    def _begin(self, threads: int) -> None:
        if threads != self.threads:
            self._most_steps = 1
        self.threads = threads
        self._steps, self._spent = 0, 0.0
        self._first_steps, self._first_spent = 0, 0.0

    def _steps_at_once(self) -> int:
        """Return how many steps to take before the clock is read: at first few.

        For what the first steps took says little about those that follow.
        """
        wanted = PIECE if self._is_looking else PERIOD
        usual = self._seconds.get(self.threads, wanted)
        enough = max(1, int(wanted / usual))
        count = min(self._most_steps, enough)
        self._are_first = count < enough or self.threads not in self._seconds
        self._most_steps = 2 * count
        return count

    def _learn(self, steps: int, seconds: float) -> None:
        """Take into account that ``threads`` took so many ``steps`` in so many ``seconds``."""
        if steps == 0:
            return
        self._elapsed += seconds
        if self._are_first and self._first_spent + seconds < LOOK:
            self._first_steps += steps
            self._first_spent += seconds
            self._seconds[self.threads] = seconds / steps
            return
        self._steps += steps
        self._spent += seconds
        self._seconds[self.threads] = self._spent / self._steps
        if self._is_looking:
            others = [self._seconds[threads] for threads in self._found]
            is_hopeless = self._spent >= PIECE and self._is_hopeless(others)
            if self._spent >= LOOK or is_hopeless:
                self._found[self.threads] = (
                    self._first_steps + self._steps,
                    self._first_spent + self._spent,
                )
                if self._untried:
                    self._begin(self._untried.pop(0))
                else:
                    self._choose()
        elif self._spent >= PIECE and self._is_hopeless([self._seconds[1]]):
            # They were fast only while they were looked at.
            taken = self._first_steps + self._steps
            self._lost += self._first_spent + self._spent - taken * self._seconds[1]
            self._settle(1)
        elif self._spent >= PERIOD:
            too_slow = self._seconds[self.threads] - self._seconds[1]
            if too_slow > 0:
                self._lost += too_slow * self._steps
                self._look()
            elif self._elapsed >= self._next_look:
                self._look()
            else:
                self._begin(self.threads)

    def _is_hopeless(self, others: list[float]) -> bool:
        return bool(others) and self._seconds[self.threads] > HOPELESS * min(others)

    def _choose(self) -> None:
        """End the look with what was fastest."""
        fastest = 1
        for threads in self.candidates:
            if self._seconds[threads] < WORTH * self._seconds[fastest]:
                fastest = threads
        self._lost += sum(
            max(0.0, seconds - steps * self._seconds[fastest])
            for steps, seconds in self._found.values()
        )
        self._settle(fastest)

    def _settle(self, threads: int) -> None:
        """Go on with so many threads, until the next look."""
        self._next_look = self._elapsed + max(INTERVAL, self._lost / SHARE)
        self._lost = 0.0
        self._is_looking = False
        self._begin(threads)
