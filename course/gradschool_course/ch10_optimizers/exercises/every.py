"""Parameters come in trees: a rule applied to every array of one, together with its namesakes in others."""

import inspect
from typing import Any

import numpy as np

from gradschool import optimizers
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import equivalent
from .trees import number

update_each = inspect.unwrap(optimizers.update_each)


# ---------------------------------------------------------------------------------------------- trees for the probes
def network(rng, draw=None):
    """Two layers and a list of offsets: nested twice, in dicts and a list."""
    draw = draw or (lambda shape: rng.normal(size=shape))
    return {
        "body": {"dense": {"W": draw((3, 5)), "b": draw(5)}, "norm": {"gain": draw(4), "mean": draw(4)}},
        "head": {"W": draw((3, 5)), "b": draw(1)},
        "offsets": [draw(6), {"last": draw((4, 3))}],
    }


def turned(tree):
    """The same tree with the names of every dict in reverse order."""
    if isinstance(tree, dict):
        return {name: turned(tree[name]) for name in reversed(tree)}
    return [turned(part) for part in tree] if isinstance(tree, list) else tree


def frozen(tree):
    """None in the place of what is not learned: the running mean of a normalisation, and the offsets as a whole."""
    body = {**tree["body"], "norm": {**tree["body"]["norm"], "mean": None}}
    return {**tree, "body": body, "offsets": None}


def without_slots(tree):
    """None in the place of what has no velocity: one array of a layer, and all of another."""
    body = {**tree["body"], "dense": {**tree["body"]["dense"], "b": None}}
    return {**tree, "body": body, "head": None}


def decayed(rng):
    return Helper("decayed", {"lr": number(rng, 0.1, 0.4), "decay": number(rng, 0.3, 0.9)})


# ---------------------------------------------------------------------------------------- how update_each is probed
def one_tree(rng):
    flat = {"W": rng.normal(size=(3, 5)), "b": rng.normal(size=4)}
    grads = {"W": rng.normal(size=(3, 5)), "b": rng.normal(size=4)}
    return [
        Call(rule=decayed(rng), params=network(rng), trees=(turned(network(rng)),)),
        Call(rule=decayed(rng), params=flat, trees=(grads,)),
        Call(rule=Helper("shrunk", {"by": number(rng, 0.3, 0.7)}), params=network(rng), trees=()),
    ]


def with_slots(rng):
    rule = Helper("rolling", {"lr": number(rng, 0.1, 0.4), "beta": number(rng, 0.5, 0.8)})
    return [Call(rule=rule, params=network(rng), trees=(turned(network(rng)), network(rng)))]


def not_learned(rng):
    rule = Helper("rolling", {"lr": number(rng, 0.1, 0.4), "beta": number(rng, 0.5, 0.8)})
    return [
        Call(rule=decayed(rng), params=network(rng), trees=(frozen(network(rng)),)),
        Call(rule=rule, params=network(rng), trees=(frozen(network(rng)), network(rng))),
        Call(rule=rule, params=network(rng), trees=(network(rng), without_slots(network(rng)))),
    ]


def other_names(rng):
    short, long = network(rng), network(rng)
    del short["body"]["dense"]["b"]
    long["head"]["scale"] = rng.normal(size=3)
    fewer, more = network(rng), network(rng)
    fewer["offsets"].pop()
    more["offsets"].append(rng.normal(size=2))
    right = Call(rule=decayed(rng), params=network(rng), trees=(network(rng),))
    wrong = [Call(rule=decayed(rng), params=network(rng), trees=(tree,)) for tree in (short, long, fewer, more)]
    return [right, *wrong, *other_names_of_slots(rng)]


def other_names_of_slots(rng):
    """Gradients that fit, and velocities with a name too many or too few, or in a longer or shorter list."""
    rule = Helper("rolling", {"lr": number(rng, 0.1, 0.4), "beta": number(rng, 0.5, 0.8)})
    params, grads, slots = ({"a": rng.normal(size=3), "b": list(rng.normal(size=(2, 4)))} for _ in range(3))
    a, b = slots.values()
    wrong = [slots | {"c": rng.normal(size=3)}, {"b": b}, {"a": a, "b": b[:1]}, {"a": a, "b": [*b, rng.normal(size=4)]}]
    return [Call(rule=rule, params=params, trees=(grads, tree)) for tree in wrong]


# ----------------------------------------------------------------------------------------- how update_each goes wrong
def walking(below):
    """A walk over trees of dicts and lists with one part of one's own: below(rule, p, others) where p has no parts."""

    def wrong(rule, params, *trees):
        return walk(rule, params, trees, below)

    return wrong


