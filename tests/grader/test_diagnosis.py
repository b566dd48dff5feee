"""A wrong answer gets the name of its mistake from what it does: conventions, calls of the reference, two at once."""

from __future__ import annotations

import numpy as np

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Call, Exercise, Group, Misconception, Steps
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge


# ------------------------------------------------------------------------------------------------ three exercises
def weighted_mean(x, y, weights=None, shift=0.0):
    w = np.ones(x.shape[0]) if weights is None else weights
    return ((x - y) * w[:, None]).sum(axis=1) / w.sum() + shift


def gradients(X, g):
    return {"dW": X.T @ g, "db": g.sum(axis=0)}


def rolling(params, grads, state, lr=0.1, beta=0.9):
    v = {k: beta * state["v"][k] - lr * grads[k] for k in params}
    return {k: params[k] + v[k] for k in params}, {"v": v, "t": state["t"] + 1}


def mean_probes(rng):
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    return [Call(x=x, y=y, weights=rng.uniform(1, 2, size=5), shift=float(rng.uniform(1, 2)))]


def tree(rng):
    return {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}


def rolling_probes(rng):
    carry = {"params": tree(rng), "state": {"v": tree(rng), "t": 3}}
    return [Steps(carry, [{"grads": tree(rng)} for _ in range(3)], {"lr": 0.23, "beta": 0.7})]


def sets(reference, probes, *misconceptions, **more):
    groups = more.pop("groups", [Group("values", 1, probes)])
    return Exercise(reference=reference, chapter="t", task="", example="", groups=groups,
                    misconceptions=misconceptions, **more)  # fmt: skip


MEAN = sets(weighted_mean, mean_probes)
GRADIENTS = sets(
    gradients,
    lambda rng: [Call(X=rng.normal(size=(6, 3)), g=rng.normal(size=(6, 4)))],
    Misconception("averaged", lambda X, g: {"dW": X.T @ g / 6, "db": g.mean(axis=0)}, "How often is b used?"),
    Misconception("largest", lambda X, g: {"dW": X.T @ np.sign(g), "db": g.max(axis=0)}, "Which rows reach b?"),
)
ROLLING = sets(rolling, rolling_probes)


class Here:
    def __init__(self, function, name):
        self.performer = Performer({}, {name: function})

    def request(self, message, seconds):
        return self.performer.handle(message)

    def close(self):
        pass


def diagnosis_of(exercise, wrong, seed=3):
    found = judge(exercise, lambda: Here(wrong, exercise.name), LiveAnswers(exercise, {}, seed)).diagnosis
    assert found is not None
    return found


# ---------------------------------------------------------------------------------- the reference, called wrongly
def test_an_option_that_is_not_used():
    found = diagnosis_of(MEAN, lambda x, y, weights=None, shift=0.0: weighted_mean(x, y, None, shift))
    assert found.name == "ignored"
    assert "`weights=None`, whatever `weights` is" in found.text


def test_two_arguments_in_each_others_place():
    swapped = lambda x, y, weights=None, shift=0.0: weighted_mean(y, x, weights, shift)
    assert diagnosis_of(MEAN, swapped).name == "exchanged"
    assert "`x` and `y`" in diagnosis_of(MEAN, swapped).text


def test_hyperparameters_in_each_others_place_and_complements():
    found = diagnosis_of(ROLLING, lambda p, g, s, lr=0.1, beta=0.9: rolling(p, g, s, beta, lr))
    assert (found.name, "`lr` and `beta`" in found.text) == ("exchanged", True)
    found = diagnosis_of(ROLLING, lambda p, g, s, lr=0.1, beta=0.9: rolling(p, g, s, lr, 1 - beta))
    assert (found.name, "1 − `beta`" in found.text) == ("other_number", True)


def test_a_table_run_over_the_wrong_way():
    spread = sets(lambda X: X.std(axis=1), lambda rng: [Call(X=rng.normal(size=(5, 5)))], name="spread")
    assert diagnosis_of(spread, lambda X: X.std(axis=0)).name == "axis"


def test_a_count_that_is_one_behind():
    corrected = lambda g, t: g / (1 - 0.9**t)
    exercise = sets(corrected, lambda rng: [Call(g=rng.normal(size=4), t=int(rng.integers(2, 9)))], name="corrected")
    found = diagnosis_of(exercise, lambda g, t: corrected(g, t - 1))
    assert (found.name, "`t` one smaller" in found.text) == ("shifted_count", True)


