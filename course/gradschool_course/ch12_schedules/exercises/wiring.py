"""scheduled_run: who asks the schedule, and when."""

from __future__ import annotations

from gradschool.lessons.scheduled import scheduled_run
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Variant

from . import draw
from .common import ASKED
from .draw import CHAPTER, CLOSE


# ------------------------------------------------------------------------------------------------ how wiring goes wrong
def asked_after(step, params, epochs, lr, per="batch"):
    rates, rate = [], lr(0)
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            params = step(params, batch, rate)
            rate = lr(epoch if per == "epoch" else len(rates) + 1)
            rates.append(rate)
    return params, rates


def stepped_before_the_first(step, params, epochs, lr, per="batch"):
    rates = []
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            rate = lr(epoch + 1 if per == "epoch" else len(rates) + 1)
            params = step(params, batch, rate)
            rates.append(rate)
    return params, rates


def always_batches(step, params, epochs, lr, per="batch"):
    rates = []
    for batches in epochs:
        for batch in batches:
            rates.append(lr(len(rates)))
            params = step(params, batch, rates[-1])
    return params, rates


def always_epochs(step, params, epochs, lr, per="batch"):
    rates = []
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            rates.append(lr(epoch))
            params = step(params, batch, rates[-1])
    return params, rates


def counts_anew(step, params, epochs, lr, per="batch"):
    rates = []
    for epoch, batches in enumerate(epochs):
        for i, batch in enumerate(batches):
            rates.append(lr(epoch if per == "epoch" else i))
            params = step(params, batch, rates[-1])
    return params, rates


def never_at_the_end_of_an_epoch(step, params, epochs, lr, per="batch"):
    rates, rate = [], lr(0)
    for batches in epochs:
        for batch in batches:
            rate = rate if per == "epoch" else lr(len(rates))
            rates.append(rate)
            params = step(params, batch, rate)
    return params, rates


def epoch_times_length(step, params, epochs, lr, per="batch"):
    rates = []
    for epoch, batches in enumerate(epochs):
        for i, batch in enumerate(batches):
            rates.append(lr(epoch if per == "epoch" else epoch * len(batches) + i))
            params = step(params, batch, rates[-1])
    return params, rates


def rate_of_the_epoch_that_follows(step, params, epochs, lr, per="batch"):
    rates, rate = [], lr(0)
    for epoch, batches in enumerate(epochs):
        for i, batch in enumerate(batches):
            rate = lr(len(rates)) if per == "batch" else rate
            rates.append(rate)
            params = step(params, batch, rate)
            if per == "epoch" and i == len(batches) - 2:
                rate = lr(epoch + 1)
    return params, rates


def one_rate_an_epoch(step, params, epochs, lr, per="batch"):
    rates, done = [], 0
    for epoch, batches in enumerate(epochs):
        rate = lr(epoch if per == "epoch" else done)
        rates.append(rate)
        for batch in batches:
            params = step(params, batch, rate if per == "epoch" else lr(done))
            done += 1
    return params, rates


def empty_epochs_left_out(step, params, epochs, lr, per="batch"):
    return flattened(step, params, [batches for batches in epochs if batches], lr, per)


def first_parameters(step, params, epochs, lr, per="batch"):
    rates, last = [], params
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            rates.append(lr(epoch if per == "epoch" else len(rates)))
            last = step(params, batch, rates[-1])
    return last, rates


def rates_multiplied(step, params, epochs, lr, per="batch"):
    rates, rate = [], 1.0
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            rate = rate * lr(epoch if per == "epoch" else len(rates))
            rates.append(rate)
            params = step(params, batch, rate)
    return params, rates


def flattened(step, params, epochs, lr, per="batch"):
    pairs = [(epoch, batch) for epoch, batches in enumerate(epochs) for batch in batches]
    rates = [lr(epoch) if per == "epoch" else lr(i) for i, (epoch, _) in enumerate(pairs)]
    for (_, batch), rate in zip(pairs, rates, strict=True):
        params = step(params, batch, rate)
    return params, rates


def counted_by_hand(step, params, epochs, lr, per="batch"):
    rates, done, epoch = [], 0, 0
    while epoch < len(epochs):
        for batch in epochs[epoch]:
            rate = {"batch": lambda: lr(done), "epoch": lambda: lr(epoch)}[per]()  # noqa: B023
            params, done = step(params, batch, rate), done + 1
            rates = [*rates, rate]
        epoch += 1
    return [params, rates]


def two_loops(step, params, epochs, lr, per="batch"):
    rates = []
    if per == "epoch":
        for epoch, batches in enumerate(epochs):
            rate = lr(epoch)
            for batch in batches:
                params = step(params, batch, rate)
            rates.extend([rate] * len(batches))
        return params, rates
    for batches in epochs:
        for batch in batches:
            rates.append(lr(len(rates)))
            params = step(params, batch, rates[-1])
    return params, rates