def walk(rule, p, others, below):
    """One node: its parts if it has any, `below` if it has none; None in another tree stops here."""
    learned = not any(other is None for other in others)
    if not isinstance(p, dict | list) or not learned:
        return below(rule, p, others)
    names = list(p) if isinstance(p, dict) else range(len(p))
    for other in others:
        if len(other) != len(p) or (isinstance(p, dict) and set(other) != set(p)):
            raise ValueError(f"expected the names {list(names)}, got {list(other)}")
    parts = [walk(rule, p[name], [other[name] for other in others], below) for name in names]
    return gathered(p, parts, count(others))


def count(others):
    """How many trees come back: the parameters, and everything after the gradients."""
    return max(1, len(others))


def gathered(p, parts, trees):
    """The parts of a dict or list as one such container, or as one for each tree."""
    if trees == 1:
        return dict(zip(p, parts, strict=True)) if isinstance(p, dict) else parts
    columns = [[part[i] for part in parts] for i in range(trees)]
    return tuple(dict(zip(p, column, strict=True)) if isinstance(p, dict) else column for column in columns)


def copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: copied(part) for name, part in tree.items()}
    return [copied(part) for part in tree] if isinstance(tree, list) else None if tree is None else tree.copy()


def kept(p, others, copy=copied):
    """What comes back where nothing is learned: the parameters and the slots as they were."""
    new = [copy(tree) for tree in (p, *others[1:])]
    return new[0] if len(new) == 1 else tuple(new)


def leaf(rule, p, others):
    return kept(p, others) if any(other is None for other in others) else rule(p, *others)


def zero_gradient(rule, p, others):
    """None as a gradient of zero, all the way down."""
    if not any(other is None for other in others):
        return rule(p, *others)
    nothing = update_each(np.zeros_like, p)
    return update_each(rule, p, *(nothing if other is None else other for other in others))


def none_not_allowed(rule, p, others):
    return rule(p, *others) if isinstance(p, np.ndarray) else kept(p, [copied(p), *others[1:]])


def only_the_top(rule, params, *trees):
    new = {}
    for name, p in params.items():
        others = [tree[name] for tree in trees]
        new[name] = leaf(rule, p, others) if isinstance(p, np.ndarray) else kept(p, others)
    return gathered(params, list(new.values()), count(trees))


def two_levels(rule, params, *trees):
    new = {}
    for name, p in params.items():
        others = [None if tree is None else tree[name] for tree in trees]
        inside = isinstance(p, dict) and not any(other is None for other in others)
        new[name] = only_the_top(rule, p, *others) if inside else only_the_top(rule, {0: p}, *({0: o} for o in others))
        if not inside:
            new[name] = new[name][0] if count(trees) == 1 else tuple(part[0] for part in new[name])
    return gathered(params, list(new.values()), count(trees))


def lists_not_entered(rule, params, *trees):
    def below(p, others):
        if isinstance(p, list) or any(other is None for other in others):
            return kept(p, others)
        if not isinstance(p, dict):
            return rule(p, *others)
        for other in others:
            if set(other) != set(p):
                raise ValueError(f"expected the names {list(p)}, got {list(other)}")
        return gathered(p, [below(p[name], [other[name] for other in others]) for name in p], count(others))

    return below(params, trees)


def by_position(rule, params, *trees):
    def same_order(p, other):
        if isinstance(p, dict) and isinstance(other, dict):
            if len(p) != len(other):
                raise ValueError("the trees have different numbers of parts")
            return {name: same_order(p[name], part) for name, part in zip(p, other.values(), strict=True)}
        if isinstance(p, list) and isinstance(other, list):
            return [same_order(*pair) for pair in zip(p, other, strict=True)]
        return other

    return update_each(rule, params, *(same_order(params, tree) for tree in trees))


def only_params_returned(rule, params, *trees):
    new = update_each(rule, params, *trees)
    return new[0] if len(trees) > 1 else new


def gradients_returned(rule, params, *trees):
    new = update_each(rule, params, *trees)
    return (new[0], copied(trees[0]), *new[1:]) if len(trees) > 1 else new


def tuples_in_the_leaves(rule, params, *trees):
    """One tree with tuples in the place of its arrays, where several trees are asked for."""
    several = len(trees) > 1
    packed = (lambda p, *others: {"": rule(p, *others)}) if several else rule
    if not several:
        return update_each(rule, params, *trees)

    def below(p, others):
        if any(other is None for other in others):
            return kept(p, others)
        if not isinstance(p, dict | list):
            return packed(p, *others)[""]
        names = list(p) if isinstance(p, dict) else range(len(p))
        parts = [below(p[name], [other[name] for other in others]) for name in names]
        return dict(zip(p, parts, strict=True)) if isinstance(p, dict) else parts

    return below(params, trees)


