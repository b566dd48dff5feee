"""batchnorm_forward: by the batch while training, by what is remembered afterwards."""

from __future__ import annotations

from gradschool.lessons.batchnorm import batchnorm_forward
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from . import forward_answers as parts
from .draw import CHANNELS, CHAPTER, CLOSE, ONE_SAMPLE, REMEMBERED, SCALE, STANDARD, TWO_MODES
from .forward_answers import answered
from .rules import not_float32, told


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, training, **options):
    state = {"state": draw.statistics(rng, shape[-1]), "momentum": draw.number(rng, 0.3, 0.8)} | options
    return Call(**draw.drawn(rng, shape), training=training, **state)


def by_batch(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 2)
    far = Call(**draw.far_out(rng, draw.sizes(rng, 2)), training=True)
    return [call(rng, a, True), call(rng, b, True, momentum=0.0, eps=0.0), call(rng, (6, 1), True), far]


def by_running(rng):
    return [call(rng, draw.sizes(rng, 2), False), call(rng, (1, 4), False), call(rng, (5, 1), False)]


def places(rng):
    return [call(rng, draw.sizes(rng, axes), training) for axes in (3, 4) for training in (True, False)]


def fresh(rng):
    nothing = {"state": None, "momentum": draw.number(rng, 0.4, 0.6)}
    return [
        call(rng, draw.sizes(rng, 2), True, **nothing),
        call(rng, draw.sizes(rng, 3), False, **nothing),
        Call(**draw.drawn(rng, draw.sizes(rng, 2)), training=True),
        Call(**draw.drawn(rng, draw.sizes(rng, 2))),
    ]


def options(rng):
    small = Call(**draw.quiet(rng, draw.sizes(rng, 2)), training=True, eps=draw.large_eps(rng))
    return [*(call(rng, draw.sizes(rng, 2), training, eps=draw.large_eps(rng)) for training in (True, False)), small]


def one_sample(rng):
    """A single sample of a dense layer; and a single image, which has a spread all the same."""
    return [call(rng, (1, 5), True), call(rng, (1, 3, 4, 6), True)]


def single(rng):
    cases, eps = ((2, True), (4, True), (2, False)), draw.large_eps(rng)
    calls = [call(rng, draw.sizes(rng, axes), training, eps=eps) for axes, training in cases]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


