"""CTC: the probability of a short sequence of labels, summed over all ways in which a longer one can spell it.

    log_p = log_softmax(z)                              # z (N, T, K): at each step one of K - 1 labels, or the blank
    loss = ctc_loss(log_p, labels)                      # labels (N, L); -log p(labels), the mean over the batch
    loss = ctc_loss(log_p, labels, mask=lengths, target_mask=label_lengths)
    found = ctc_greedy(log_p)                           # a list of N arrays

A path has one symbol per step; repetitions are merged and then blanks dropped, so `a a _ a b` spells `a a b`.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .recurrence import steps_valid

SLACK = 1e-3  # a probability of 1 that was computed in half precision
IMPOSSIBLE = -1e30  # stands in for log 0: a sum with it is not nan, and its differences are not either


# ------------------------------------------------------------------------------------------------- what may follow what
def ctc_inputs(log_p, labels, mask, target_mask, blank):
    """log_p as floats, the labels with what is masked moved behind the rest, their number, the mask, the blank."""
    if log_p.ndim != 3 or labels.ndim != 2 or len(labels) != len(log_p):
        raise ValueError(f"ctc_loss: expected log_p (N, T, K) and labels (N, L), got {log_p.shape} and {labels.shape}.")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"ctc_loss: expected integer labels, got {labels.dtype}; try labels.astype(int).")
    N, T, K = log_p.shape
    check_blank("ctc_loss", blank, log_p)
    valid = steps_valid("ctc_loss", mask, N, T)
    if np.any((log_p if valid is None else log_p[valid]) > SLACK):
        raise ValueError("ctc_loss: expected logarithms of probabilities, got numbers above 0; try log_softmax(z).")
    counted = steps_valid("ctc_loss: target_mask", target_mask, *labels.shape)
    if counted is None:
        counted = np.ones(labels.shape, bool)
    labels = np.take_along_axis(np.where(counted, labels, 0), np.argsort(~counted, axis=1, kind="stable"), axis=1)
    lengths = counted.sum(axis=1)
    used = labels[np.arange(labels.shape[1]) < lengths[:, None]]
    if used.size and (used.min() < 0 or used.max() >= K or (used == blank % K).any()):
        raise ValueError(f"ctc_loss: expected labels 0..{K - 1} without the blank {blank % K}, got {np.unique(used)}.")
    return floats(log_p), labels, lengths, np.ones((N, T), bool) if valid is None else valid, blank % K


def check_blank(op, blank, log_p):
    K = log_p.shape[2]
    if not -K <= blank < K:
        raise ValueError(f"{op}: expected a blank among the {K} symbols of log_p {log_p.shape}, got {blank}.")


def ctc_states(labels, blank):
    """Symbols (N, 2L + 1), a blank before, between and after the labels; and which may be reached over a blank.

    Passing over a blank is for labels that differ from the one before: a blank between equal ones keeps them apart.
    """
    N, L = labels.shape
    symbols = np.full((N, 2 * L + 1), blank)
    symbols[:, 1::2] = labels
    skips = np.zeros((N, 2 * L + 1), bool)
    skips[:, 1::2] = True
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return symbols, skips


def shifted(a, by):
    """a (N, S) with each column moved to the right, or for a negative number to the left."""
    N, S = a.shape
    gap = np.full((N, min(abs(by), S)), IMPOSSIBLE, a.dtype)
    return np.concatenate([gap, a[:, : S - by]] if by > 0 else [a[:, -by:], gap], axis=1)


def ctc_alphas(E, skips, valid):
    """log of the probability of all beginnings that end at step t in state s: a list over t of (N, 1 + S).

    State 0 is before the first symbol. E (N, T, S) are the logarithms of the symbols' probabilities.
    """
    N, T, S = E.shape
    start = np.zeros((N, 1), E.dtype)
    a = np.concatenate([start, np.full((N, S), IMPOSSIBLE, E.dtype)], axis=1)
    over = np.concatenate([start > 0, skips], axis=1)
    alphas = [a]
    for t in range(T):
        skipped = np.where(over, shifted(a, 2), IMPOSSIBLE)
        reached = np.logaddexp(np.logaddexp(a, shifted(a, 1)), skipped)
        new = np.concatenate([start + IMPOSSIBLE, reached[:, 1:] + E[:, t]], axis=1)
        a = np.where(valid[:, t, None], new, a)
        alphas.append(a)
    return alphas


def ctc_betas(E, skips, valid, ends):
    """log of the probability of all continuations from state s after step t to the end: a list over t of (N, S)."""
    b = np.where(ends, 0, IMPOSSIBLE).astype(E.dtype)
    betas = [b]
    for t in range(E.shape[1] - 1, 0, -1):
        a = b + E[:, t]
        skipped = shifted(np.where(skips, a, IMPOSSIBLE), -2)
        new = np.logaddexp(np.logaddexp(a, shifted(a, -1)), skipped)
        b = np.where(valid[:, t, None], new, b)
        betas.append(b)
    return betas[::-1]


# ------------------------------------------------------------------------------------------------------------- the loss
def ctc_loss_forward(log_p, labels, mask=None, target_mask=None, blank=0, reduction="sum", normalization="batch-size"):
    """l = -log sum over all paths that spell the labels of prod_t p_t(symbol of the path at t)"""
    if reduction not in ("sum", "none") or normalization not in ("batch-size", "none"):
        raise ValueError(
            'ctc_loss: expected reduction "sum" or "none" and normalization "batch-size" or "none", '
            f"got {reduction!r} and {normalization!r}."
        )
    log_p, labels, lengths, valid, blank = ctc_inputs(log_p, labels, mask, target_mask, blank)
    symbols, skips = ctc_states(labels, blank)
    index = np.broadcast_to(symbols[:, None], (*log_p.shape[:2], symbols.shape[1]))
    E = np.where(valid[:, :, None], np.take_along_axis(log_p, index, axis=2), 0)  # padding may be nan
    E = np.maximum(E, IMPOSSIBLE)
    alphas = ctc_alphas(E, skips, valid)
    rows = np.arange(len(labels))
    log_sum = np.logaddexp(alphas[-1][rows, 2 * lengths], alphas[-1][rows, 2 * lengths + 1])
    possible = log_sum > IMPOSSIBLE / 2
    losses = np.where(possible, -log_sum, np.inf).astype(log_p.dtype)
    scale = 1 / max(len(labels), 1) if reduction == "sum" and normalization == "batch-size" else 1.0
    cache = {"E": E, "alphas": np.stack(alphas[1:], axis=1) if alphas[1:] else E, "log_sum": log_sum, "valid": valid}
    cache |= {"symbols": symbols, "skips": skips, "lengths": lengths, "possible": possible, "K": log_p.shape[2]}
    loss = losses if reduction == "none" else (np.sum(losses) * scale).astype(losses.dtype)
    return loss, cache | {"scale": scale}


def ctc_shares(cache):
    """The share of each state at each step in the probability of the labels, (N, T, 2L + 1); zero where that is 0."""
    E, valid, lengths = cache["E"], cache["valid"], cache["lengths"]
    states = np.arange(E.shape[2])
    ends = (states == 2 * lengths[:, None]) | (states == 2 * lengths[:, None] - 1)
    betas = np.stack(ctc_betas(E, cache["skips"], valid, ends), axis=1)[:, : E.shape[1]]
    log_sum = np.where(cache["possible"], cache["log_sum"], 0)[:, None, None]
    shares = np.exp(cache["alphas"][:, :, -E.shape[2] :] + betas - log_sum)
    return np.where((valid & cache["possible"][:, None])[:, :, None], shares, 0)


def ctc_loss_backward(g, cache):
    """dL/dlog p_t(k) = -g times the share of the paths that have k at step t"""
    which = (cache["symbols"][:, :, None] == np.arange(cache["K"])).astype(cache["E"].dtype)
    by_symbol = ctc_shares(cache) @ which
    return -by_symbol * np.reshape(g * cache["scale"], (-1, 1, 1))


@op(ctc_loss_forward, ctc_loss_backward)
def ctc_loss(log_p, labels, mask=None, target_mask=None, blank=0, reduction="sum", normalization="batch-size"):
    """Connectionist temporal classification: minus the log probability of labels whose places nobody has marked.

        p(labels) = sum over all paths that spell them of prod_t p_t(symbol of the path at t)
        alpha_t(s) = (alpha_{t-1}(s) + alpha_{t-1}(s-1) + alpha_{t-1}(s-2) where s may be reached over a blank) p_t(s)
        dL/dlog p_t(k) = -(share of the paths with symbol k at step t) = -sum_{s: k} alpha_t(s) beta_t(s) / p(labels)

    with s running over blank, label, blank, label, ..., blank; a label that repeats the one before cannot be reached
    over the blank between them. All of it is computed in logarithms, where a thousand steps do not underflow.

    Args:
        log_p: log probabilities (N, T, K), as `log_softmax` gives them.
        labels: integers (N, L); what stands in the padding does not matter.
        mask: which steps count, (N, T) of zeros and ones, or lengths (N,); None for all.
        target_mask: which labels count, (N, L) or lengths (N,); None for all.
        blank: the number of the blank; -1 is the last of the K.
        reduction: "sum" for a number, "none" for the losses of the sequences (N,).
        normalization: what the sum is divided by, "batch-size" N or "none".

    Returns:
        A number, or (N,). It is inf where no path of T steps spells the labels, which takes a step for each label
        and one for each repetition; the gradient of such a sequence is zero. `ctc_loss_backward` returns
        dL/dlog_p; its cache has `E` (log p of the states, (N, T, 2L + 1)), `alphas` (in logarithms), `log_sum` (log
        p of the labels), `symbols`, `skips`, `lengths`, `valid`, `possible`, `K` and `scale`.

    Raises:
        TypeError: labels that are no integers.
        ValueError: shapes that do not fit, numbers above 0 (probabilities or scores) in the place of log
            probabilities, a label that is the blank or none of the K, or an unknown option.

    Frameworks: MATLAB's `ctc` takes probabilities and means over the batch as well. PyTorch has (T, N, K), and its
    "mean" divides each loss by its number of labels first. Keras takes scores.
    Source: Graves et al., Connectionist Temporal Classification, 2006.

    >>> log_p = np.log(np.full((1, 3, 3), 1 / 3))
    >>> print(f"{ctc_loss(log_p, np.array([[1]])):.7f}")  # 6 of 27 paths: 1__, _1_, __1, 11_, _11, 111
    1.5040774
    """
    return ctc_loss_forward(log_p, labels, mask, target_mask, blank, reduction, normalization)[0]


# ----------------------------------------------------------------------------------------------------- paths and labels
def ctc_alignments(log_p, labels, mask=None, target_mask=None, blank=0):
    """Where the labels are: the share of each state at each step in their probability.

    Arguments are those of `ctc_loss`. Returns (N, T, 2L + 1), the states being blank, label, blank, ..., blank; each
    step that counts sums to one, and those of a sequence that is impossible to zero.

    Raises, in the name of `ctc_loss`, TypeError for labels that are no integers; ValueError for shapes that do not fit,
    numbers above 0 in the place of log probabilities, and a label that is the blank or none of the K.

    >>> P = np.array([[[0.8, 0.2], [0.1, 0.9], [0.8, 0.2]]])
    >>> print(ctc_alignments(np.log(P), np.array([[1]]))[0, :, 1].round(3))
    [0.21  0.966 0.21 ]
    """
    return ctc_shares(ctc_loss_forward(log_p, labels, mask, target_mask, blank)[1])


def ctc_greedy(log_p, mask=None, blank=0):
    """The labels that the most probable path spells, a list of N arrays; not always the most probable labels.

    Args:
        log_p: log probabilities, probabilities or scores (N, T, K).
        mask: which steps count, (N, T) of zeros and ones, or lengths (N,); None for all.
        blank: the number of the blank; -1 is the last of the K.

    Raises ValueError for another shape, or a blank that is none of the K.

    >>> P = np.array([[[0.1, 0.9, 0.0], [0.2, 0.8, 0.0], [0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]])
    >>> print(ctc_greedy(P)[0])
    [1 1 2]
    """
    if log_p.ndim != 3:
        raise ValueError(f"ctc_greedy: expected log_p (N, T, K), got {log_p.shape}; for one sequence try log_p[None].")
    N, T, K = log_p.shape
    check_blank("ctc_greedy", blank, log_p)
    valid = steps_valid("ctc_greedy", mask, N, T)
    paths = np.argmax(log_p, axis=2)
    found = []
    for path in paths if valid is None else (path[steps] for path, steps in zip(paths, valid, strict=True)):
        first = np.concatenate([np.ones(min(1, len(path)), bool), path[1:] != path[:-1]])
        found.append(path[first & (path != blank % K)])
    return found