def shared(rule, p, others):
    if any(other is None for other in others):
        return kept(p, others, copy=lambda tree: tree)
    return rule(p, *others)


def names_not_compared(rule, params, *trees):
    def below(p, others):
        if any(other is None for other in others):
            return kept(p, others)
        if not isinstance(p, dict | list):
            return rule(p, *others)
        names = list(p) if isinstance(p, dict) else range(len(p))
        have = [other if isinstance(other, dict) else dict(enumerate(other)) for other in others]
        parts = [below(p[name], [other.get(name) for other in have]) for name in names]
        return gathered(p, parts, count(others))

    return below(params, trees)


def extra_names_ignored(rule, params, *trees):
    def trimmed(p, other):
        if isinstance(p, dict) and isinstance(other, dict):
            return {name: trimmed(p.get(name), part) for name, part in other.items() if name in p}
        return other

    return update_each(rule, params, *(trimmed(params, tree) for tree in trees))


def slots_not_compared(rule, params, *trees):
    """Names and lengths are compared with those of the gradients; the slots are read under the names of params."""

    def like(p, other):
        if isinstance(p, dict) and isinstance(other, dict):
            return {name: like(part, other[name]) for name, part in p.items()}
        return [like(part, other[i]) for i, part in enumerate(p)] if isinstance(p, list) and other else other

    return update_each(rule, params, *trees[:1], *(like(params, tree) for tree in trees[1:]))


def lists_cut_short(rule, params, *trees):
    """Lists are zipped: the shortest says how long they are."""

    def below(p, others):
        if not isinstance(p, dict | list) or any(other is None for other in others):
            return leaf(rule, p, others)
        if isinstance(p, dict) and any(set(other) != set(p) for other in others):
            raise ValueError("names differ")
        columns = [p, *others] if isinstance(p, list) else [[tree[name] for name in p] for tree in (p, *others)]
        return gathered(p, [below(part, rest) for part, *rest in zip(*columns, strict=False)], count(others))

    return below(params, trees)


# ----------------------------------------------------------------------------------------- how update_each goes right
def through_paths(rule, params, *trees):
    """Every array by its path: list the paths, apply the rule to each, and put the answers back."""

    def check(p, other, path=()):
        if other is None or not isinstance(p, dict | list):
            return
        names = set(p) if isinstance(p, dict) else set(range(len(p)))
        if names != (set(other) if isinstance(other, dict) else set(range(len(other)))):
            raise ValueError(f"the trees differ at {path}")
        for name in names:
            check(p[name], other[name], (*path, name))

    def paths(tree, path=()):
        parts = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for name, part in parts:
            yield from paths(part, (*path, name)) if isinstance(part, dict | list) else [(*path, name)]

    def at(tree, path):
        for name in path:
            tree = None if tree is None else tree[name]
        return tree

    for tree in trees:
        check(params, tree)
    new = [copied(tree) for tree in (params, *trees[1:])]
    for path in paths(params):
        others = [at(tree, path) for tree in trees]
        if any(other is None for other in others):
            continue
        moved = rule(at(params, path), *others)
        for tree, array in zip(new, (moved,) if len(new) == 1 else moved, strict=True):
            holder = tree
            for name in path[:-1]:
                holder = holder[name]
            holder[path[-1]] = array
    return new[0] if len(new) == 1 else new


PARTS = "Every array of a tree"

