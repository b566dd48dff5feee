"""train_epoch: the six steps of training, for one epoch."""

from __future__ import annotations

from gradschool.lessons.loop import train_epoch
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import CHAPTER, CLOSE, MEAN, SIX, Problem, whole


# --------------------------------------------------------------------------------------------------------- how it fails
def one_step(model_loss, update, params, state, X, T, rate):
    loss, grads = model_loss(params, X, T, training=True)
    params, state = update(params, grads, state, rate)
    return params, state, loss


def over_samples(losses, sizes):
    return sum(loss * n for loss, n in zip(losses, sizes, strict=True)) / sum(sizes)


def epoch_of(step_on=one_step, mean=over_samples, hands_on=("params", "state")):
    """An epoch with other parts: step_on(model_loss, update, params, state, X, T, rate) -> (params, state, loss) for a
    batch, the mean of the losses, and what a step hands on to the next."""

    def wrong(model_loss, update, params, state, batches, lr, step=0):
        losses, given = [], {"params": params, "state": state}
        for n, (X, T) in enumerate(batches, start=step):
            params, state, loss = step_on(model_loss, update, given["params"], given["state"], X, T, lr(n))
            given |= {name: new for name, new in (("params", params), ("state", state)) if name in hands_on}
            losses.append(loss)
        return params, state, mean(losses, [len(X) for X, _ in batches])

    return wrong


state_dropped, params_dropped = epoch_of(hands_on=("params",)), epoch_of(hands_on=("state",))
mean_of_batches = epoch_of(mean=lambda losses, sizes: sum(losses) / len(losses))
first_size = epoch_of(mean=lambda losses, sizes: sum(losses) * sizes[0] / sum(sizes))
last_batch = epoch_of(mean=lambda losses, sizes: losses[-1])


def loss_after_the_step(model_loss, update, params, state, X, T, rate):
    params, state, _ = one_step(model_loss, update, params, state, X, T, rate)
    return params, state, model_loss(params, X, T, training=True)[0]


def without_training(model_loss, update, params, state, X, T, rate):
    """The loss that is noted is that of the validation mode; the gradients are of the training mode."""
    loss, _ = model_loss(params, X, T, training=False)
    return *one_step(model_loss, update, params, state, X, T, rate)[:2], loss


def twice_the_gradient(model_loss, update, params, state, X, T, rate):
    """The gradient is taken once more, where the step has already led, and applied as well."""
    params, state, loss = one_step(model_loss, update, params, state, X, T, rate)
    return *one_step(model_loss, update, params, state, X, T, rate)[:2], loss


def stale_gradient(model_loss, update, params, state, batches, lr, step=0):
    """Updates with the gradient of the batch before; the first batch is only looked at."""
    total, seen, grads = 0.0, 0, None
    for X, T in batches:
        if grads is not None:
            params, state = update(params, grads, state, lr(step))
            step += 1
        loss, grads = model_loss(params, X, T, training=True)
        total, seen = total + loss * len(X), seen + len(X)
    return params, state, total / seen


def at_first_parameters(model_loss, update, params, state, batches, lr, step=0):
    total, seen, first = 0.0, 0, params
    for X, T in batches:
        loss, grads = model_loss(first, X, T, training=True)
        params, state = update(params, grads, state, lr(step))
        total, seen, step = total + loss * len(X), seen + len(X), step + 1
    return params, state, total / seen


def accumulated(model_loss, update, params, state, batches, lr, step=0):
    total, seen, summed = 0.0, 0, None
    for X, T in batches:
        loss, grads = model_loss(params, X, T, training=True)
        summed = grads if summed is None else {name: summed[name] + grads[name] for name in grads}
        params, state = update(params, summed, state, lr(step))
        total, seen, step = total + loss * len(X), seen + len(X), step + 1
    return params, state, total / seen


def rate_after_the_step(model_loss, update, params, state, batches, lr, step=0):
    return train_epoch(model_loss, update, params, state, batches, lambda n: lr(n + 1), step)


def counts_from_zero(model_loss, update, params, state, batches, lr, step=0):
    return train_epoch(model_loss, update, params, state, batches, lr, 0)


def one_rate(model_loss, update, params, state, batches, lr, step=0):
    return train_epoch(model_loss, update, params, state, batches, lambda n: lr(step), step)


def sum_of_samples(model_loss, update, params, state, batches, lr, step=0):
    params, state, loss = train_epoch(model_loss, update, params, state, batches, lr, step)
    return params, state, loss * sum(len(X) for X, _ in batches)


