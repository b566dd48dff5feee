"""fine_tune: training in phases, first the head and then more, on another task's data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradschool.lessons.transfer import fine_tune
from gradschool_course.helpers import HELPERS
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from .draw import CHAPTER, CLOSE, LOOKED_AT, OLD_SCALE, PHASES


# ------------------------------------------------------------------------------------------- how fine-tuning goes wrong
def scale_of(X):
    deviation = X.std(axis=0)
    return X.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def by(scale, X):
    return (X - scale[0]) / scale[1]


def scaled(A, B):
    """B's inputs on A's scale: those to train on, and those to look at."""
    scale = scale_of(A["train"][0])
    return by(scale, B["train"][0]), by(scale, B["valid"][0])


def thawed(model, frozen):
    return [{**layer, "trainable": i not in frozen} for i, layer in enumerate(model)]


def tuned(inputs=scaled, flags=thawed, rate=lambda phases, i: phases[i][2], looks=None,
          keeps_slots=lambda phases, i: False, epochs_of=lambda epochs: epochs, from_the_start=False,
          each_epoch_anew=False):  # fmt: skip
    """Fine-tuning with parts of its own; looks(A, B, X, X_valid) -> what is looked at, and its labels."""

    def answer(model, A, B, phases, epoch, predict):
        X, X_valid = inputs(A, B)
        seen, labels = (X_valid, B["valid"][1]) if looks is None else looks(A, B, X, X_valid)
        begun, slots, accuracies = model, None, []
        for i, (epochs, frozen, _) in enumerate(phases):
            model = flags(begun if from_the_start else model, frozen)
            slots = slots if keeps_slots(phases, i) else None
            for _ in range(epochs_of(epochs)):
                slots = None if each_epoch_anew else slots
                model, slots = epoch(model, slots, X, B["train"][1], rate(phases, i))
                accuracies.append(float(np.mean(predict(model, seen) == labels)))
        return model, accuracies

    return answer


def own_scale(A, B):
    scale = scale_of(B["train"][0])
    return by(scale, B["train"][0]), by(scale, B["valid"][0])


def divided_by_zero(A, B):
    X = A["train"][0]
    return by((X.mean(axis=0), X.std(axis=0)), B["train"][0]), by((X.mean(axis=0), X.std(axis=0)), B["valid"][0])


def each_by_itself(A, B):
    return tuple(by(scale_of(B[part][0]), B[part][0]) for part in ("train", "valid"))


def valid_by_itself(A, B):
    return scaled(A, B)[0], by(scale_of(B["valid"][0]), B["valid"][0])


def valid_by_valid(A, B):
    return scaled(A, B)[0], by(scale_of(A["valid"][0]), B["valid"][0])


def valid_as_it_is(A, B):
    return scaled(A, B)[0], B["valid"][0]


def as_they_are(A, B):
    return B["train"][0], B["valid"][0]


def all_of_a(A, B):
    scale = scale_of(np.concatenate([A["train"][0], A["valid"][0]]))
    return by(scale, B["train"][0]), by(scale, B["valid"][0])


def only_centred(A, B):
    mean = A["train"][0].mean(axis=0)
    return B["train"][0] - mean, B["valid"][0] - mean


def one_scale(A, B):
    X = A["train"][0]
    return by((X.mean(), X.std()), B["train"][0]), by((X.mean(), X.std()), B["valid"][0])


def on_a(A, B, X, X_valid):
    return by(scale_of(A["train"][0]), A["valid"][0]), A["valid"][1]


def on_training(A, B, X, X_valid):
    return X, B["train"][1]


def never_thawed(model, frozen):
    return [{**layer, "trainable": layer["trainable"] and i not in frozen} for i, layer in enumerate(model)]


def never_frozen(model, frozen):
    return [{**layer, "trainable": True} for layer in model]


def flags_as_they_come(model, frozen):
    return model


def reversed_flags(model, frozen):
    return [{**layer, "trainable": i in frozen} for i, layer in enumerate(model)]


def frozen_in_place(model, A, B, phases, epoch, predict):
    for i, layer in enumerate(model):
        layer["trainable"] = i not in phases[0][1]
    return fine_tune(model, A, B, phases, epoch, predict)


def once_a_phase(model, A, B, phases, epoch, predict):
    model, accuracies = fine_tune(model, A, B, phases, epoch, predict)
    last = np.cumsum([epochs for epochs, _, _ in phases]) - 1
    return model, [accuracies[i] for i in last]


def before_the_epoch(model, A, B, phases, epoch, predict):
    _, X_valid = scaled(A, B)
    first = float(np.mean(predict(model, X_valid) == B["valid"][1]))
    model, accuracies = fine_tune(model, A, B, phases, epoch, predict)
    return model, [first, *accuracies[:-1]]


def best_kept(model, A, B, phases, epoch, predict):
    """The model of the best epoch, the first of equal ones."""
    models = []

    def noted(*arguments):
        model, slots = epoch(*arguments)
        models.append(model)
        return model, slots

    _, accuracies = fine_tune(model, A, B, phases, noted, predict)
    return models[int(np.argmax(accuracies))], accuracies


def errors(model, A, B, phases, epoch, predict):
    model, accuracies = fine_tune(model, A, B, phases, epoch, predict)
    return model, [1 - accuracy for accuracy in accuracies]


def last_phase_only(model, A, B, phases, epoch, predict):
    return fine_tune(model, A, B, phases[-1:], epoch, predict)


def last_phase_heard(model, A, B, phases, epoch, predict):
    model, accuracies = fine_tune(model, A, B, phases, epoch, predict)
    return model, accuracies[-phases[-1][0] :]


# ------------------------------------------------------------------------------------------------ other right answers
def unrolled(model, A, B, phases, epoch, predict):
    """All epochs in one list: the frozen layers, the rate, and whether the optimizer begins anew."""
    plan = [(frozen, lr, k == 0) for epochs, frozen, lr in phases for k in range(epochs)]
    mean, std = np.mean(A["train"][0], axis=0), np.std(A["train"][0], axis=0)
    std[std == 0] = 1
    X, X_valid = ((B[part][0] - mean) / std for part in ("train", "valid"))
    accuracies, slots = [], None
    for frozen, lr, anew in plan:
        model = [dict(layer, trainable=not any(i == k for k in frozen)) for i, layer in enumerate(model)]
        model, slots = epoch(model, None if anew else slots, X, B["train"][1], lr)
        right = sum(bool(a == b) for a, b in zip(predict(model, X_valid), B["valid"][1], strict=True))
        accuracies.append(right / len(X_valid))
    return model, accuracies


def feature_by_feature(model, A, B, phases, epoch, predict):
    pairs = {part: B[part][0].copy() for part in ("train", "valid")}
    for j, x in enumerate(A["train"][0].T):
        spread = float(np.sqrt(np.mean((x - np.mean(x)) ** 2)))
        for X in pairs.values():
            X[:, j] -= np.mean(x)
            X[:, j] /= spread if spread else 1
    accuracies = []
    for epochs, frozen, lr in phases:
        copies = [layer.copy() for layer in model]
        for i, layer in enumerate(copies):
            layer["trainable"] = i not in set(frozen)
        model, slots = copies, None
        for _ in range(epochs):
            model, slots = epoch(model, slots, pairs["train"], B["train"][1], lr)
            accuracies += [np.count_nonzero(predict(model, pairs["valid"]) == B["valid"][1]) / len(B["valid"][1])]
    return model, accuracies


# ------------------------------------------------------------------------------------------------------------- probes
def task(rng, n, normal, centre, spread):
    """n samples (n, D) on a scale of their own, and which side of a plane they lie on; the last feature is constant."""
    X = rng.normal(size=(n, len(normal)))
    y = (X @ normal + 0.3 * rng.normal(size=n) > 0).astype(np.float32)
    X = centre + spread * X
    X[:, -1] = round(centre[-1])  # exactly, so that its deviation is 0
    return X, y


def tasks(rng, D=4):
    found = {}
    for name, n in (("A", 50), ("B", 24)):
        normal, centre, spread = rng.normal(size=D), rng.normal(size=D) + 1, rng.uniform(0.5, 2.0, size=D)
        found[name] = {part: task(rng, n, normal, centre, spread) for part in ("train", "valid")}
    (X, y), step = found["B"]["train"], rng.normal(size=D)
    found["B"]["train"] = X + 0.2 * step, y  # nor are the halves of B alike
    (X, y), step = found["A"]["valid"], rng.normal(size=D)
    found["A"]["valid"] = 1.5 * X + step, y  # or those of A
    return found


def body_and_head(rng, frozen, D=4):
    widths = (D, 6, 5, 1)
    return [
        {"W": rng.normal(size=shape) / np.sqrt(shape[0]), "trainable": i not in frozen}
        for i, shape in enumerate(pairwise(widths))
    ]


def drawn(rng, phases, frozen):
    helpers = {"epoch": Helper("linear_epoch", {"beta": float(rng.uniform(0.5, 0.9))}),
               "predict": Helper("sign_of_chain", {})}  # fmt: skip
    return Call(model=body_and_head(rng, frozen), **tasks(rng), phases=phases, **helpers)


def run(model, A, B, phases, epoch, predict):
    with np.errstate(over="ignore", invalid="ignore"):
        return fine_tune(model, A, B, phases, *(HELPERS[f.name](**f.parameters) for f in (epoch, predict)))


def asked(rng, phases, frozen=(0, 1), past_its_best=False):
    """Drawn until training does not explode, and if `past_its_best`, until the model is not as good as it once was."""
    while True:
        call = drawn(rng, phases, frozen)
        model, accuracies = run(**call.arguments)
        calm = all(np.abs(layer["W"]).max() < 10 for layer in model)
        if calm and (accuracies[-1] < max(accuracies) or not past_its_best):
            return call


def rates(rng, n):
    """Each a good deal lower than the one before."""
    return [float(lr) for lr in 0.12 / 2.5 ** np.arange(n) * rng.uniform(0.8, 1.2, size=n)]


def two_phases(rng):
    head, all_of_it = rates(rng, 2)
    return [
        asked(rng, [(3, [0, 1], head), (4, [], all_of_it)]),
        asked(rng, [(2, [0], head), (2, [0, 1], head)], frozen=[2]),
        asked(rng, [(2, [0], head), (2, [0], all_of_it)], past_its_best=True),
    ]


def three_phases(rng):
    first, second = rates(rng, 2)
    return [asked(rng, [(2, [0, 1], first), (3, [0], second), (2, [0], second)], past_its_best=True)]


def one_phase(rng):
    return [asked(rng, [(3, [0, 1], 0.1)], past_its_best=True), asked(rng, [(3, [], 0.05)])]


TUNE = Exercise(
    reference=fine_tune,
    returns=("model", "accuracies"),
    chapter=CHAPTER,
    title="Fine-tuning in phases",
    difficulty=4,
    minutes=30,
    task="""`model`, a list of layers, has learned task A and has a head for task B. Train it on B in phases, and look