def runs(rng, per):
    calls = []
    for third in (4, 0):
        lengths = [3, 5, third, draw.whole(rng, 2, 7)]
        epochs = [[rng.normal(size=3) for _ in range(n)] for n in lengths]
        lr = Helper("falling", {"lr": draw.rate(rng), "by": draw.number(rng, 0.6, 0.9)})
        options = {"per": per} if per else {}
        calls.append(Call(step=Helper("towards"), params=rng.normal(size=3), epochs=epochs, lr=lr, **options))
    return calls


SCHEDULED_RUN = Exercise(
    reference=scheduled_run,
    returns=("params", "rates"),
    chapter=CHAPTER,
    title="Who asks, and when",
    difficulty=2,
    minutes=12,
    task="""The part of a training loop that concerns the rate. `epochs` is a list of epochs, each a list of batches;
`step(params, batch, rate)` returns new parameters; `lr` is a schedule. Take one step for every batch, in order. Its
rate is what the schedule says for the number of *batches* that are done, in all epochs so far (`per="batch"`), or for
the number of *epochs* that are done (`per="epoch"`), both counted from 0.

Return the parameters after the last step, and a list of the rates that were used, one for each step. Epochs may differ
in length; one without batches counts as an epoch, too.""",
    example="""\
step = lambda params, batch, rate: params - rate * batch
scheduled_run(step, 10.0, [[1.0, 2.0], [4.0]], lambda n: 0.5**n)  # (7.0, [1.0, 0.5, 0.25])
scheduled_run(step, 10.0, [[1.0, 2.0], [4.0]], lambda n: 0.5**n, per="epoch")  # (5.0, [1.0, 1.0, 0.5])""",
    groups=[
        Group("per batch", 2, lambda rng: runs(rng, ""), "A new rate for every batch.", CLOSE),
        Group("per epoch", 2, lambda rng: runs(rng, "epoch"), "A new rate for every epoch.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "recorded_after",
            asked_after,
            "Is the rate that you write down the one that the step has just used, or that of the next?",
            "the rate were asked for and recorded after the step that it does not belong to",
            ASKED,
        ),
        Misconception(
            "before_the_first",
            stepped_before_the_first,
            "How many batches are done when the first rate is asked for?",
            "the schedule had already moved on before the first batch",
            ASKED,
        ),
        Misconception(
            "always_per_batch",
            always_batches,
            'With per="epoch", how many different rates does an epoch of yours have?',
            "the schedule were always asked for batches",
            ASKED,
        ),
        Misconception(
            "always_per_epoch",
            always_epochs,
            'With per="batch", how many different rates does an epoch of yours have?',
            "the schedule were always asked for epochs",
            ASKED,
        ),
        Misconception(
            "counts_anew",
            counts_anew,
            "For which number do you ask at the first batch of the second epoch?",
            "batches were counted anew in every epoch",
            ASKED,
        ),
        Misconception(
            "never_moves_on",
            never_at_the_end_of_an_epoch,
            'With per="epoch", when does your rate change?',
            "the schedule were not asked again at the end of an epoch",
            ASKED,
        ),
        Misconception(
            "epochs_of_equal_length",
            epoch_times_length,
            "The first epoch has three batches, the second five. How many are done when the second begins?",
            "all epochs had as many batches as this one",
            ASKED,
        ),
        Misconception(
            "a_batch_too_soon",
            rate_of_the_epoch_that_follows,
            "Which rate has the last batch of an epoch?",
            "the last batch of an epoch already had the next epoch's rate",
            ASKED,
        ),
        Misconception(
            "one_rate_an_epoch",
            one_rate_an_epoch,
            "How many rates do you return, and how many steps were there?",
            "only one rate an epoch were recorded",
            ASKED,
        ),
        Misconception(
            "empty_epochs_left_out",
            empty_epochs_left_out,
            "An epoch has no batches. How many epochs are done when the next one begins?",
            "an epoch without batches did not count",
            ASKED,
        ),
        Misconception(
            "from_the_first_parameters",
            first_parameters,
            "Which parameters does your second step start from?",
            "every step started from the first parameters",
            ASKED,
        ),
        Misconception(
            "rates_multiplied",
            rates_multiplied,
            "Does the schedule say the rate, or by what the rate is multiplied?",
            "each rate were multiplied with the one before",
            ASKED,
        ),
    ],
    variants=[
        Variant("all rates first", flattened),
        Variant("counted by hand", counted_by_hand),
        Variant("a loop for each", two_loops),
    ],
    hints=[
        Hint("The schedule is asked before the step, with what is done by then."),
        Hint('Look at "Who asks, and when". How many rates have you written down when the next one is asked for?'),
        Hint("A sibling: `for day, meals in enumerate(week): for meal in meals: eaten.append(price(day))`."),
        Hint(
            "for epoch, batches: for batch: n = epoch or how many rates there are; rate = lr(n); params = step(…); "
            "keep the rate"
        ),
    ],
)