UPDATE_EACH = Exercise(
    reference=optimizers.update_each,
    chapter="ch10_optimizers",
    title="A rule for every array of a tree",
    difficulty=4,
    minutes=25,
    task="""Apply `rule` to every array of `params`, together with the arrays that stand under the same names in the
other `trees`. A tree is an array, or a dict or list of trees, nested to any depth; names are matched, not positions.

- `update_each(rule, params)` and `update_each(rule, params, grads)`: `rule(p)` or `rule(p, g)` returns the new p. One
  tree comes back, nested like `params`.
- with more trees, such as velocities: `rule(p, g, v)` returns `(p, v)`. A tuple of as many trees comes back, one of the
  new p, one of the new v. The second argument, the gradients, is only read.
- Where one of the `trees` has None, nothing is learned there (running means of a normalisation are the usual case):
  what stands there in `params`, and in the trees after the gradients, comes back as it was, in copies, however deep it
  goes.

Raise ValueError where the names of two trees differ, or the lengths of two lists. The arguments stay as they are.""",
    example="""\
params = {"layer": {"W": np.array([1.0, 2.0]), "b": np.array([3.0])}}
grads = {"layer": {"b": np.array([10.0]), "W": np.array([0.0, 1.0])}}
update_each(lambda p, g: p - 0.5 * g, params, grads)["layer"]["W"]  # [1.  1.5]
update_each(lambda p, g: p - 0.5 * g, params, {"layer": None})["layer"]["b"]  # [3.]""",
    groups=[
        Group("one tree", 2, one_tree, "A rule that returns the new parameter, on nested trees."),
        Group("slots", 2, with_slots, "A rule that returns the new parameter and a slot, such as a velocity."),
        Group("not learned", 2, not_learned, "None in the place of gradients, or of velocities."),
        Group("names", 1, other_names, "Trees whose names, or lengths of lists, differ are refused with ValueError."),
    ],
    misconceptions=[
        Misconception(
            "nested_skipped",
            only_the_top,
            says="only the arrays at the top were updated, and nested dicts came back as they were",
            hint="What does your loop do when it meets a dict where you expect an array?",
            see=PARTS,
        ),
        Misconception(
            "two_levels",
            two_levels,
            says="only two levels were entered",
            hint="A block of layers in a block of layers: who calls your function for the inner one?",
            see=PARTS,
        ),
        Misconception(
            "lists_not_entered",
            lists_not_entered,
            says="lists came back as they were",
            hint="Layers without names often stand in a list. What does your function do with one?",
            see=PARTS,
        ),
        Misconception(
            "state_updated",
            walking(zero_gradient),
            says="None were a gradient of zero, so that a rule with decay changed what is not learned",
            hint="A running mean of a batch normalisation has no gradient. What does weight decay make of it with you?",
            see=PARTS,
        ),
        Misconception(
            "none_not_allowed",
            walking(none_not_allowed),
            says="the rule had been called with None as its gradient",
            hint="Who looks whether the gradient is None: your function, or the rule?",
            see=PARTS,
        ),
        Misconception(
            "shared",
            walking(shared),
            says="what is not learned had been handed back itself, not in a copy",
            hint="Someone fills the running means of the new tree in place. What happens to the old tree?",
            see=PARTS,
        ),
        Misconception(
            "by_position",
            by_position,
            says="the first array of one tree belonged to the first of the other, whatever the names say",
            hint="Two dicts hold the same names in different orders. Do you zip their values, or look names up?",
            see=PARTS,
        ),
        Misconception(
            "only_params_returned",
            only_params_returned,
            says="only the parameters came back, without the slots",
            hint="The rule returns two arrays. Where does the second go?",
            see=PARTS,
        ),
        Misconception(
            "gradients_returned",
            gradients_returned,
            says="the gradients came back as well",
            hint="How many arrays does `rule(p, g, v)` return, and how many trees do you?",
            see=PARTS,
        ),
        Misconception(
            "tuples_in_the_leaves",
            tuples_in_the_leaves,
            says="one tree of tuples came back in the place of a tuple of trees",
            hint="Can the new velocities be handed to the next step as they are?",
            see=PARTS,
        ),
        Misconception(
            "names_not_compared",
            names_not_compared,
            says="a name that is missing from the gradients meant that nothing is learned there",
            hint="Someone misspells a layer's name in `grads`. How long until they notice?",
            see=PARTS,
        ),
        Misconception(
            "extra_names_ignored",
            extra_names_ignored,
            says="names that only the gradients have were passed over",
            hint="A gradient belongs to no parameter. Is that an oversight of yours, or of the caller?",
            see=PARTS,
        ),
        Misconception(
            "slots_not_compared",
            slots_not_compared,
            says="only the gradients had to have the names of the parameters",
            hint="Velocities of another network are handed in by mistake. The names of which trees do you compare?",
            see=PARTS,
        ),
        Misconception(
            "lists_cut_short",
            lists_cut_short,
            says="the shorter of two lists said how many arrays there are",
            hint="Three gradients for four layers in a list: what does `zip` make of the fourth?",
            see=PARTS,
        ),
    ],
    variants=[
        Variant("a walk with leaves apart", walking(leaf)),
        Variant("by paths", through_paths),
        Variant("as a list", lambda rule, params, *trees: update_each(rule, params, *trees)
                if len(trees) < 2 else list(update_each(rule, params, *trees))),
    ],
    equivalent=equivalent.TUPLES | equivalent.ALONE,
    hints=[
        Hint("A tree is an array or holds trees. So a function for trees is one that calls itself for what it holds."),
        Hint(
            "Three cases, in this order: one of the other trees is None; params is a dict or list; params is an "
            "array."
        ),
        Hint("A sibling: the number of arrays is `sum(map(size, tree.values())) if isinstance(tree, dict) else 1`."),
        Hint("None: copies of params and of the trees after the gradients. Dict or list: compare names, call "
             "yourself for each name, then turn the list of (p, v) into a tree of p and a tree of v. Array: rule(p, "
             "*others)."),
    ],
)  # fmt: skip
