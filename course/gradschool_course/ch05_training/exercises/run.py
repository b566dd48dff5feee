"""train: epochs over the data, with an eye on data that are not trained on."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from gradschool.lessons.loop import evaluate, minibatches, train, train_epoch
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Seed, Variant

from .common import BATCHES, CHAPTER, CLOSE, MEAN, SIX, WHOLE, Problem, whole
from .epoch import last_batch, mean_of_batches


# --------------------------------------------------------------------------------------------------------- how it fails
def epochs_from_one(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    return train(model_loss, update, params, state, data, validation, epochs - 1, batch, lr, rng)


def one_epoch_more(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    return train(model_loss, update, params, state, data, validation, epochs + 1, batch, lr, rng)


def anew(data, batch, rng):
    while True:
        yield minibatches(data[0], data[1], batch, rng)


def measured(model_loss, params, data, validation, batch):
    return evaluate(model_loss, params, validation[0], validation[1], batch)


def run_of(batches=anew, epoch=train_epoch, look=measured, done=None, hands_on=("params", "state")):
    """A run with other parts: batches(data, batch, rng) yields those of each epoch, epoch stands for train_epoch,
    look(model_loss, params, data, validation, batch) is the validation loss, done(epochs, N, batch) says how many steps
    there were before, and only what `hands_on` names goes into the next epoch."""

    def wrong(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
        step, history, given = 0, {"loss": [], "val_loss": []}, {"params": params, "state": state}
        for number, pairs in zip(range(epochs), batches(data, batch, rng), strict=False):
            steps = done(number, len(data[0]), batch) if done else step
            params, state, loss = epoch(model_loss, update, given["params"], given["state"], pairs, lr, steps)
            given |= {name: new for name, new in (("params", params), ("state", state)) if name in hands_on}
            step += len(pairs)
            history["loss"].append(loss)
            history["val_loss"].append(look(model_loss, params, data, validation, batch))
        return params, state, history

    return wrong


state_dropped, begins_again = run_of(hands_on=("params",)), run_of(hands_on=("state",))


def rate_after_the_step(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    return train(model_loss, update, params, state, data, validation, epochs, batch, lambda n: lr(n + 1), rng)


def same_order(data, batch, rng):
    return repeat(minibatches(data[0], data[1], batch, rng))


def not_shuffled(data, batch, rng):
    return repeat(minibatches(data[0], data[1], batch, shuffle=False))


def pairs_torn(data, batch, rng):
    while True:
        X, T = (table[rng.permutation(len(table))] for table in data)
        yield minibatches(X, T, batch, shuffle=False)


def shuffles_the_shuffled(data, batch, rng):
    while True:
        order = rng.permutation(len(data[0]))
        data = data[0][order], data[1][order]
        yield minibatches(data[0], data[1], batch, shuffle=False)


def full_batch(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    return train(model_loss, update, params, state, data, validation, epochs, len(data[0]), lr, rng)


def in_training_mode(model_loss, params, data, validation, batch):
    return model_loss(params, validation[0], validation[1], training=True)[0]


def over_batches(model_loss, params, data, validation, batch):
    pairs = minibatches(validation[0], validation[1], batch, shuffle=False)
    return np.mean([model_loss(params, X, T, training=False)[0] for X, T in pairs])


def on_training_data(model_loss, params, data, validation, batch):
    return evaluate(model_loss, params, data[0], data[1], batch)


def on_one_batch(model_loss, params, data, validation, batch):
    X, T = validation
    return model_loss(params, X[:batch], T[:batch], training=False)[0]


def validated_before(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    step, history = 0, {"loss": [], "val_loss": []}
    for _ in range(epochs):
        history["val_loss"].append(evaluate(model_loss, params, validation[0], validation[1], batch))
        batches = minibatches(data[0], data[1], batch, rng)
        params, state, loss = train_epoch(model_loss, update, params, state, batches, lr, step)
        step += len(batches)
        history["loss"].append(loss)
    return params, state, history


def validation_trained_on(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    step, history = 0, {"loss": [], "val_loss": []}
    for _ in range(epochs):
        batches = minibatches(data[0], data[1], batch, rng)
        params, state, loss = train_epoch(model_loss, update, params, state, batches, lr, step)
        step += len(batches)
        seen = minibatches(validation[0], validation[1], batch, shuffle=False)
        params, state, val_loss = train_epoch(model_loss, update, params, state, seen, lr, step)
        history["loss"].append(loss)
        history["val_loss"].append(val_loss)
    return params, state, history


def data_joined(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    both = tuple(np.concatenate(pair) for pair in zip(data, validation, strict=True))
    return train(model_loss, update, params, state, both, validation, epochs, batch, lr, rng)


def best_kept(returned):
    """Keeps params and state of the epoch with the lowest validation loss; returned(best, last) -> (params, state)."""

    def wrong(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
        step, history, best = 0, {"loss": [], "val_loss": []}, (params, state)
        for _ in range(epochs):
            batches = minibatches(data[0], data[1], batch, rng)
            params, state, loss = train_epoch(model_loss, update, params, state, batches, lr, step)
            step += len(batches)
            history["loss"].append(loss)
            history["val_loss"].append(evaluate(model_loss, params, validation[0], validation[1], batch))
            if history["val_loss"][-1] == min(history["val_loss"]):
                best = params, state
        return *returned(best, (params, state)), history

    return wrong


best_returned = best_kept(lambda best, last: (best[0], last[1]))
best_of_all_returned = best_kept(lambda best, last: best)


def names_exchanged(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    params, state, history = train(model_loss, update, params, state, data, validation, epochs, batch, lr, rng)
    return params, state, {"loss": history["val_loss"], "val_loss": history["loss"]}


def last_epoch_noted(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    params, state, history = train(model_loss, update, params, state, data, validation, epochs, batch, lr, rng)
    return params, state, {name: values[-1:] for name, values in history.items()}


# -------------------------------------------------------------------------------------------------------- how it works
def in_one_piece(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    (X, T), (X_val, T_val) = data, validation
    losses, val_losses, n = [], [], 0
    for _ in range(epochs):
        order, total = rng.permutation(len(X)), 0.0
        for start in range(0, len(X), batch):
            part = order[start : start + batch]
            loss, grads = model_loss(params, X[part], T[part], training=True)
            params, state = update(params, grads, state, lr(n))
            total += loss * len(part)
            n += 1
        losses.append(total / len(X))
        val_losses.append(model_loss(params, X_val, T_val, training=False)[0])
    return params, state, {"loss": losses, "val_loss": val_losses}


def steps_computed(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    per_epoch = -(-len(data[0]) // batch)
    rows = []
    for epoch in range(epochs):
        pairs = minibatches(data[0], data[1], batch, rng=rng)
        params, state, loss = train_epoch(model_loss, update, params, state, pairs, lr, step=epoch * per_epoch)
        rows.append((loss, evaluate(model_loss, params, validation[0], validation[1], len(validation[0]))))
    return params, state, {"val_loss": [row[1] for row in rows], "loss": [row[0] for row in rows]}


def shuffled_numbers(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    history, done = {"loss": [0.0] * epochs, "val_loss": [0.0] * epochs}, 0
    for epoch in range(epochs):
        order = np.arange(len(data[0]))
        rng.shuffle(order)
        while len(order):
            now, order = order[:batch], order[batch:]
            X, T = (np.take(array, now, axis=0) for array in data)
            loss, grads = model_loss(params, X, T)
            params, state = update(params, grads, state, lr(done))
            history["loss"][epoch] += loss * len(now) / len(data[0])
            done += 1
        history["val_loss"][epoch] = model_loss(params, validation[0], validation[1], False)[0]
    return [params, state, history]


# ---------------------------------------------------------------------------------------------------- how it is probed
def run(rng, N, M, batch, epochs, spoilt=False):
    """A run; a spoilt one begins with weights that are right for the validation data, and leaves them."""
    problem = Problem(rng)
    X, T = problem.samples(M)
    validation = (X, X @ problem.params["W"] + problem.params["b"] if spoilt else T)
    return Call(
        model_loss=problem.model_loss, update=problem.update, params=problem.params, state=problem.state,
        data=problem.samples(N), validation=validation, epochs=epochs, batch=batch, lr=problem.lr,
        rng=Seed(whole(rng, 1, 10**6)),
    )  # fmt: skip


def one_epoch(rng):
    return [run(rng, 17, 11, 5, 1), run(rng, 6, 13, 9, 1), run(rng, 12, 8, 4, 1)]


def several(rng):
    return [run(rng, 16, 11, 5, 3), run(rng, 13, 9, 4, 4, spoilt=True)]


EXERCISE = Exercise(
    reference=train,
    returns=("params", "state", "history"),
    chapter=CHAPTER,
    title="The whole run",
    difficulty=3,
    minutes=20,
    task="""
    Train for `epochs` epochs. In each of them the samples of `data`, a pair (X, T), come once, in mini-batches of at
    most `batch` and in a new order, one call of `rng.permutation(N)`. After each of them measure the loss on
    `validation`, another pair (X, T), as it should be measured.

    `model_loss`, `update` and `lr` are those of `train_epoch`; `lr(n)` counts the steps of *all* epochs, from 0.

    Return the tuple (params, state, history): params and state as they are after the last step, and the dict
    `{"loss": [...], "val_loss": [...]}` with one number for each epoch: the mean over its samples of the losses that
    its batches had on the way, and the loss on the validation data. Your own `minibatches`, `train_epoch` and
    `evaluate` are there to be used.
    """,
    example="model_loss = lambda w, X, T, training: (float(np.mean((w * X - T) ** 2)) / 2, np.mean((w * X - T) * X))\n"
    "update = lambda w, g, state, lr: (w - lr * g, state)\n"
    "one = (np.ones(1), np.zeros(1))\n"
    "rng = np.random.default_rng(0)\n"
    "w, state, history = train(model_loss, update, 4.0, None, one, one, 3, 1, lambda n: 0.5, rng)\n"
    "print(w, history)  # 0.5 {'loss': [8.0, 2.0, 0.5], 'val_loss': [2.0, 0.5, 0.125]}",
    groups=[
        Group("an_epoch", 2, one_epoch, "A single epoch.", CLOSE),
        Group("a_run", 3, several, "Several epochs: what has to be handed on from one to the next.", CLOSE),
    ],
    equivalent=dict.fromkeys(
        ["3629d3c6e66e", "b167273fd5b2"], "It is how many steps are done if nobody says it, and `train` does."
    ),
    misconceptions=[
        Misconception("an_epoch_too_few", epochs_from_one,
            "With epochs=1, how often do you see the data?", "epochs were counted from 1, and one is missing", WHOLE),
        Misconception("an_epoch_too_many", one_epoch_more,
            "With epochs=1, how often do you see the data?", "there were an epoch more than asked for", WHOLE),
        Misconception("steps_counted_anew", run_of(done=lambda epochs, N, batch: 0),
            "For which step does your second epoch ask its first rate?", "every epoch began with step 0", WHOLE),
        Misconception("epochs_for_steps", run_of(done=lambda epochs, N, batch: epochs),
            "How many steps are done after an epoch of four batches?", "an epoch were one step", WHOLE),
        Misconception("short_batch_not_counted", run_of(done=lambda epochs, N, batch: epochs * (N // batch)),
            "17 samples in batches of 5: how many steps has an epoch?", "a short batch were no step", WHOLE),
        Misconception("rate_after_the_step", rate_after_the_step,
            "How many steps are done when your first rate is asked for?",
            "the count had moved on before the rate was asked for", SIX),
        Misconception("same_order", run_of(same_order),
            "How often do you draw an order in three epochs?", "all epochs had the order of the first", BATCHES),
        Misconception("not_shuffled", run_of(not_shuffled),
            "In which order do the samples come?", "nothing were shuffled", BATCHES),
        Misconception("shuffles_the_shuffled", run_of(shuffles_the_shuffled),
            "In the second epoch: does the number 3 in the order mean the sample that was number 3 at the beginning?",
            "every epoch shuffled what the one before had left", BATCHES),
        Misconception("pairs_torn", run_of(pairs_torn),
            "Does sample number 3 still have its own target after the shuffle?",
            "samples and targets were shuffled apart, each in an order of its own", BATCHES),
        Misconception("one_batch_for_all", full_batch,
            "How many steps does your epoch make?", "all samples were one batch", BATCHES),
        Misconception("validates_in_training", run_of(look=in_training_mode),
            "Some models drop inputs at random in training. Do yours while they are validated?",
            "validation were training", MEAN),
        Misconception("validates_over_batches", run_of(look=over_batches),
            "Eleven samples in batches of five: how much does the last sample count in your validation loss?",
            "the validation loss were a mean over batches", MEAN),
        Misconception("validates_on_training_data", run_of(look=on_training_data),
            "On which data is your val_loss measured?", "the training data were the validation data", WHOLE),
        Misconception("validates_on_one_batch", run_of(look=on_one_batch),
            "Of how many samples is your val_loss?", "the first batch of the validation data were all of it", MEAN),
        Misconception("validates_before", validated_before,
            "Your first val_loss: does it know anything of the first epoch?",
            "validation came before the epoch", WHOLE),
        Misconception("trains_on_validation", validation_trained_on,
            "Do your weights change while you look at the validation data? What is such a number then worth?",
            "the validation data were there to be trained on", WHOLE),
        Misconception("joins_the_data", data_joined,
            "Which samples are in your batches?", "the validation data were a part of the training data", WHOLE),
        Misconception("state_dropped", state_dropped,
            "With which state does your second epoch begin?", "the optimizer forgot everything between epochs", WHOLE),
        Misconception("begins_again", begins_again,
            "From which weights does your second epoch set out?", "each epoch began with the first weights", WHOLE),
        Misconception("last_batch_only", run_of(epoch=last_batch),
            "Of how many samples is the loss that you note for an epoch?",
            "the loss of the last batch were that of the epoch", MEAN),
        Misconception("mean_of_batches", run_of(epoch=mean_of_batches),
            "How much does a sample of the short batch count in your loss?",
            "the loss of an epoch were a mean over batches", MEAN),
        Misconception("best_returned", best_returned,
            "Which params does the task ask for: the best, or the last?",
            "the params with the lowest val_loss were asked for", WHOLE),
        Misconception("best_of_all_returned", best_of_all_returned,
            "Which params and which state does the task ask for: the best, or the last?",
            "params and state of the epoch with the lowest val_loss were asked for", WHOLE),
        Misconception("names_exchanged", names_exchanged,
            "Which of your two lists is that of the validation data?", "loss and val_loss had changed names", WHOLE),
        Misconception("last_epoch_only", last_epoch_noted,
            "How many numbers has each of your lists?", "only the last epoch were to be noted", WHOLE),
    ],
    variants=[
        Variant("in_one_piece", in_one_piece),
        Variant("steps_computed", steps_computed),
        Variant("shuffled_numbers", shuffled_numbers),
    ],
    hints=[
        Hint("You have the pieces. What must the second epoch know of the first? There are three things."),
        Hint('Look at "The whole run": a list of what is handed on, and of what must not be.'),
        Hint("A worked sibling, days of walking, each from where the last one ended:\n\n"
             "    done, diary = 0, []\n    for day in range(days):\n        here, steps = walk(here, done)\n"
             "        done += steps\n        diary.append(view(here))"),
        Hint("    step = 0; for each epoch: new batches from rng; train_epoch from params, state and step\n"
             "    step grows by the number of batches; note the loss; evaluate on the validation data; note that"),
    ],
)  # fmt: skip
