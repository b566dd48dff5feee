"""Property: asked for all calls at once over the wire, an answer is seen to do what it does asked call by call."""

from __future__ import annotations

import numpy as np
import pytest
from test_judge import Tally, ema, is_permutation, ramp, row_means, shuffled

from gradschool_grader.exercise import Call, Exercise, Group, Made, Property, Script, Seed, Steps
from gradschool_grader.inside.perform import Performer
from gradschool_grader.inside.wire import NODE_CAP, WireError, plain
from gradschool_grader.observe import Behaviour, Malformed, Plan, here, messages, observe


def summed(params, xs):
    """One carried value: a dict."""
    return {"w": params["w"] + xs.sum()}


class Scaled:
    def __init__(self, x):
        self.x = x

    def times(self, other):
        return Scaled(self.x * other.x)

    def value(self):
        return self.x


def probes_of(function):
    rng = np.random.default_rng(3)

    def tree():
        return {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}

    return {
        "row_means": [Call(X=rng.normal(size=(5, 3))), Call(X=rng.normal(size=7)), Call(X=np.ones((2, 4), int))],
        "ema": [Steps({"params": tree(), "state": tree()}, [{"g": tree()} for _ in range(4)], {"b": 0.7})] * 2,
        "summed": [Steps({"params": {"w": 3.0}}, [{"xs": rng.normal(size=2)} for _ in range(3)])],
        "Tally": [Script({"start": 0.5}, [("update", (2.0, 3)), ("mean", ()), ("total", None)])],
        "Scaled": [
            Script(
                {"x": 3.0},
                [
                    ("y = a.times", (Made("2"),)),
                    ("b = Scaled", (2.0,)),
                    ("z = y.times", (Made("b"),)),
                    ("z.value", ()),
                    ("z.x", None),
                ],
                name="a",
                others=1,
            )
        ],
        "ramp": [Call(lr=0.5, n=4).then((0,), (3,), (9,))],
        "shuffled": [Property(Call(x=np.arange(9.0), rng=Seed(4)), is_permutation, times=3)],
    }[function]


def wrong_length(params, state, g, b=0.9):
    return params, state, 3


def second_step_raises(params, state, g, b=0.9):
    if (state["b"] < 0.5).all() and "seen" in params:
        raise ValueError("enough")
    return {**params, "seen": np.zeros(1)}, state


class Forgetful(Tally):
    def mean(self):
        raise RuntimeError("no mean")


class Plain(Scaled):
    def times(self, other):
        return self.x * other.x  # a number, where an object is to be kept


REFERENCES = [row_means, ema, summed, Tally, Scaled, ramp, shuffled]
WRONG = [
    (row_means, lambda X, weights=None: None),
    (ema, wrong_length),
    (ema, second_step_raises),
    (ema, lambda params, state, g: params),
    (ema, lambda params, state, g, b: 1 / 0),
    (summed, lambda params, xs: None),
    (Tally, Forgetful),
    (Tally, lambda start: start),
    (Scaled, Plain),
    (ramp, lambda lr, n: lr * n),
    (ramp, lambda lr, n: lambda t: 1 / 0),
    (shuffled, lambda x, rng: x),
]


def exercise_on(reference):
    group = Group("all", 1, lambda rng: probes_of(reference.__name__))
    return Exercise(reference=reference, chapter="t", task="", example="", groups=[group])


def at_once(exercise, plan, function):
    performer = Performer({}, {exercise.name: function})
    return plan.observations(
        plain(reply) for calls in [plain({"op": "calls", "calls": plan.requests})] for reply in performer.replies(calls)
    )


def what(observations):
    def bare(tree):
        if isinstance(tree, np.ndarray):
            return tree.dtype, tree.shape, tree.tolist()
        if type(tree) in (list, tuple):
            return [bare(item) for item in tree]
        if type(tree) is dict:
            return {key: bare(item) for key, item in tree.items()}
        return tree

    return [
        (o.probe, o.label, o.again, bare(dict(o.arguments)), bare(vars(o.behaviour) | {"seconds": 0.0, "frames": []}))
        for o in observations
    ]


@pytest.mark.parametrize(("reference", "function"), [(f, f) for f in REFERENCES] + WRONG)
def test_all_at_once_is_seen_as_call_by_call(reference, function):
    exercise, probes = exercise_on(reference), probes_of(reference.__name__)
    one_by_one = observe(exercise, probes, here(exercise, function, {}))
    assert len(one_by_one) > 0
    assert what(at_once(exercise, Plan(exercise, probes), function)) == what(one_by_one)


def test_behind_a_call_that_handed_nothing_on_no_other_is_made():
    exercise, calls = exercise_on(ema), []
    plan = Plan(exercise, probes_of("ema")[:1])
    seen = at_once(exercise, plan, lambda params, state, g, b: calls.append(b))
    assert (len(plan.requests), len(calls), len(seen)) == (8, 2, 2)  # once, and once again


def test_what_a_call_is_given_is_not_what_the_judge_sees_of_the_call_before():
    """A step that changes its arguments in place must not change what the step before it returned."""
    exercise = exercise_on(summed)

    def in_place(params, xs):
        params["w"] = params["w"] + xs.sum()
        return params

    probes = probes_of("summed")
    seen = at_once(exercise, Plan(exercise, probes, twice=False), in_place)
    x = 3.0
    for observation, fed in zip(seen, probes[0].feed, strict=True):
        assert observation.arguments["params"]["w"] == x
        x += fed["xs"].sum()
        assert observation.behaviour.value["w"] == x


def test_a_reply_that_leaves_out_what_could_be_called_is_no_behaviour():
    exercise = exercise_on(summed)
    plan = Plan(exercise, probes_of("summed"))
    with pytest.raises(Malformed):
        plan.observations(iter([{"left out": True}] * len(plan.requests)))


def test_the_later_replies_of_a_sequence_that_ended_say_nothing():
    """Whether it ended is the judge's to say, by the replies before."""
    exercise = exercise_on(ema)
    plan = Plan(exercise, probes_of("ema")[:1], twice=False)
    behaviour = vars(Behaviour(value=3.0)) | {"frames": [], "kinds": [], "mutated": [], "aliased": [], "warnings": []}
    assert len(plan.observations(iter([behaviour] * len(plan.requests)))) == 1


def test_what_is_too_large_for_one_message_is_sent_in_several():
    calls = [{"number": i, "args": [0.0] * (NODE_CAP // 3)} for i in range(5)]
    assert [count for _, count in messages(calls)] == [2, 1, 2]
    with pytest.raises(WireError):
        list(messages([{"number": 0, "args": [0.0] * NODE_CAP}]))


def test_each_call_of_a_property_has_a_generator_of_its_own():
    seen = observe(exercise_on(shuffled), probes_of("shuffled"), here(exercise_on(shuffled), shuffled, {}), twice=False)
    assert len({o.behaviour.value.tobytes() for o in seen}) == 3
    again = [shuffled(**{**o.arguments, "rng": np.random.default_rng(o.arguments["rng"].seed)}) for o in seen]
    np.testing.assert_array_equal([o.behaviour.value for o in seen], again)