after each epoch how good it is.

- `A` and `B` are dicts `{"train": (X, y), "valid": (X, y)}`, X (N, D).
- `phases` is a list of `(epochs, frozen, lr)`. In a phase the layers at the positions `frozen` are frozen, all others
  are trainable, and the rate is `lr`.
- `epoch(model, slots, X, y, lr)` trains for one epoch and returns the new `(model, slots)`. `slots` is the state of
  the optimizer, None to begin with; every *phase* begins a new one.
- `predict(model, X)` returns the class numbers (N,) that the model says.

The body knows inputs that were standardised by mean and deviation of each feature *of A's training data*, and B's
must be on that scale. A deviation of 0 counts as 1.

Return `(model, accuracies)`: the model at last, and the accuracy on B's validation data after each epoch, all phases
in one list. The model that came in stays as it is.""",
    example="""\
X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
data = {"train": (X, y), "valid": (X, y)}
epoch = lambda model, slots, X, y, lr: ([{**model[0], "W": model[0]["W"] + lr}], slots)
predict = lambda model, X: (X[:, 0] * model[0]["W"] > 0).astype(int)
model = [{"W": -0.15, "trainable": True}]
fine_tune(model, data, data, [(1, [], 0.1), (1, [], 0.3)], epoch, predict)[1]  # [0.0, 1.0]""",
    groups=[
        Group("two phases", 3, two_phases, "Two phases.", CLOSE),
        Group("three phases", 2, three_phases, "Three phases.", CLOSE),
        Group("one phase", 1, one_phase, "A single phase.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        Misconception(
            "valid_by_valid",
            tuned(valid_by_valid),
            "The same picture in the training and in the validation data of B: does your network see the same numbers?",
            "B's validation data were put on the scale of A's validation data, and not of A's training data",
            OLD_SCALE,
        ),
        Misconception(
            "optimizer_kept",
            tuned(keeps_slots=lambda phases, i: True),
            "The body was frozen, the head was in full motion. With which velocities does the second phase begin?",
            "the optimizer's state went on from phase to phase",
            PHASES,
        ),
        Misconception(
            "optimizer_anew_if_others_freeze",
            tuned(keeps_slots=lambda phases, i: i > 0 and phases[i][1] == phases[i - 1][1]),
            "Two phases freeze the same layers and differ in their rates. With which velocities does the second begin?",
            "the optimizer began anew only where other layers are frozen than before",
            PHASES,
        ),
        Misconception(
            "optimizer_anew_each_epoch",
            tuned(each_epoch_anew=True),
            "Your epochs begin with which slots: None, or what the epoch before returned?",
            "the optimizer began anew with each epoch",
            PHASES,
        ),
        Misconception(
            "rate_not_lowered",
            tuned(rate=lambda phases, i: phases[0][2]),
            "Which rate does the second phase name, and which do you use?",
            "the first phase's rate were used in all phases",
            PHASES,
        ),
        Misconception(
            "last_rate_everywhere",
            tuned(rate=lambda phases, i: phases[-1][2]),
            "Which rate does the first phase name, and which do you use?",
            "the last phase's rate were used in all phases",
            PHASES,
        ),
        Misconception(
            "never_thawed",
            tuned(flags=never_thawed),
            "A layer is frozen in the first phase and not named in the second. Does it learn there?",
            "what was frozen once stayed frozen",
            PHASES,
        ),
        Misconception(
            "never_frozen",
            tuned(flags=never_frozen),
            "Which layers move in the first phase, and which should?",
            "no layer were frozen",
            PHASES,
        ),
        Misconception(
            "flags_as_they_come",
            tuned(flags=flags_as_they_come),
            "Where in your code does `frozen` stand?",
            "the flags stayed as they were in the model",
            PHASES,
        ),
        Misconception(
            "flags_reversed",
            tuned(flags=reversed_flags),
            "The phase names layer 0. Is that the one that learns?",
            "the layers that are named were the ones that learn",
            PHASES,
        ),
        Misconception(
            "from_the_start",
            tuned(from_the_start=True),
            "With which model does the second phase begin?",
            "each phase began with the model that came in",
            PHASES,
        ),
        Misconception(
            "one_epoch_less",
            tuned(epochs_of=lambda epochs: epochs - 1),
            "A phase of 4 epochs: how often do you call epoch?",
            "every phase were one epoch shorter",
            PHASES,
        ),
        Misconception(
            "best_model",
            best_kept,
            "The last epoch is worse than the one before. Which of the two models does the task ask for?",
            "the model of the best epoch were to be returned",
            PHASES,
        ),
        Misconception(
            "last_phase_only",
            last_phase_only,
            "How many phases are there, and how many do you run?",
            "there were only the last phase",
            PHASES,
        ),
        Misconception(
            "own_scale",
            tuned(own_scale),
            "The body learned what a 1.5 means, on A's scale. What does it mean on B's own?",
            "the inputs were standardised by B's own mean and deviation",
            OLD_SCALE,
        ),
        Misconception(
            "divided_by_zero",
            tuned(divided_by_zero),
            "A pixel in the corner is always white. By what do you divide it?",
            "a feature that never changes were divided by its deviation, 0",
            OLD_SCALE,
        ),
        Misconception(
            "each_by_itself",
            tuned(each_by_itself),
            "One picture comes alone. By whose mean would you standardise it?",
            "training and validation data were each standardised by themselves",
            OLD_SCALE,
        ),
        Misconception(
            "validation_by_itself",
            tuned(valid_by_itself),
            "By which mean do you standardise what you train on, and by which what you look at?",
            "the validation data were standardised by their own mean and deviation",
            OLD_SCALE,
        ),
        Misconception(
            "validation_as_it_is",
            tuned(valid_as_it_is),
            "On which scale are the inputs that you look at?",
            "the validation data were not standardised",
            OLD_SCALE,
        ),
        Misconception(
            "not_standardised",
            tuned(as_they_are),
            "On which scale were the inputs with which the body has learned?",
            "nothing were standardised",
            OLD_SCALE,
        ),
        Misconception(
            "validation_counts_for_scale",
            tuned(all_of_a),
            "Which of A's data did the body learn with?",
            "A's validation data counted for mean and deviation, too",
            OLD_SCALE,
        ),
        Misconception(
            "only_centred",
            tuned(only_centred),
            "Which deviation have A's inputs on your scale?",
            "only the mean were taken away",
            OLD_SCALE,
        ),
        Misconception(
            "one_scale_for_all",
            tuned(one_scale),
            "One feature is measured in metres and another in millimetres. How many means do you need?",
            "all features had one mean and one deviation",
            OLD_SCALE,
        ),
        Misconception(
            "looks_at_a",
            tuned(looks=on_a),
            "Which question does the new head answer, and which labels do you compare it with?",
            "the accuracy were that on A's classes",
            LOOKED_AT,
        ),
        Misconception(
            "looks_at_training",
            tuned(looks=on_training),
            "Would you notice it if the model learned its samples by heart?",
            "the accuracy were that on what was trained on",
            LOOKED_AT,
        ),
        Misconception(
            "once_a_phase",
            once_a_phase,
            "How many epochs are there, and how many accuracies have you?",
            "there were one accuracy for each phase",
            LOOKED_AT,
        ),
        Misconception(
            "before_the_epoch",
            before_the_epoch,
            "After the last epoch, which accuracy do you hand out?",
            "the accuracies were those before each epoch",
            LOOKED_AT,
        ),
        Misconception(
            "last_phase_heard",
            last_phase_heard,
            "Where does your list of accuracies begin: before the phases, or in each of them?",
            "only the accuracies of the last phase were handed out",
            LOOKED_AT,
        ),
        Misconception(
            "errors",
            errors,
            "A model that is always right: which number do you hand out?",
            "the errors were counted, and not what is right",
            LOOKED_AT,
        ),
        Misconception(
            "frozen_in_place",
            frozen_in_place,
            "Print the flags of the model that came in. Who changed them?",
            "the flags of the model that came in were changed",
            PHASES,
        ),
    ],
    variants=[
        Variant("one list of epochs", unrolled),
        Variant("feature by feature", feature_by_feature),
        Variant("in parts", tuned()),
    ],
    hints=[
        Hint("Three things change from phase to phase: who learns, the rate, and the memory of the optimizer."),
        Hint('Look at "In phases" and "The scale that the body knows". What belongs to a phase, and what to an epoch?'),
        Hint(
            "A worked sibling, meals in courses, with clean plates for each course:\n\n"
            "    for dishes, cook in courses:\n"
            "        plates = None\n"
            "        for _ in range(dishes):\n"
            "            guests, plates = cook(guests, plates)"
        ),
        Hint(
            "    mean and deviation of A's training inputs; B's inputs, both parts, on that scale\n"
            "    for each phase: new flags for all layers, slots = None\n"
            "        for each of its epochs: one epoch;  how many predictions of B's validation data are right?"
        ),
    ],
)