def one_step_an_epoch(model_loss, update, params, state, batches, lr, step=0):
    """All gradients first, their sum for one step."""
    total, seen, summed = 0.0, 0, None
    for X, T in batches:
        loss, grads = model_loss(params, X, T, training=True)
        summed = grads if summed is None else {name: summed[name] + grads[name] for name in grads}
        total, seen = total + loss * len(X), seen + len(X)
    params, state = update(params, summed, state, lr(step))
    return params, state, total / seen


def returns_inside(model_loss, update, params, state, batches, lr, step=0):
    return train_epoch(model_loss, update, params, state, batches[:1], lr, step)


def last_left_out(model_loss, update, params, state, batches, lr, step=0):
    full = [pair for pair in batches if len(pair[0]) == len(batches[0][0])]
    return train_epoch(model_loss, update, params, state, full, lr, step)


def loss_of_the_end(model_loss, update, params, state, batches, lr, step=0):
    params, state, _ = train_epoch(model_loss, update, params, state, batches, lr, step)
    losses = [(model_loss(params, X, T, training=True)[0], len(X)) for X, T in batches]
    return params, state, sum(loss * n for loss, n in losses) / sum(n for _, n in losses)


# -------------------------------------------------------------------------------------------------------- how it works
def numbered(model_loss, update, params, state, batches, lr, step=0):
    losses, sizes = [], []
    for i, (X, T) in enumerate(batches):
        loss, grads = model_loss(params, X, T, training=True)
        losses.append(loss)
        sizes.append(len(X))
        params, state = update(params, grads, state, lr(step + i))
    return params, state, sum(loss * n / sum(sizes) for loss, n in zip(losses, sizes, strict=True))


def running_mean(model_loss, update, params, state, batches, lr, step=0):
    mean, seen = 0.0, 0
    for X, T in batches:
        loss, grads = model_loss(params, X, T)
        params, state = update(params=params, grads=grads, state=state, lr=lr(step))
        seen += X.shape[0]
        mean += (loss - mean) * X.shape[0] / seen
        step = step + 1
    return [params, state, mean]


def by_recursion(model_loss, update, params, state, batches, lr, step=0):
    (X, T), *rest = batches
    loss, grads = model_loss(params, X, T, True)
    params, state = update(params, grads, state, lr(step))
    if not rest:
        return params, state, loss
    params, state, later = by_recursion(model_loss, update, params, state, rest, lr, step + 1)
    n, m = len(X), sum(len(T) for _, T in rest)
    return params, state, (n * loss + m * later) / (n + m)


# ---------------------------------------------------------------------------------------------------- how it is probed
def epoch(rng, lengths, step):
    problem = Problem(rng)
    steps = {} if step is None else {"step": step}
    return Call(
        model_loss=problem.model_loss, update=problem.update, params=problem.params, state=problem.state,
        batches=[problem.samples(n) for n in lengths], lr=problem.lr, **steps,
    )  # fmt: skip


def single_step(rng):
    return [epoch(rng, [n], None) for n in (7, 1)]


def epochs(rng):
    return [epoch(rng, [6, 6, 6, whole(rng, 1, 4)], None), epoch(rng, [5, 5, 1], None)]


def later_epochs(rng):
    return [epoch(rng, [7, 7, 3], whole(rng, 4, 9)), epoch(rng, [4, 4, 4, 1], whole(rng, 4, 9))]


