"""pretrain_autoencoder: features without labels, from a matrix that is used twice."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import pretrain_autoencoder
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .draw import CHAPTER, CLOSE, TWICE


# ------------------------------------------------------------------------------------------------- how it goes wrong
def parts(W, b, c, X):
    """What the way forward gives: H, and R − X."""
    H = np.maximum(X @ W + b, 0)
    return H, H @ W.T + c - X


def both(encoder, decoder):
    return encoder + decoder


def right(W, b, c, X, tied=both, mask=True, share=None):
    """dL/dW, dL/db, dL/dc."""
    H, error = parts(W, b, c, X)
    dR = error / (len(X) if share is None else share(X))
    G = dR @ W * (H > 0) if mask else dR @ W
    return tied(X.T @ G, dR.T @ H), G.sum(axis=0), dR.sum(axis=0)


def trained(gradients=right, loss=lambda error: float(np.sum(error**2) / (2 * len(error))), sign=1, held=(),
            after=False, shuffled=False, epochs=1):  # fmt: skip
    """A run with parts of its own; held names what never moves."""

    def answer(params, batches, lr):
        params, losses = dict(params), []
        for X in list(batches)[::-1] if shuffled else list(batches) * epochs:
            before = loss(parts(params["W"], params["b"], params["c"], X)[1])
            steps = dict(zip("Wbc", gradients(params["W"], params["b"], params["c"], X), strict=True))
            params = {k: p if k in held else p - sign * lr * steps[k] for k, p in params.items()}
            losses.append(loss(parts(params["W"], params["b"], params["c"], X)[1]) if after else before)
        return params, losses

    return answer


def with_tie(tie):
    return trained(lambda W, b, c, X: right(W, b, c, X, tie))


def moved_between(params, batches, lr):
    """The decoder's part is computed with weights that the encoder's part has already moved."""
    W, b, c, losses = params["W"], params["b"], params["c"], []
    for X in batches:
        H, error = parts(W, b, c, X)
        losses.append(float(np.sum(error**2) / (2 * len(X))))
        dR = error / len(X)
        W = W - lr * dR.T @ H
        G = dR @ W * (H > 0)
        W, b, c = W - lr * X.T @ G, b - lr * G.sum(axis=0), c - lr * dR.sum(axis=0)
    return {"W": W, "b": b, "c": c}, losses


def untied(params, batches, lr):
    """Two matrices that only begin alike; the first is handed out."""
    W, V, b, c, losses = params["W"], params["W"].T, params["b"], params["c"], []
    for X in batches:
        H = np.maximum(X @ W + b, 0)
        error = H @ V + c - X
        losses.append(float(np.sum(error**2) / (2 * len(X))))
        dR = error / len(X)
        G = dR @ V.T * (H > 0)
        W, V, b, c = W - lr * X.T @ G, V - lr * H.T @ dR, b - lr * G.sum(axis=0), c - lr * dR.sum(axis=0)
    return {"W": W, "b": b, "c": c}, losses


def no_relu(params, batches, lr):
    W, b, c, losses = params["W"], params["b"], params["c"], []
    for X in batches:
        H = X @ W + b
        error = H @ W.T + c - X
        losses.append(float(np.sum(error**2) / (2 * len(X))))
        dR = error / len(X)
        G = dR @ W
        W, b, c = W - lr * (X.T @ G + dR.T @ H), b - lr * G.sum(axis=0), c - lr * dR.sum(axis=0)
    return {"W": W, "b": b, "c": c}, losses


def changed_in_place(params, batches, lr):
    new, losses = pretrain_autoencoder(params, batches, lr)
    for name in params:
        params[name][...] = new[name]
    return params, losses


def mean_loss(params, batches, lr):
    params, losses = pretrain_autoencoder(params, batches, lr)
    return params, float(np.mean(losses))


# ------------------------------------------------------------------------------------------------ other right answers
def sample_by_sample(params, batches, lr):
    W, b, c = (params[name].copy() for name in "Wbc")
    losses = []
    for X in batches:
        dW, db, dc, total = np.zeros_like(W), np.zeros_like(b), np.zeros_like(c), 0.0
        for x in X:
            z = W.T @ x + b
            h = np.where(z > 0, z, 0.0)
            error = W @ h + c - x
            total += 0.5 * error @ error
            g = np.where(z > 0, W.T @ error, 0.0)
            dW += np.outer(x, g) + np.outer(error, h)
            db += g
            dc += error
        losses.append(total / len(X))
        W -= lr * dW / len(X)
        b -= lr * db / len(X)
        c -= lr * dc / len(X)
    return {"W": W, "b": b, "c": c}, losses


def by_einsum(params, batches, lr):
    params, losses = {k: np.array(p) for k, p in params.items()}, []
    for X in batches:
        W = params["W"]
        Z = np.einsum("nd,dc->nc", X, W) + params["b"]
        H = Z * (Z > 0)
        E = np.einsum("nc,dc->nd", H, W) + params["c"] - X
        losses.append(0.5 * np.einsum("nd,nd->", E, E) / len(X))
        G = np.einsum("nd,dc->nc", E, W) * (Z > 0)
        grads = {"W": np.einsum("nd,nc->dc", X, G) + np.einsum("nd,nc->dc", E, H), "b": G.sum(0), "c": E.sum(0)}
        params = {k: params[k] - lr / len(X) * grads[k] for k in params}
    return params, losses


def as_two_layers(params, batches, lr):
    """The gradients of two matrices; that of the second is turned and added, since both are one."""
    losses = []
    for X in batches:
        encoder, decoder = params["W"], params["W"].T
        H = np.maximum(X @ encoder + params["b"], 0)
        R = H @ decoder + params["c"]
        losses.append(0.5 * np.mean(np.sum((R - X) ** 2, axis=1)))
        g = (R - X) / len(X)
        of_decoder, back = H.T @ g, (g @ decoder.T) * (H > 0)
        params = {
            "W": encoder - lr * (X.T @ back + of_decoder.T),
            "b": params["b"] - lr * back.sum(axis=0),
            "c": params["c"] - lr * g.sum(axis=0),
        }
    return params, losses


# ------------------------------------------------------------------------------------------------------------- probes
def drawn(rng, D, C):
    return {"W": rng.normal(size=(D, C)) / np.sqrt(D), "b": 0.3 * rng.normal(size=C), "c": 0.3 * rng.normal(size=D)}


def data(rng, D, lengths):
    return [rng.normal(rng.normal(size=D), 1.0, size=(n, D)) for n in lengths]


def rate(rng):
    return float(rng.uniform(0.03, 0.08))


def one_step(rng):
    D, C = int(rng.integers(5, 8)), int(rng.integers(3, 5))
    return [Call(params=drawn(rng, D, C), batches=data(rng, D, [9]), lr=rate(rng))]


def several(rng):
    D, C = int(rng.integers(5, 8)), int(rng.integers(3, 5))
    return [Call(params=drawn(rng, D, C), batches=data(rng, D, [9, 9, 5]), lr=rate(rng))]


def square(rng):
    return [Call(params=drawn(rng, 5, 5), batches=data(rng, 5, [7, 6]), lr=rate(rng))]


AUTOENCODER = Exercise(
    reference=pretrain_autoencoder,
    returns=("params", "losses"),
    chapter=CHAPTER,
    title="An autoencoder with tied weights",
    difficulty=4,
    minutes=25,
    task="""*(Optional.)* An autoencoder makes features H of inputs X (N, D), and the inputs again of the features,
