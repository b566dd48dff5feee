"""A wrong answer gets the name of its mistake from what it does: conventions, calls of the reference, two at once."""

from __future__ import annotations

import numpy as np
import pytest

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.diagnosis.relatives import Relatives
from gradschool_grader.diagnosis.seen import pairs
from gradschool_grader.diagnosis.switched import switched
from gradschool_grader.exercise import Call, Exercise, Group, Misconception, Property, Script, Seed, Steps
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


def test_several_options_that_are_not_used():
    exercise = sets(
        lambda x, power=1.0, weight=1.0, shift=0.0: weight * np.abs(x) ** power + shift,
        lambda rng: [Call(x=rng.normal(size=7), power=1.7, weight=0.3, shift=float(rng.uniform(1, 2)))], name="bent",
    )  # fmt: skip
    found = diagnosis_of(exercise, lambda x, power=1.0, weight=1.0, shift=0.0: np.abs(x) ** power)
    assert (found.name, "without `weight` and `shift`, whatever they are" in found.text) == ("ignored", True)
    found = diagnosis_of(exercise, lambda x, power=1.0, weight=1.0, shift=0.0: np.abs(x))
    assert "without `power`, `weight` and `shift`" in found.text


def test_a_tree_of_which_only_the_signs_are_used():
    signs = lambda p, g, s, lr=0.1, beta=0.9: rolling(p, {k: np.sign(x) for k, x in g.items()}, s, lr, beta)
    found = diagnosis_of(ROLLING, signs)
    assert (found.name, "right for only the signs of `grads`" in found.text) == ("other_input", True)


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


def test_a_probe_that_ends_early_is_not_laid_beside_the_next_one():
    made = lambda lr: lambda t: lr / (1 + t)
    probes = lambda rng: [Call(lr=float(rng.uniform(1, 2))).then((1,), (2,)) for _ in range(3)]
    exercise = sets(made, probes, name="made")
    witness = []
    judge(exercise, lambda: Here(lambda lr: lr / 3, "made"), LiveAnswers(exercise, {}, 3), witness=witness)
    assert [p.place for s in witness for p in pairs(exercise, s)] == []


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


def test_one_argument_used_for_another_and_numbers_in_the_place_of_arguments():
    found = diagnosis_of(ROLLING, lambda p, g, s, lr=0.1, beta=0.9: rolling(p, g, s, beta, beta))
    assert (found.name, "`beta` in the place of `lr`" in found.text) == ("in_place_of", True)
    near = lambda x, eps: np.sin(3 * x) / (np.abs(x) + eps)
    exercise = sets(near, lambda rng: [Call(x=rng.normal(size=7), eps=0.3)], name="near")
    found = diagnosis_of(exercise, lambda x, eps: near(x, 0))
    assert (found.name, "right for 0 in the place of `eps`" in found.text) == ("other_number", True)


def scaled(x, scale, shift, training=True):
    return scale * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.1) + shift if training else scale * x + shift


SCALED = sets(
    scaled,
    lambda rng: [Call(x=rng.normal(size=(6, 4)), scale=rng.normal(size=4), shift=rng.normal(size=4), training=training)
                 for training in (True, False)],
)  # fmt: skip


def test_a_flag_the_other_way_round_and_a_scale_and_shift_that_are_not_used():
    found = diagnosis_of(SCALED, lambda x, scale, shift, training=True: scaled(x, scale, shift, not training))
    assert (found.name, "`training` the other way round" in found.text) == ("other_way", True)
    found = diagnosis_of(SCALED, lambda x, scale, shift, training=True: scaled(x, 1 + 0 * scale, 0 * shift, training))
    assert (found.name, "ones in the place of `scale` and zeros in that of `shift`" in found.text) == ("neutral", True)