def test_a_returned_function_that_is_right_at_another_place():
    schedule = lambda lr, decay=0.5: lambda t: lr * decay**t + np.sin(t)
    probes = lambda rng: [Call(lr=float(rng.uniform(1, 2)), decay=0.7).then(*((t,) for t in range(6)))]
    exercise = sets(schedule, probes, name="schedule")
    found = diagnosis_of(exercise, lambda lr, decay=0.5: lambda t: schedule(lr, decay)(t + 1))
    assert (found.name, "one more than it is asked for" in found.text) == ("elsewhere", True)
    found = diagnosis_of(exercise, lambda lr, decay=0.5: lambda t: schedule(lr, decay)(2 * t))
    assert "twice what it is asked for" in found.text
    found = diagnosis_of(exercise, lambda lr, decay=0.5: lambda t: schedule(lr, decay)(t) + 0.7)
    assert found.name != "elsewhere"
    assert "times" not in found.text  # 0.7 is what `decay` is, 0.5 what it is not


def test_a_state_that_is_forgotten():
    forgets = lambda p, g, s, lr=0.1, beta=0.9: rolling(
        p, g, {**s, "v": {k: 0 * v for k, v in s["v"].items()}}, lr, beta
    )
    assert diagnosis_of(ROLLING, forgets).name in ("forgotten", "term")


def test_an_input_that_is_changed_is_named():
    def changes(x, y, weights=None, shift=0.0):
        y *= 1 + 0 * y
        weights += 1
        return weighted_mean(x, y, weights - 1, shift)

    found = diagnosis_of(MEAN, changes)
    assert (found.kind, "`weights`" in found.text) == ("mutated", True)


def test_a_changed_input_is_told_from_other_mistakes_on_the_call_that_showed_it():
    def centred(x):
        return x - x.mean()

    def in_place(x):
        x -= x.mean()
        return x.copy()

    exercise = sets(
        centred,
        lambda rng: [Call(x=rng.normal(size=5)) for _ in range(4)],
        Misconception("halved", lambda x: (x - x.mean()) / 2, "Where does the half come from?"),
        Misconception("a_copy_for_nothing", lambda x: x.copy() - x.mean(), "What is the copy for?"),
        Misconception("in_place", in_place, "What is `x` afterwards?"),
    )

    asked = set()

    class Counted(LiveAnswers):
        def misconception(self, name, group):
            asked.add(name)
            return super().misconception(name, group)

    found = judge(exercise, lambda: Here(in_place, exercise.name), Counted(exercise, {}, 3)).diagnosis
    assert (found.kind, found.name, asked) == ("misconception", "in_place", {"in_place"})


# ----------------------------------------------------------------------------------------------- which calls are wrong
def masked(x, mask=None, reduction="sum", power=1.0):
    kept = np.abs(x if mask is None else x * mask) ** power
    return kept.sum() if reduction == "sum" else kept.mean()


def masked_probes(rng):
    for mask in (None, rng.integers(0, 2, size=7)):
        for reduction in ("sum", "mean"):
            for power in (1.0, float(rng.uniform(2, 3))):
                yield Call(x=rng.normal(size=7), mask=mask, reduction=reduction, power=power)


MASKED = sets(masked, lambda rng: list(masked_probes(rng)))


def test_the_wrong_calls_are_those_with_an_argument_or_without_it():
    def odd(x, mask=None, reduction="sum", power=1.0, when=True):
        return masked(np.sin(x) ** 3 if (mask is not None) is when else x, mask, reduction, power)

    text = "Your answer is wrong in every call in which `mask` is given, and right in all others."
    assert diagnosis_of(MASKED, odd).text == text
    without = lambda x, mask=None, reduction="sum", power=1.0: odd(x, mask, reduction, power, when=False)
    assert "in which `mask` is not given" in diagnosis_of(MASKED, without).text


def test_the_wrong_calls_are_those_with_an_option_or_a_number():
    def strange(x, mask=None, reduction="sum", power=1.0):
        right = masked(x, mask, reduction, power)
        return right + np.sin(50 * x[0]) if reduction == "mean" else right

    assert "in which `reduction` is 'mean'" in diagnosis_of(MASKED, strange).text
    bent = lambda x, mask=None, reduction="sum", power=1.0: masked(x, mask, reduction, power + (power > 1) * x[0] ** 2)
    assert "in which `power` is not 1" in diagnosis_of(MASKED, bent).text


def test_wrong_calls_without_anything_in_common_are_not_given_a_trait():
    calls = iter(range(100))
    found = diagnosis_of(MASKED, lambda x, *more: masked(x, *more) + (next(calls) in (0, 3, 6)) * np.sin(50 * x[0]))
    assert found.name != "calls"