with *one* matrix W:

$$H = \\max(X W + b,\\ 0), \\qquad R = H W^\\top + c, \\qquad L = \\frac{1}{2N} \\sum_{n,d} (R_{nd} - X_{nd})^2 .$$

`params` is `{"W": (D, C), "b": (C,), "c": (D,)}`. For each X in the list `batches`, in its order, take one step of
plain gradient descent with the rate `lr`, on all three. Where the argument of max is 0 its slope counts as 0.

Return `(params, losses)`: new parameters, and a list with the loss L of each batch *before* its step.""",
    example="""\
params = {"W": np.array([[1.0]]), "b": np.zeros(1), "c": np.ones(1)}
new, losses = pretrain_autoencoder(params, [np.array([[2.0]])], lr=0.1)
new["W"].round(3), new["b"].round(3), new["c"].round(3)  # (array([[0.6]]), array([-0.1]), array([0.9]))
losses  # [0.5]""",
    groups=[
        Group("one step", 2, one_step, "A single batch.", CLOSE),
        Group("several steps", 2, several, "Several batches, one of them short.", CLOSE),
        Group("square", 1, square, "As many features as inputs.", CLOSE),
    ],
    axes={"return[0].W": ("input", "feature")},
    misconceptions=[
        Misconception(
            "encoder_only",
            with_tie(lambda encoder, decoder: encoder),
            "W stands in two places of the formulas. Through which of them has your gradient come?",
            "W were used on the way into the features only",
            TWICE,
        ),
        Misconception(
            "decoder_only",
            with_tie(lambda encoder, decoder: decoder),
            "W stands in two places of the formulas. Through which of them has your gradient come?",
            "W were used on the way out of the features only",
            TWICE,
        ),
        Misconception(
            "averaged",
            with_tie(lambda encoder, decoder: (encoder + decoder) / 2),
            "A number is used twice: is its derivative the sum of two, or their mean?",
            "the two gradients of W were averaged",
            TWICE,
        ),
        Misconception(
            "subtracted",
            with_tie(lambda encoder, decoder: encoder - decoder),
            "Both ways lead from W to the loss. Why should one of them count negatively?",
            "the two gradients of W had been subtracted",
            TWICE,
        ),
        Misconception(
            "twice_the_encoder",
            with_tie(lambda encoder, decoder: 2 * encoder),
            "Are the two gradients of W equal?",
            "both uses of W had the same gradient",
            TWICE,
        ),
        Misconception(
            "untied",
            untied,
            "After the first step, is the matrix on the way out still the transpose of the other?",
            "there were two matrices that only begin alike",
            TWICE,
        ),
        Misconception(
            "moved_between",
            moved_between,
            "With which W was the loss computed, and with which do you go back through it?",
            "W had already moved when the second gradient was computed",
            TWICE,
        ),
        Misconception(
            "no_mask",
            trained(lambda W, b, c, X: right(W, b, c, X, mask=False)),
            "A feature is cut off at 0. How does it move when its input moves a little?",
            "the gradient passed through features that are 0",
            TWICE,
        ),
        Misconception(
            "no_relu",
            no_relu,
            "Which features can be negative in yours?",
            "there were no max",
            TWICE,
        ),
        Misconception(
            "not_divided",
            trained(lambda W, b, c, X: right(W, b, c, X, share=lambda X: 1)),
            "Twice as many samples of the same kind: should the step be twice as long?",
            "the gradient were the sum over the samples, and not the mean",
            TWICE,
        ),
        Misconception(
            "divided_by_all",
            trained(lambda W, b, c, X: right(W, b, c, X, share=lambda X: X.size)),
            "By what is the sum of squares divided: by 2 N, or by all numbers of X?",
            "the gradient were a mean over samples and inputs",
            TWICE,
        ),
        Misconception(
            "no_half",
            trained(lambda W, b, c, X: tuple(2 * g for g in right(W, b, c, X))),
            "Where has the ½ of the loss gone in your gradient?",
            "the loss had no ½ when its slope was taken",
            TWICE,
        ),
        Misconception(
            "mean_over_all",
            trained(
                lambda W, b, c, X: right(W, b, c, X, share=lambda X: X.size),
                lambda error: float(np.mean(error**2) / 2),
            ),
            "By what is the sum of squares divided: by 2 N, or by 2 N D?",
            "loss and gradient were means over samples and inputs",
            TWICE,
        ),
        Misconception(
            "squares_without_half",
            trained(
                lambda W, b, c, X: tuple(2 * g for g in right(W, b, c, X)),
                lambda error: float(np.sum(error**2) / len(error)),
            ),
            "What stands before the sum in L, and what becomes of it in the slope?",
            "there were no ½, neither in the loss nor in its gradient",
            TWICE,
        ),
        Misconception(
            "loss_without_half",
            trained(loss=lambda error: float(np.sum(error**2) / len(error))),
            "What stands before the sum in L?",
            "the loss that is handed out had no ½",
            TWICE,
        ),
        Misconception(
            "loss_over_all",
            trained(loss=lambda error: float(np.mean(error**2))),
            "By what is the sum of squares divided: by 2 N, or by all numbers of X?",
            "the loss that is handed out were a mean over samples and inputs",
            TWICE,
        ),
        Misconception(
            "loss_after",
            trained(after=True),
            "Is the loss that you note the one before the step, or the one after it?",
            "losses were noted after the steps",
            TWICE,
        ),
        Misconception(
            "one_loss",
            mean_loss,
            "How many batches are there, and how many losses have you?",
            "there were one loss for all batches",
            TWICE,
        ),
        Misconception(
            "uphill",
            trained(sign=-1),
            "Do your losses fall or rise from batch to batch?",
            "the steps went uphill",
            TWICE,
        ),
        Misconception(
            "b_held",
            trained(held="b"),
            "Which of the three parameters moves in yours?",
            "b never moved",
            TWICE,
        ),
        Misconception(
            "c_held",
            trained(held="c"),
            "Which of the three parameters moves in yours?",
            "c never moved",
            TWICE,
        ),
        Misconception(
            "changed_in_place",
            changed_in_place,
            "Print the caller's W before and after. Is it the same?",
            "the parameters that came in were changed",
            TWICE,
        ),
    ],
    variants=[
        Variant("sample by sample", sample_by_sample),
        Variant("einsum", by_einsum),
        Variant("as two layers", as_two_layers),
    ],
    hints=[
        Hint("A number that is used twice moves the loss in two ways, and its derivative is the sum of both."),
        Hint('Look at "One matrix, used twice". Pretend that there are two matrices: what is the gradient of each?'),
        Hint(
            "A worked sibling, y = w (w x), where w is used twice:\n\n"
            "    dy/dw = w x + w x = 2 w x      # one for each place"
        ),
        Hint(
            "    for each batch: H, R, the loss;  dR = (R − X) / N;  back to H, and through the max: G\n"
            "    dW = what X and G give, plus what dR and H give, both (D, C);  db, dc: sums over the samples"
        ),
    ],
)