EXERCISE = Exercise(
    reference=train_epoch,
    returns=("params", "state", "loss"),
    chapter=CHAPTER,
    title="One epoch in six steps",
    difficulty=3,
    minutes=20,
    task="""
    Train for one epoch: one step for each pair (X, T) of the list `batches`, in its order.

    - `model_loss(params, X, T, training)` returns (loss, grads), as your own does; here training is True
    - `update(params, grads, state, lr)` returns (params, state); the state is the optimizer's memory
    - `lr(n)` is the rate of the step before which n steps are done; `step` of them were done before this epoch

    Return the tuple (params, state, loss): params and state after the last step, and the mean, over all *samples* of
    the epoch, of the loss that each had when its batch came.

    Write the six steps as comments beside the lines that do them.
    """,
    example="model_loss = lambda w, X, T, training: (np.mean((w * X - T) ** 2) / 2, np.mean((w * X - T) * X))\n"
    "update = lambda w, g, state, lr: (w - lr * g, state + 1)\n"
    "batches = [(np.ones(1), np.zeros(1)), (np.ones(1), np.zeros(1))]\n"
    "w, state, loss = train_epoch(model_loss, update, 4.0, 0, batches, lambda n: 0.5)\n"
    "print(w, state, loss)  # 1.0 2 5.0",
    groups=[
        Group("one_batch", 1, single_step, "An epoch of one batch: steps 1 to 4, once.", CLOSE),
        Group("an_epoch", 3, epochs, "Several batches, the last of them short: step 5, and the mean.", CLOSE),
        Group("a_later_epoch", 1, later_epochs, "An epoch before which steps have been done.", CLOSE),
    ],
    misconceptions=[
        Misconception("update_before_gradient", stale_gradient,
            "When your first update happens, of which batch is its gradient?",
            "the update came before the gradient of its batch", SIX),
        Misconception("gradient_at_the_start", at_first_parameters,
            "Step 5 says: again, with the weights as they are now. At which weights is your second gradient?",
            "all gradients were taken at the weights of the beginning", SIX),
        Misconception("accumulates_gradients", accumulated,
            "Of how many batches is the gradient with which you make the second step?",
            "gradients of earlier batches were added to that of the new one", SIX),
        Misconception("state_dropped", state_dropped,
            "update returns two things. What happens to the second one of yours?",
            "the optimizer forgot everything after each step", SIX),
        Misconception("params_dropped", params_dropped,
            "From which weights does your second step set out?", "every step set out from the first weights", SIX),
        Misconception("rate_after_the_step", rate_after_the_step,
            "How many steps are done when your first rate is asked for?",
            "the count had moved on before the rate was asked for", SIX),
        Misconception("counts_from_zero", counts_from_zero,
            "What does your loop do with the argument `step`?", "no steps had been done before this epoch", SIX),
        Misconception("one_rate_an_epoch", one_rate,
            "When does your rate change?", "the rate stayed the same for the whole epoch", SIX),
        Misconception("loss_after_the_step", epoch_of(loss_after_the_step),
            "You compare a prediction with T (step 3) and then change the weights (step 4). Whose loss do you note?",
            "steps 5 and 4 had changed places: the loss noted is that after the step", SIX),
        Misconception("one_step_an_epoch", one_step_an_epoch,
            "How many steps does your epoch make?", "there were a single step for all batches", SIX),
        Misconception("two_steps_a_batch", epoch_of(twice_the_gradient),
            "How many times do you call update for a batch?", "each batch were good for two steps", SIX),
        Misconception("returns_inside", returns_inside,
            "How many batches are seen before your function returns?", "the epoch ended after its first batch", SIX),
        Misconception("short_batch_left_out", last_left_out,
            "What happens to the batch that is shorter than the others?", "a short batch were not trained on", SIX),
        Misconception("mean_of_batches", mean_of_batches,
            "A batch of 6 and a batch of 1: how much does each *sample* count in your mean?",
            "the mean went over batches, a short one counting as much as a full one", MEAN),
        Misconception("first_size_for_all", first_size,
            "The last batch has two samples. For how many does its loss count in your sum?",
            "every batch were as large as the first where its loss is counted, but not where it is divided", MEAN),
        Misconception("last_batch_only", last_batch,
            "Of how many samples is the loss that you return?", "the loss of the last batch were that of the epoch",
            MEAN),
        Misconception("sum_of_samples", sum_of_samples,
            "Is the loss of an epoch larger because there are more samples?", "the losses were added up", MEAN),
        Misconception("loss_of_the_end", loss_of_the_end,
            "The loss that counts is the one a sample had when its batch came. When did you measure yours?",
            "the losses were measured once more at the end", MEAN),
        Misconception("loss_without_training", epoch_of(without_training),
            "In which mode is the loss that you note, and in which are the gradients that you use?",
            "the loss were that of the validation mode", MEAN),
    ],
    variants=[
        Variant("numbered", numbered),
        Variant("running_mean", running_mean),
        Variant("by_recursion", by_recursion),
    ],
    hints=[
        Hint("A loop over batches in which params and state are replaced by what comes back."),
        Hint('Look at "The six steps": which line of your loop does step 5? And at "What an epoch\'s number means".'),
        Hint("A worked sibling, walking a list of moves while keeping count:\n\n"
             "    for n, move in enumerate(moves):\n        here, memory = go(here, move, memory, pace(n))"),
        Hint("    for X, T in batches:\n        loss and grads at params; params and state from update, at lr(step)\n"
             "        add the loss as often as there are samples; count samples; step + 1\n"
             "    return params, state, what was added over how many"),
    ],
)  # fmt: skip
