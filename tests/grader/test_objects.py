"""Wrong answers of objects: what their answers say by themselves, and what objects would be like that give them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Group, Script


# ------------------------------------------------------------------------------------------------------ some objects
class Meter:
    """The largest number so far, and how often one was told."""

    def __init__(self, start=0.0):
        self.level, self.count = start, 0

    def note(self, x):
        self.level, self.count = max(self.level, x), self.count + 1
        return self.level


def lives(rng):
    for start in rng.uniform(0.1, 0.2, size=2):
        numbers = np.cumsum(rng.uniform(0.1, 0.3, size=5)).tolist()
        calls = [("note", (x,)) for x in [*numbers[:3], 0.05, *numbers[3:]]]
        yield Script(new={"start": float(start)}, calls=[("level", None), *calls, ("level", None), ("count", None)])


METER = sets(Meter, lambda rng: list(lives(rng)))


class Total:
    """The sum of what it was told; a NaN is counted like any other number."""

    def __init__(self, rate=1.0):
        self.rate, self.sum, self.worst = rate, 0.0, -math.inf

    def add(self, x, n=1):
        if n:
            self.sum += self.rate * n * x
            self.worst = max(self.worst, x)

    def total(self):
        return self.sum


def totals(rng, others=0):
    """Several times asked, after numbers of both signs, zeros and NaN."""
    for values in (rng.normal(size=4), rng.normal(size=3)):
        told = [("add", (float(x), int(n))) for x, n in zip(values, rng.integers(2, 9, size=4), strict=False)]
        calls = [*told[:2], ("total", ()), *told[2:], ("total", ())]
        second = [(f"2.{name}", tuple(2 * x for x in args)) for name, args in calls]
        both = [call for pair in zip(calls, second, strict=True) for call in pair]
        yield Script(new={"rate": float(rng.uniform(0.2, 0.9))}, calls=both if others else calls, others=others)


TOTAL = sets(Total, None, groups=[
    Group("alone", 1, lambda rng: list(totals(rng))), Group("two", 1, lambda rng: list(totals(rng, others=1))),
])  # fmt: skip


# ------------------------------------------------------------------------------------------ what the answers say alone
def test_an_attribute_that_never_changes_is_told_beside_what_is_right():
    class Stale(Meter):
        def __init__(self, start=0.0):
            super().__init__(start)
            self.mine = start

        def note(self, x):
            self.mine, self.count = max(self.mine, x), self.count + 1
            return self.mine

    found = diagnosis_of(METER, Stale)
    assert (found.kind, found.name) == ("structure", "never_changes")
    assert found.text.startswith("`level` never changes: it is still what the object was made with, its `start`.")
    assert found.text.endswith(" `note` and `count` are right.")


def test_what_is_returned_before_the_change_is_the_answer_of_the_call_before():
    class Old(Meter):
        def note(self, x):
            before = self.level
            super().note(x)
            return before

    found = diagnosis_of(METER, Old)
    assert found.name == "one_call_late"
    assert found.text == ("The answers of `note` are the right ones of the call before. `level` and `count` are right.")


def test_an_answer_that_is_only_the_last_or_the_first_argument():
    class Last(Meter):
        def note(self, x):
            super().note(x)
            return x

    found = diagnosis_of(METER, Last)
    assert (found.name, "`note` is nothing but the last `x` of `note`." in found.text) == ("only_an_argument", True)

    class First(Meter):
        def note(self, x):
            self.level = self.level if self.count else x
            self.count += 1
            return self.level

    assert "`note` is nothing but the first `x` of `note`" in diagnosis_of(METER, First).text


def test_an_answer_of_no_such_kind_is_called_none():
    class Odd(Meter):
        def note(self, x):
            super().note(x)
            return math.sin(40 * x) + self.count

    found = diagnosis_of(METER, Odd)
    assert found.name not in ("never_changes", "only_an_argument", "one_call_late", "one_call_early")
    assert found.text.endswith(" `level` and `count` are right wherever they are asked for; `note` is not.")


# ----------------------------------------------------------------------------------------- where and what is remembered
def kept_in_a_default():
    class Kept:
        def __init__(self, rate=1.0, told=[]):  # noqa: B006
            self.rate, self.told = rate, told

        def add(self, x, n=1):
            self.told.append(self.rate * n * x)

        def total(self):
            return sum(self.told)

    return Kept


def kept_in_the_class():
    class Kept:
        told: list[float] = []  # noqa: RUF012

        def __init__(self, rate=1.0):
            self.rate = rate
            self.told.clear()

        def add(self, x, n=1):
            self.told.append(self.rate * n * x)

        def total(self):
            return sum(self.told)

    return Kept


@pytest.mark.parametrize("seed", range(3))
def test_what_is_remembered_outside_the_objects(seed):
    found = diagnosis_of(TOTAL, kept_in_a_default(), seed)
    assert (found.name, "a new object begins with what those before it were told" in found.text) == (
        "state_outside",
        True,
    )
    found = diagnosis_of(TOTAL, kept_in_the_class(), seed)
    assert (found.name, "what one is told, all know" in found.text) == ("state_outside", True)


def test_an_object_that_remembers_by_itself_shares_nothing():
    class Doubled(Total):
        def total(self):
            return self.sum + self.worst

    assert diagnosis_of(TOTAL, Doubled).name != "state_outside"


def heard(change):
    """What a class is found to be whose `add` does something else with what it is told."""

    class Other(Total):
        def add(self, x, n=1):
            change(self, x, n, super().add)

    return diagnosis_of(TOTAL, Other)


def test_calls_that_are_not_heard():
    found = heard(lambda self, x, n, add: None if x < 0 else add(x, n))
    assert (found.name, found.text) == (
        "call_not_heard",
        "Your object behaves as if it took no notice of a call of `add` whose `x` is negative.",
    )

    def anew(self, x, n, add):
        if x < 0:
            self.__init__(self.rate)
        add(x, n)

    found = heard(anew)
    assert "as if it began anew with a call of `add` whose `x` is negative: all before it is forgotten." in found.text


def test_an_object_that_begins_anew_when_it_is_asked():
    class Cleared(Total):
        def total(self):
            before, self.sum = self.sum, 0.0
            return before

    found = diagnosis_of(TOTAL, Cleared)
    assert (found.name, found.text) == (
        "begins_anew",
        "Your object behaves as if asking for `total` made it begin anew.",
    )


def test_what_is_told_one_call_late():
    class Late(Total):
        waiting = None

        def add(self, x, n=1):
            if self.waiting:
                super().add(*self.waiting)
            self.waiting = x, n

    assert diagnosis_of(TOTAL, Late).text == "Your object behaves as if it took in what `add` is told one call late."


# --------------------------------------------------------------------------------------------------- single quantities
class Waiting:
    """Multiplies its rate by a factor after two numbers in a row that are not below the lowest one."""

    def __init__(self, rate, factor, rest=2):
        self.rate, self.factor, self.rest, self.lowest, self.wait, self.left = rate, factor, rest, math.inf, 0, 0

    def update(self, x):
        self.left = max(self.left - 1, 0)
        if x < self.lowest:
            self.lowest, self.wait = x, 0
        elif self.left == 0:
            self.wait += 1
        if self.wait >= 2:
            self.rate, self.wait, self.left = self.rate * self.factor, 0, self.rest
        return self.rate


def waits(rng):
    for rest in (1, 3, 4):
        values = [5.0, 6.0, 6.0, 4.0, 6.0, 6.0, 6.0, 6.0, 3.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0]
        new = {"rate": float(rng.uniform(0.1, 0.9)), "factor": float(rng.uniform(0.4, 0.9)), "rest": rest}
        yield Script(new=new, calls=[("update", (x + float(rng.uniform(0, 0.1)),)) for x in values])


WAITING = sets(Waiting, lambda rng: list(waits(rng)))


def test_a_quantity_that_begins_with_another_number():
    class Rested(Waiting):
        def __init__(self, rate, factor, rest=2):
            super().__init__(rate, factor, rest)
            self.left = rest

    found = diagnosis_of(WAITING, Rested)
    assert (found.name, "`left` began with `rest`" in found.text) == ("begins_otherwise", True)


def test_a_quantity_that_another_one_sets_back_or_keeps():
    class Back(Waiting):
        def update(self, x):
            lower = x < self.lowest
            rate = super().update(x)
            self.left = 0 if lower else self.left
            return rate

    class Kept(Waiting):
        def update(self, x):
            left, lower = self.left, x < self.lowest
            rate = super().update(x)
            self.left = left if lower else self.left
            return rate

    found = diagnosis_of(WAITING, Back)
    assert "a call that changes `lowest` set `left` back to where it began" in found.text
    assert "a call that changes `lowest` left `left` as it was" in diagnosis_of(WAITING, Kept).text


# -------------------------------------------------------------------------------------------------------- linear memory
class Average:
    def __init__(self, decay=0.9):
        self.decay, self.value, self.k = decay, 0.0, 0

    def update(self, x):
        self.value, self.k = self.decay * self.value + (1 - self.decay) * x, self.k + 1
        return self.value / (1 - self.decay**self.k)


class Mean:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def add(self, x, n=1):
        self.sum, self.count = self.sum + n * x, self.count + n

    def result(self):
        return self.sum / self.count if self.count else math.nan


def averages(rng):
    for decay in rng.uniform(0.3, 0.9, size=2):
        yield Script(new={"decay": float(decay)}, calls=[("update", (float(x),)) for x in rng.normal(size=4)])


def means(rng):
    for sizes in ([3, 5, 2], [7, 1, 4, 6]):
        told = [("add", (float(rng.normal()), n)) for n in sizes]
        yield Script(calls=[("result", ()), *told[:2], ("result", ()), *told[2:], ("result", ())])


AVERAGE, MEAN = sets(Average, lambda rng: list(averages(rng))), sets(Mean, lambda rng: list(means(rng)))


def test_the_weights_of_a_mean_are_read_off_its_answers():
    class Early(Mean):
        def add(self, x, n=1):
            self.count += n
            self.sum = (self.sum * self.count + n * x) / (self.count + n)

        def result(self):
            return self.sum if self.count else math.nan

    found = diagnosis_of(MEAN, Early)
    assert found.name == "other_weights"
    assert "what was there is multiplied by N/(N + `n`) and the new `x` enters times `n`/(N + `n`)" in found.text
    assert found.text.endswith("The right one differs in what is kept of the old and what of the new enters.")
    assert "they should count 0.375, 0.625." in found.detail


def test_the_weights_of_an_average_whose_shares_change_places():
    class Swapped(Average):
        def update(self, x):
            self.value, self.k = (1 - self.decay) * self.value + self.decay**2 * x, self.k + 1
            return self.value / self.decay

    found = diagnosis_of(AVERAGE, Swapped)
    assert found.name == "other_weights"
    assert "what was there is multiplied by 1 − `decay` and the new `x` enters times `decay`" in found.text


def test_what_is_no_weighted_sum_has_no_weights():
    class Bent(Mean):
        def result(self):
            return math.sqrt(abs(super().result())) if self.count else math.nan

    assert diagnosis_of(MEAN, Bent).name != "other_weights"


# ------------------------------------------------------------------------------------------------- group by group
def in_two_parts():
    """Rests in one part, several starts in another."""
    low = lambda rng: [Script(new={"rate": float(rng.uniform(0.1, 0.9)), "factor": 0.37}, calls=[("rate", None)])]
    return sets(Waiting, None, groups=[Group("rests", 1, lambda rng: list(waits(rng))), Group("made", 1, low)])


class FromOne(Waiting):
    """Begins to wait with one, but for the first time."""

    def update(self, x):
        before = self.wait
        rate = super().update(x)
        self.wait = 1 if self.wait < before else self.wait
        return rate


def test_a_count_that_is_one_more_where_it_is_lowered():
    found = diagnosis_of(WAITING, FromOne)
    assert (found.name, found.text) == (
        "miscounted",
        "Your object behaves as if `wait` (the solution's name) became one more wherever it is lowered.",
    )


def test_groups_that_fail_for_reasons_of_their_own_are_told_one_by_one():
    class Both(FromOne):
        def __init__(self, rate, factor, rest=2):
            super().__init__(rate * (1.0 if factor != 0.37 else 1 + rate**2), factor, rest)

    found = diagnosis_of(in_two_parts(), Both)
    assert (found.name, found.text.startswith("In the part `rests`: your object behaves as if `wait`")) == (
        "miscounted",
        True,
    )
    assert found.text.endswith(" This does not explain `made`.")