# ------------------------------------------------------------------------------------------------- known mistakes
def test_a_published_form_is_called_one_and_the_one_asked_for_is_said():
    spread = sets(
        lambda x: x.var(),
        lambda rng: [Call(x=rng.normal(size=7))],
        Misconception("sample", lambda x: x.var(ddof=1), "By what do you divide?", published="MATLAB's `var`",
                      says="the sum were divided by n − 1; asked for is n"),
        name="spread",
    )  # fmt: skip
    text = diagnosis_of(spread, lambda x: ((x - x.mean()) ** 2).sum() / (len(x) - 1)).text
    assert text.startswith("This is a published form (MATLAB's `var`), and not the one asked for")
    assert text.endswith("asked for is n.")


def test_one_known_mistake_in_one_array_and_another_in_the_other():
    mixed = lambda X, g: {"dW": X.T @ g / 6, "db": g.max(axis=0)}
    found = diagnosis_of(GRADIENTS, mixed)
    assert (found.name, found.also) == ("averaged", ("largest",))
    assert found.text.startswith("In `['dW']` your answer")


def test_a_known_mistake_with_the_wrong_sign_is_both():
    found = diagnosis_of(GRADIENTS, lambda X, g: {"dW": -X.T @ np.sign(g), "db": -g.max(axis=0)})
    assert found.name == "largest"
    assert "And besides: every number has the wrong sign." in found.text


def test_what_several_known_mistakes_do_in_one_part_names_none_of_them():
    limited = lambda x, top: x * min(1, top / np.abs(x).sum())
    small = lambda rng: [Call(x=rng.uniform(0.1, 0.2, size=5), top=0.4)]
    large = lambda rng: [Call(x=rng.normal(size=5), top=0.4)]
    exercise = sets(
        limited, None,
        Misconception("by_entry", lambda x, top: np.clip(x, -top, top), "?"),
        Misconception("by_length", lambda x, top: x * min(1, top / np.sqrt((x**2).sum() / 2)), "?"),
        groups=[Group("small", 1, small), Group("large", 1, large)], name="limited",
    )  # fmt: skip
    found = diagnosis_of(exercise, lambda x, top: x * min(1, top / np.abs(x).mean() ** 2))
    assert found.kind != "misconception"  # in `small` all three leave x as it is


def test_half_of_a_known_mistake_is_not_called_by_its_name():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=4)
    found = diagnosis_of(GRADIENTS, lambda X, g: {"dW": X.T @ np.sign(g), "db": g.sum(axis=0) * (1 + noise)})
    assert found.kind != "misconception"


# ------------------------------------------------------------------------------------------------------ sequences
def test_a_sequence_says_step_and_quantity_and_what_is_still_right():
    def drifts(params, grads, state, lr=0.1, beta=0.9):
        new, s = rolling(params, grads, state, lr, beta)
        if state["t"] > 3:
            s["v"]["b"] = np.sin(np.arange(5) + s["v"]["b"] ** 2)
        return new, s

    found = diagnosis_of(ROLLING, drifts)
    assert "`state['v']['b']`" in found.text
    assert "`params['W']`" in found.text


def test_a_single_step_is_not_called_a_sequence_behind():
    late = lambda p, g, s, lr=0.1, beta=0.9: (p, rolling(p, g, s, lr, beta)[1])
    assert "one step" not in diagnosis_of(ROLLING, late).text


# ---------------------------------------------------------------------------------------------- nothing explains it
def test_what_nothing_explains_is_at_least_said_to_be_too_large_or_too_small():
    wide = sets(lambda x: x**3, lambda rng: [Call(x=rng.normal(size=9))], name="wide")
    assert diagnosis_of(wide, lambda x: x**3 + np.exp(x)).text.endswith("All wrong numbers are too large.")
    assert diagnosis_of(wide, lambda x: np.tanh(x) ** 3).text.endswith("All wrong numbers are too close to zero.")
    assert "All wrong" not in diagnosis_of(wide, lambda x: np.sin(40 * x)).text


# --------------------------------------------------------------------------------------------- never a false name
def test_random_answers_get_no_name():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        noise = {"dW": rng.normal(size=(3, 4)), "db": rng.normal(size=4)}
        assert diagnosis_of(GRADIENTS, lambda X, g, n=noise: n, seed).kind == "value"


def test_a_long_list_of_numbers_is_read_as_one_array():
    order = sets(lambda n: list(range(n)), lambda rng: [Call(n=int(rng.integers(100, 200)))], name="order")
    assert diagnosis_of(order, lambda n: list(range(n))[::-1]).name == "reversed"
    assert diagnosis_of(order, lambda n: [2 * i for i in range(n)]).name == "factor"