# ------------------------------------------------------------------------- the reference with one small thing changed
def in_training(rule):
    return lambda x, scale, shift, training=True: rule(x, scale, shift) if training else scale * x + shift


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x, s, b: s * x / np.sqrt(x.var(axis=0) + 0.1) + b, "a subtraction left out, where `x` stands"),
        (lambda x, s, b: s * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0)) + b, "a term left out, where `x` stands"),
        (lambda x, s, b: s * (x - x.mean(axis=0)) / (x.var(axis=0) + 0.1) + b, "`sqrt` left out, where `x` stands"),
        (lambda x, s, b: s * (x - x.mean(axis=0)) / np.sqrt(x.std(axis=0) + 0.1) + b, "`std` in the place of `var`"),
        (lambda x, s, b: s * (x - x.mean()) / np.sqrt(x.var(axis=0) + 0.1) + b, "`mean` over everything"),
        (
            lambda x, s, b: s * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + 0.1) + b,
            "n − 1 in the place of n",
        ),
        (lambda x, s, b: s * (x - x.mean(axis=0)) / np.sqrt((x * x).mean(axis=0) + 0.1) + b, "a mean of squares"),
        (
            lambda x, s, b: s * (x - x.mean(axis=0)) / (np.sqrt(x.var(axis=0)) + 0.1) + b,
            "a term outside the brackets of `sqrt` instead of inside",
        ),
        (lambda x, s, b: s * ((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.1) + b), "a bracket in another place"),
    ],
)
def test_one_small_thing_changed_is_said_with_the_arguments_that_stand_there(wrong, words):
    found = diagnosis_of(SCALED, in_training(wrong))
    assert found.name == "one_change"
    assert words in found.text
    assert found.hint.endswith("?")
    bent = lambda *given, **more: in_training(wrong)(*given, **more) + 1e-3 * np.eye(6, 4)
    assert diagnosis_of(SCALED, bent).name != "one_change"


def loss(X, T):
    return np.sum(np.abs(X - T)) / len(X)


def running(m, v, g, b):
    return np.tanh(b * m + g), b * v + (1 - b) * g * g


def wave(x, n):
    return np.sin(x / n)


def let_through(Z, g):
    slope = np.cos(3 * g)
    return np.where(Z > 0, slope, 0) @ np.arange(6.0).reshape(3, 2)


WAVE = sets(wave, lambda rng: [Call(x=9 * rng.normal(size=9), n=2.3)])
MEANS = sets(running, lambda rng: [Call(m=rng.normal(size=9), v=rng.uniform(size=9), g=rng.normal(size=9), b=0.7)])
RELU = sets(let_through, lambda rng: [Call(Z=rng.normal(size=(n, 3)), g=rng.normal(size=(n, 3))) for n in (7, 9)])
LOSS = sets(loss, lambda rng: [Call(X=rng.normal(size=(n, 3)), T=9 * rng.normal(size=(n, 3))) for n in range(2, 12)])