BATCHNORM = Exercise(
    reference=batchnorm_forward,
    returns=("y", "cache", "state"),
    chapter=CHAPTER,
    title="Batch norm, forward",
    difficulty=4,
    minutes=35,
    task="""Normalise every channel of `x`, then scale and shift it. The channels are the last axis: x is (N, C),
(N, T, C) or (N, H, W, C), and all other axes count as more samples of the same channel. `gamma`, `beta` and the two
arrays of `state = {"mean": ..., "var": ...}` have shape (C,).

- `training=True`: mean and variance of *this batch* normalise it. The new state keeps the fraction `momentum` of the
  old one; the rest is this batch's mean and (mean square) variance.
- `training=False`: mean and variance of the *state* normalise it, and the state stays what it is.
- `state=None` means that nothing has been seen yet: mean 0, variance 1.

Return `(y, cache, state)`: y of x's shape and dtype; the cache, which the backward will need, a dict of `"x"`, the
`"mu"` (C,) that was subtracted, `"r"` (C,), the inverse of what was divided by, `"gamma"` and `"training"`; and the new
state, a dict like the old one. No argument is changed. A batch of one sample is no exception, and a mean that is
far larger than the spread costs no digits.""",
    example="""\
x = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]])
y, cache, state = batchnorm_forward(x, np.ones(2), np.zeros(2), None, training=True)
y.round(3).tolist()  # [[-1.225, -1.225], [0.0, 0.0], [1.225, 1.225]]
state["mean"].round(2)  # [0.2 3. ]
state["var"].round(2)  # [ 0.97 27.57]""",
    axes={"x": ("batch", "channel")},
    groups=[
        Group(
            "training",
            2,
            by_batch,
            "A batch normalises itself, and the state moves; also far from 0.",
            CLOSE,
        ),
        Group("inference", 1, by_running, "The state normalises, whatever the batch is.", CLOSE),
        Group("places", 2, places, "Sequences and images: one mean for every channel.", CLOSE),
        Group("first batch", 1, fresh, "No state yet.", CLOSE),
        Group("options", 1, options, "A large eps, also beside small variances.", CLOSE),
        Group("batch of one", 1, one_sample, "One sample, and one image.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    may_alias=True,  # the cache may hold x itself, and inference may hand its state on
    misconceptions=[
        told("unbiased", answered(parts.without_bias)),
        told("mean_of_squares", answered(parts.of_squares)),
        told("eps_outside", answered(inverse=parts.eps_outside)),
        told("no_eps", answered(inverse=parts.no_eps)),
        told("eps_as_a_floor", answered(inverse=parts.eps_as_a_floor)),
        told("eps_ignored", answered(inverse=parts.fixed_eps)),
        told("no_root", answered(inverse=parts.no_root)),
        told("swapped", answered(affine=parts.swapped)),
        told("no_shift", answered(affine=parts.no_shift)),
        told("shift_scaled", answered(affine=parts.shift_scaled)),
        told("not_scaled", answered(affine=parts.left_out)),
        told("not_centred", answered(affine=parts.not_centred)),
        not_float32(batchnorm_forward),
        Misconception(
            "batch_axis_only",
            answered(parts.of_the_batch_axis),
            "A convolution uses the same kernel at every place. How many means has a channel of yours?",
            "every place of an image had a mean of its own",
            CHANNELS,
        ),
        Misconception(
            "one_mean_for_all",
            answered(parts.of_everything),
            "One channel holds lengths in metres, the next prices in cents. Which mean do they share in yours?",
            "all channels shared one mean and one variance",
            CHANNELS,
        ),
        Misconception(
            "over_channels",
            answered(parts.of_each_sample),
            "What belongs together: the numbers of one sample, or those of one channel?",
            "each sample were normalised over its channels",
            CHANNELS,
        ),
        Misconception(
            "axes_kept",
            answered(parts.with_all_axes),
            "What is the shape of the mean in your new state, and what was it in the old one?",
            "the statistics kept all the axes of x, with length 1",
            REMEMBERED,
        ),
        Misconception(
            "channels_second",
            answered(affine=parts.channels_second),
            "On which axis of x do its channels lie? Which axis do your gamma and beta meet?",
            "the channels stood right after the batch axis, in gamma and beta at least",
            SCALE,
            published="PyTorch and other libraries with channels first",
        ),
        Misconception(
            "batch_in_inference",
            answered(chosen=parts.always_the_batch),
            "A customer sends one photo, then the same photo with nine others. May the answer change?",
            "inference used the statistics of the batch at hand",
            TWO_MODES,
        ),
        Misconception(
            "running_in_training",
            answered(chosen=parts.always_the_running),
            "Which mean has a channel of y in training, before scale and shift?",
            "training normalised by the running statistics",
            TWO_MODES,
        ),
        Misconception(
            "modes_swapped",
            answered(chosen=parts.modes_swapped),
            "When is a batch there that stands for the data: in training, or in inference?",
            "training and inference had changed places in what they normalise by",
            TWO_MODES,
        ),
        Misconception(
            "updated_first",
            answered(chosen=parts.the_new_running),
            "Does y in training depend on the state that came in? Should it?",
            "training normalised by the running statistics, this batch already among them",
            TWO_MODES,
        ),
        Misconception(
            "momentum_reversed",
            answered(remembered=parts.turned_round),
            "With momentum = 0.9, how much of the old mean is left after ten batches in yours?",
            "`momentum` were the share of the new batch",
            REMEMBERED,
            published="PyTorch and MATLAB, which call 1 − momentum by this name",
        ),
        Misconception(
            "momentum_ignored",
            answered(remembered=parts.fixed_momentum),
            "Where in your code does the argument `momentum` stand?",
            "`momentum` were always 0.9",
            REMEMBERED,
        ),
        Misconception(
            "keeps_deviation",
            answered(remembered=parts.root_remembered),
            "Inference takes a root of what you remember. Was one taken already?",
            "the standard deviation were remembered, and not the variance",
            REMEMBERED,
        ),
        Misconception(
            "unbiased_running",
            answered(remembered=parts.unbiased_remembered),
            "The variance that normalises and the variance that is remembered: are they the same number in yours?",
            "the remembered variance were divided by one less than the number of values",
            REMEMBERED,
            published="PyTorch",
        ),
        Misconception(
            "eps_remembered",
            parts.eps_remembered,
            "All values of a channel are 3, batch after batch. At which variance does your state arrive?",
            "the variance that is remembered had ε in it already",
            REMEMBERED,
        ),
        Misconception(
            "mean_only",
            answered(remembered=parts.mean_only),
            "After a thousand batches of training, what is your running variance?",
            "only the mean were remembered",
            REMEMBERED,
        ),
        Misconception(
            "latest_only",
            answered(remembered=parts.only_the_latest),
            "What is left of the state that came in when yours goes out?",
            "the state were this batch's statistics, and the past forgotten",
            REMEMBERED,
        ),
        Misconception(
            "never_remembers",
            answered(remembered=parts.never),
            "Train for an hour: which mean does your inference subtract?",
            "training handed back the state as it came",
            REMEMBERED,
        ),
        Misconception(
            "learns_in_inference",
            answered(remembered=parts.mixed_always),
            "Two people ask the finished network, one after the other. What does the first change for the second?",
            "inference moved the running statistics as well",
            TWO_MODES,
        ),
        Misconception(
            "changed_in_place",
            answered(remembered=parts.in_place),
            "Print the state that you were given before and after the call. Whose arrays are they?",
            "the running statistics were changed in the arrays of the caller",
            REMEMBERED,
        ),
        Misconception(
            "variance_from_zero",
            answered(fresh=parts.zeros),
            "Before anything was seen, inference should leave x nearly as it is. By what does yours divide?",
            "the running variance began at 0",
            REMEMBERED,
        ),
        Misconception(
            "one_is_refused",
            parts.one_refused,
            "For one sample, what are x − mu, and the variance? Is anything undefined while ε is there?",
            "a batch of one could not be trained on",
            ONE_SAMPLE,
            published="PyTorch, which refuses such a batch",
        ),
        Misconception(
            "one_by_running",
            answered(chosen=parts.running_for_one),
            "Is a batch of one an exception in the task?",
            "a batch of one were normalised by the running statistics",
            ONE_SAMPLE,
        ),
        Misconception(
            "one_as_it_comes",
            answered(affine=parts.one_as_it_comes),
            "Is a batch of one an exception in the task?",
            "a batch of one were not normalised at all",
            ONE_SAMPLE,
        ),
        Misconception(
            "deviation_in_cache",
            answered(cache=parts.spread_kept),
            'What did you multiply by to get y, and what does `cache["r"]` hold?',
            "the cache held the standard deviation where its inverse belongs",
            STANDARD,
        ),
        Misconception(
            "xhat_in_cache",
            answered(cache=parts.xhat_kept),
            'Is `cache["x"]` what came in, or what you made of it?',
            "the cache held the normalised x in the place of x",
            STANDARD,
        ),
    ],
    variants=[
        Variant("channel by channel", parts.channel_by_channel),
        Variant("rows and einsum", parts.as_rows),
        Variant("in place on copies", parts.copied_and_changed),
        Variant("of parts", answered()),
    ],
    hints=[
        Hint("Two questions, in this order. Which numbers share a mean? And whose statistics count in which mode?"),
        Hint(
            'Look at "One mean for every channel" for the axes, and at "What is remembered" for what comes out. Check '
            "your answer for (N, C) first, training before inference."
        ),
        Hint(
            "A worked sibling, a thermometer that is calibrated while it is tested:\n\n"
            "    def centred(x, offset, testing, keep=0.9):\n"
            "        used = x.mean(axis=0) if testing else offset\n"
            "        offset = keep * offset + (1 - keep) * used if testing else offset\n"
            "        return x - used, offset"
        ),
        Hint(
            "    state = zeros and ones like gamma, if there is none\n"
            "    mu, s2 = the state's\n"
            "    if training: mu, s2 = the batch's, over all axes but the last; a new dict mixes old and batch's\n"
            "    r = 1 over the root of s2 + eps\n"
            "    y = scale * (x - mu) * r + shift\n"
            "    return y, the five things of the cache, state"
        ),
    ],
    not_bugs={
        "state shared": "in inference the state that comes out may be the one that went in: nothing here changes an "
        "array in place, and a state that is changed in place is a misconception of its own",
    },
)