@pytest.mark.parametrize(
    ("exercise", "wrong", "words"),
    [
        (LOSS, lambda X, T: np.sum((X - T) ** 2) / len(X), "a square in the place of a size, where `X` and `T` stand"),
        (WAVE, lambda x, n: np.sin(x // n), "a whole division in the place of a division, where `x` and `n` stand"),
        (
            MEANS,
            lambda m, v, g, b: (running(m, v, g, b)[0], b * v + (1 - b) * np.abs(g)),
            "a size in the place of a square",
        ),
        (
            MEANS,
            lambda m, v, g, b: (running(m, v, g, b)[0], v + g * g),
            "both weights of a mean left out, where `v`, `g` and `b`",
        ),
        (
            MEANS,
            lambda m, v, g, b: (np.tanh(b * m + (1 - b) * g), running(m, v, g, b)[1]),
            "a weight too many, 1 − the other",
        ),
        (MEANS, lambda m, v, g, b: (np.tanh(b + m + g), running(m, v, g, b)[1]), "a plus in the place of a product"),
        (
            RELU,
            lambda Z, g: (np.sign(Z) * np.cos(3 * g)) @ np.arange(6.0).reshape(3, 2),
            "a sign in the place of a condition",
        ),
        (
            RELU,
            lambda Z, g: let_through(np.cos(3 * g), g),
            "a condition on what is let through in the place of the one asked for",
        ),
        (RELU, lambda Z, g: let_through(np.minimum(Z, np.cos(3 * g)), g), "a second condition, on what is let through"),
    ],
)
def test_other_forms_of_a_formula(exercise, wrong, words):
    assert words in diagnosis_of(exercise, wrong).text
    bent = lambda *given: tuple(x + 1e-3 * (x > 0) for x in wrong(*given)) if exercise is MEANS else wrong(*given) + 9
    assert "one thing changed" not in diagnosis_of(exercise, bent).text


def overall(A, B):
    return np.tanh((len(A) * A.mean() + len(B) * B.mean()) / (len(A) + len(B)))


def by_rows(X):
    return np.tanh(np.sum(X) / len(X))


def test_another_count_than_that_of_the_rows():
    parts = lambda rng: [Call(A=rng.normal(size=n), B=rng.normal(size=(2 * n, 3))) for n in (4, 5, 7)]
    text = diagnosis_of(sets(overall, parts), lambda A, B: np.tanh((A.mean() + B.mean()) / 2)).text
    assert "1 in the place of a count, in 4 places, where `A` and `B` stand" in text
    exercise = sets(by_rows, lambda rng: [Call(X=rng.normal(size=(n, 2, 3))) for n in (4, 5, 7)])
    for wrong, words in (
        (lambda X: np.tanh(X.mean()), "all entries counted in the place of the rows"),
        (lambda X: np.tanh(X.sum() / X.shape[-1]), "the last axis in the place of the rows"),
    ):
        assert words in diagnosis_of(exercise, wrong).text


def soft(x):
    return x / (1 + np.abs(x).sum())


def scores(x, t):
    return np.sum((soft(x) - t) ** 2)


def test_a_function_of_the_solutions_own_twice():
    exercise = sets(scores, lambda rng: [Call(x=rng.normal(size=4), t=rng.uniform(size=4)) for _ in range(4)])
    assert "`soft` twice" in diagnosis_of(exercise, lambda x, t: np.sum((soft(soft(x)) - t) ** 2)).text


def test_the_same_change_in_two_places_that_look_alike():
    def both(x, y, n):
        return np.sin(x / (1 + n)) * np.tanh(y / (1 + n))

    exercise = sets(both, lambda rng: [Call(x=rng.normal(size=5), y=rng.normal(size=5), n=n) for n in (2, 3)])
    text = diagnosis_of(exercise, lambda x, y, n: np.sin(x) * np.tanh(y)).text
    assert "a division left out, in 2 places, where `x`, `y` and `n` stand" in text

    def standard(x):
        return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)

    wrong = lambda x: (x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True)
    exercise = sets(standard, lambda rng: [Call(x=rng.normal(size=(3, 4, 5)))])
    assert "a sum or mean along another axis, in 2 places" in diagnosis_of(exercise, wrong).text


def test_a_part_is_explained_and_the_others_are_only_said_to_be_wrong():
    def returned(x, y):
        total = (x * y).sum(axis=0)
        return {"total": total, "square": np.sqrt(x**2 + y**2), "third": np.tanh(x) + total}

    def wrong(x, y):
        return {"total": (x / y).sum(axis=0), "square": np.cos(x * y), "third": np.sin(9 * x + y)}

    exercise = sets(returned, lambda rng: [Call(x=rng.normal(size=(3, 4)), y=rng.normal(size=(3, 4)))] * 2)
    found = diagnosis_of(exercise, wrong)
    assert found.text.startswith("In `['total']`: your answer is what the right computation comes to")
    assert found.text.endswith("`['square']`, `['third']` are wrong too.")


def chained(x, y, decay=0.1):
    speed = np.tanh(x) - y
    energy = np.cosh(speed).sum(axis=0)
    return {"speed": speed, "energy": energy, "other": np.arctan(x * y)}


@pytest.mark.parametrize(("beside", "others"), [
    (lambda x, y: np.arctan(x * y), "`['energy']` follows from that. `['other']` is right."),
    (lambda x, y: np.sin(7 * x) + y, "`['energy']` follows from that. `['other']` is wrong too."),
])  # fmt: skip
def test_a_wrong_part_is_said_to_follow_only_where_the_reference_gives_it_from_the_part_that_was_explained(
    beside, others
):
    def wrong(x, y, decay=0.1):
        speed = np.tanh(x) - y + decay * x
        return {"speed": speed, "energy": np.cosh(speed).sum(axis=0), "other": beside(x, y)}

    calls = lambda rng: [Call(x=rng.normal(size=(3, 4)), y=rng.normal(size=(3, 4)), decay=0.37) for _ in range(2)]
    text = diagnosis_of(sets(chained, calls), wrong).text
    assert text.startswith("`['speed']`: the answer is the right one plus `decay` · `x`.")
    assert text.endswith(others)


def test_what_follows_in_one_call_only_does_not_follow():
    def wrong(x, y, decay=0.1):
        speed = np.tanh(x) - y + decay * x
        energy = np.cosh(speed).sum(axis=0) if len(x) == 3 else np.cosh(y).sum(axis=0)
        return {"speed": speed, "energy": energy, "other": np.arctan(x * y)}

    calls = lambda rng: [Call(x=rng.normal(size=(n, 4)), y=rng.normal(size=(n, 4)), decay=0.37) for n in (3, 5)]
    assert diagnosis_of(sets(chained, calls), wrong).text.endswith("`['energy']` is wrong too. `['other']` is right.")


class Counter:
    def __init__(self, start, factor=0.5):
        self.value, self.factor, self.told = start, factor, 0

    def tell(self, x):
        self.told += 1
        if x > self.value:
            self.value = self.value + self.factor * (x - self.value)
        return self.value / self.told


def lives(rng):
    for _ in range(3):
        told = [("tell", (float(x),)) for x in rng.normal(size=6)]
        yield Script(new={"start": float(rng.normal()), "factor": 0.3}, calls=told)


COUNTER = sets(Counter, lambda rng: list(lives(rng)), name="Counter")


def test_an_object_is_compared_with_what_else_its_class_could_be():
    class Ignores(Counter):
        def __init__(self, start, factor=0.5):
            super().__init__(start)

    class Turned(Counter):
        def tell(self, x):
            self.told += 1
            if x <= self.value:
                self.value = self.value + self.factor * (x - self.value)
            return self.value / self.told

    ignores, turned = diagnosis_of(COUNTER, Ignores), diagnosis_of(COUNTER, Turned)
    assert (ignores.name, "`factor=0.5`, whatever `factor` is" in ignores.text) == ("ignored", True)
    assert (turned.name, "`<=` in the place of `>`" in turned.text) == ("one_change", True)


def test_answers_of_yes_and_no_tell_by_which_of_them_are_wrong():
    late = lambda count, patience: count // patience % 2 == 0
    probes = lambda rng: [Call(count=int(n), patience=int(p)) for n, p in rng.integers(1, 9, size=(40, 2))]
    exercise = sets(late, probes, name="late")
    found = diagnosis_of(exercise, lambda count, patience: late(count, patience + 1))
    assert (found.name, "`patience` one larger" in found.text) == ("shifted_count", True)
    few = sets(late, lambda rng: probes(rng)[:12], name="late")
    assert diagnosis_of(few, lambda count, patience: late(count, patience + 1)).name != "shifted_count"


def test_how_much_a_call_takes_is_counted_the_same_each_time():
    witness, answers = [], LiveAnswers(ROLLING, {}, 3)
    wrong = lambda p, g, s, lr=0.1, beta=0.9: rolling(p, g, s, lr**3, beta)
    judge(ROLLING, lambda: Here(wrong, "rolling"), answers, witness=witness)
    assert len({Relatives(ROLLING, witness, answers).effort for _ in range(3)}) == 1


def test_what_might_never_end_is_not_changed():
    def halved(x, least):
        while np.abs(x).max() > least:
            x = x / 2
        return x

    assert not switched(sets(halved, None)).changes


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


def grown(x, growth=3.0, shrink=1.0, lr=0.1):
    return lr * np.sum(np.tanh(x) * growth**2 + shrink)


def grown_otherwise(x, growth=3.0, shrink=1.0, lr=0.1):
    return lr * np.sum(np.exp(x) if growth > shrink else np.tanh(x) * growth**2 + shrink)


@pytest.mark.parametrize(("chosen", "told"), [
    ([(1.5, 0.9), (1.4, 0.8), (1.6, 0.7), (1.0, 1.3), (1.0, 1.4), (1.0, 1.2)], "`growth` is not 1"),
    ([(1.5, 0.9), (1.4, 0.8), (1.6, 0.7), (1.2, 1.3)], None),
    ([(1.5, 0.9), (1.4, 0.8), (1.6, 0.7), (1.0, 1.0), (1.0, 1.3), (1.1, 1.2)], None),
    ([(1.5, 0.9), (1.4, 0.8), (1.6, 0.7), (1.2, 1.3), (1.1, 1.4), (0.7, 0.9)], "`growth` is larger than `shrink`"),
])  # fmt: skip
def test_two_arguments_are_compared_only_where_more_than_two_calls_speak_on_either_side_and_none_does_alone(
    chosen, told
):
    calls = lambda rng: [Call(x=rng.normal(size=4), growth=g, shrink=s) for g, s in chosen]
    found = diagnosis_of(sets(grown, calls), grown_otherwise).text
    assert (f"wrong in every call in which {told}, and" in found) if told else ("in every call" not in found)


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


def test_two_arguments_that_are_always_chosen_together_are_both_named():
    calls = lambda rng: [Call(x=rng.normal(size=4), growth=g, shrink=s) for g, s in ((1, 1), (1, 1), (2, 3), (3, 2))]
    wrong = lambda x, growth=1, shrink=1, lr=0.1: grown(x, growth, shrink, lr) + (growth != 1) * np.sin(50 * x[0])
    found = diagnosis_of(sets(grown, calls), wrong).text
    assert "in every call in which `growth` is not 1 and `shrink` is not 1, and right" in found


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


def test_a_known_mistake_that_leaves_right_all_that_is_wrong_has_no_part_in_it():
    def rates(layers, decay, frozen=0):
        return [decay ** (layers - 1 - i) if i >= frozen else 0.0 for i in range(layers)]

    calls = lambda rng: [Call(layers=n, decay=float(rng.uniform(0.3, 0.7)), frozen=n - 4) for n in (6, 7)]
    ignored = Misconception("ignored", lambda layers, decay, frozen=0: rates(layers, decay), "Which are frozen?")
    exercise = sets(rates, calls, ignored)
    alike = lambda layers, decay, frozen=0: [min(1.0, r / decay) for r in rates(layers, decay, frozen)]
    assert diagnosis_of(exercise, alike).name != "ignored"
    besides = lambda layers, decay, frozen=0: [-r for r in rates(layers, decay)]
    assert diagnosis_of(exercise, besides).name == "ignored"


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


def test_a_known_mistake_is_known_by_what_does_not_hold_where_right_answers_differ():
    short = lambda values: None if np.abs(values[0]).max() > 3 else "The numbers lie too close together."
    spread = sets(
        lambda n, rng: 9 * rng.normal(size=n),
        lambda rng: [Property(Call(n=50, rng=Seed(int(rng.integers(99)))), short)],
        Misconception("narrow", lambda n, rng: rng.uniform(-1, 1, size=n), "How far do they spread?"),
        name="spread", pure=False,
    )  # fmt: skip
    assert diagnosis_of(spread, lambda n, rng: rng.uniform(-0.5, 0.5, size=n)).name == "narrow"


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
    assert "`params`" in found.text


def test_a_single_step_is_not_called_a_sequence_behind():
    late = lambda p, g, s, lr=0.1, beta=0.9: (p, rolling(p, g, s, lr, beta)[1])
    assert "one step" not in diagnosis_of(ROLLING, late).text


# ---------------------------------------------------------------------------------------------- nothing explains it
def test_what_nothing_explains_is_at_least_said_to_be_too_large_or_too_small():
    wide = sets(lambda x: x**3, lambda rng: [Call(x=rng.normal(size=9))], name="wide")
    assert diagnosis_of(wide, lambda x: x**3 + np.exp(x)).text.endswith("All wrong numbers are too large.")
    assert diagnosis_of(wide, lambda x: np.arctan(x) ** 3).text.endswith("All wrong numbers are too close to zero.")
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


def test_answers_among_which_one_is_empty_are_read():
    x = [np.random.default_rng(0).normal(size=(n, 4)) for n in (5, 0, 6)]

    def squashed(x):
        return np.tanh(x)

    exercise = sets(squashed, lambda rng: [Call(x=each) for each in x])
    found = diagnosis_of(exercise, lambda x: np.tanh(x) + np.sin(9 * np.arange(len(x)))[:, None] * x**2)
    assert "entries" in found.text


def test_what_the_changed_expression_comes_to_is_told_at_home_only():
    def squares(x, y):
        return (x - y) ** 2 + np.tanh(y)

    exercise = sets(squares, lambda rng: [Call(x=rng.normal(size=(3, 4)), y=rng.normal(size=(3, 4)))] * 2)
    found = diagnosis_of(exercise, lambda x, y: x - y**2 + np.tanh(y))
    assert (found.name, found.detail) == ("one_change", "As if `x - y ** 2` stood there.")
    assert "y ** 2" not in found.text


def test_numbers_that_are_about_right_are_said_to_be():
    about = sets(
        lambda x: np.cumsum(x), lambda rng: [Call(x=rng.uniform(1, 2, size=9)) for _ in range(3)], name="about"
    )
    found = diagnosis_of(about, lambda x: np.cumsum(x + 0.03 * np.sin(40 * x)))
    assert "They are near the right ones" in found.text
    assert "near the right ones" not in diagnosis_of(about, lambda x: np.cumsum(x + np.sin(40 * x))).text


def test_where_one_part_raises_the_wrong_numbers_of_another_are_explained_besides():
    options = lambda rng: [Call(x=rng.normal(size=(4, 3)), y=rng.normal(size=(4, 3)), shift=0.5)]
    exercise = sets(weighted_mean, None, groups=[Group("bare", 1, options), Group("weighted", 1, mean_probes)])
    wrong = lambda x, y, weights=None, shift=0.0: 3 * weighted_mean(x, y, weights.copy(), shift)
    found = diagnosis_of(exercise, wrong)
    assert found.kind == "raised"
    assert "The call raised AttributeError. In the part `weighted`: every number is" in found.text


def test_the_items_of_a_returned_tuple_are_called_as_the_task_calls_them():
    two = lambda x, y: (x + y, {"W": x - y})
    probes = lambda rng: [Call(x=rng.normal(size=(4, 3)), y=rng.normal(size=(4, 3)))]
    exercise = sets(two, probes, name="two", returns=("total", "apart"))
    found = judge(exercise, lambda: Here(lambda x, y: (x + y, {"W": x * y}), "two"), LiveAnswers(exercise, {}, 3))
    assert "Only `apart` is affected" in found.diagnosis.text
    assert "`total` is right" in found.diagnosis.text
    assert "entries of apart['W'] are wrong" in found.groups[0].words


def test_a_float_in_the_place_of_an_int_is_refused_where_the_task_asks_for_ints():
    probes = lambda rng: [Call(n=int(rng.integers(3, 9)))]
    for whole in (True, False):
        exercise = sets(lambda n: n * n, None, name="square", groups=[Group("values", 1, probes, whole=whole)])
        verdict = judge(exercise, lambda: Here(lambda n: float(n * n), "square"), LiveAnswers(exercise, {}, 3))
        assert verdict.passed is not whole


def test_wrong_arrays_are_said_to_be_those_for_which_an_argument_has_none():
    def walked(params, grads):
        moved = {k: p if grads[k] is None else p - 0.1 * grads[k] for k, p in params.items()}
        return moved, {k: p + 1 for k, p in params.items()}

    def wrong(params, grads):
        moved, other = walked(params, grads)
        return moved, {k: np.sin(9 * x) if grads[k] is None else x for k, x in other.items()}

    def probes(rng):
        params = {k: rng.normal(size=(3, 4)) for k in "abcd"}
        return [Call(params=params, grads={k: None if k in "bd" else rng.normal(size=(3, 4)) for k in params})]

    found = diagnosis_of(sets(walked, probes), wrong)
    assert "Only `answer[1]['b']`, `answer[1]['d']` are affected" in found.text
    assert found.text.count("The wrong ones are those for which `grads` has None.") == 1


def test_the_same_of_each_layer_is_said_once():
    def decayed(slots, model, decay=0.1):
        return [v - decay * w for v, w in zip(slots, model, strict=True)]

    def probes(rng):
        tables = lambda: [rng.normal(size=(3, 2 + i)) for i in range(3)]
        return [Call(slots=tables(), model=tables(), decay=float(rng.uniform(0.2, 0.4)))]

    def wrong(slots, model, decay=0.1):
        return [right + 3 * decay * w for right, w in zip(decayed(slots, model, decay), model, strict=True)]

    found = diagnosis_of(sets(decayed, probes), lambda slots, model, decay=0.1: wrong(slots, model, decay))
    assert found.text == "`item i`: the answer is the right one plus a multiple of `model[i]`."


def test_numbers_that_are_only_next_to_zero_are_not_called_zero():
    exercise = sets(lambda x: 1e-3 * x, lambda rng: [Call(x=rng.normal(size=(3, 4)))], name="thousandth")
    assert diagnosis_of(exercise, lambda x: 1e-40 * np.sin(9 * x)).name != "zeros"
    assert diagnosis_of(exercise, lambda x: 0 * x).name == "zeros"
