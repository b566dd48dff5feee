"""Early stopping as a function of what was seen: state in, state out, and the best parameters in it.

    state = {"best": np.inf, "wait": 0, "params": params, "stop": False}
    while not state["stop"]:
        params = ...                                            # an epoch
        state = early_stop(state, val_loss, params, patience=10)
    params = state["params"]                                    # of the best epoch, not of the last

The library's own form is the callback `gradschool.callbacks.EarlyStopping`.
"""

from __future__ import annotations

__all__ = ["early_stop"]


def early_stop(state, value, params, patience=10, min_delta=0.0):
    """The state after another epoch, with validation loss `value` and parameters `params`.

    best     the lowest value so far; only one that is lower by more than min_delta counts as better, a NaN never
    wait     for how many epochs in a row nothing was better
    params   a copy of the parameters that belong to `best`
    stop     whether wait has reached the patience

    Source: Keras' `EarlyStopping`, with `restore_best_weights` on.

    >>> state = {"best": float("inf"), "wait": 0, "params": {}, "stop": False}
    >>> for epoch, value in enumerate([3.0, 2.0, 2.5, 2.5]):
    ...     state = early_stop(state, value, {"W": np.array([float(epoch)])}, patience=2)
    >>> state
    {'best': 2.0, 'wait': 2, 'params': {'W': array([1.])}, 'stop': True}
    """
    better = value < state["best"] - min_delta
    wait = 0 if better else state["wait"] + 1
    kept = params if better else state["params"]
    return {
        "best": value if better else state["best"],
        "wait": wait,
        "params": {name: p.copy() for name, p in kept.items()},  # training may go on changing them in place
        "stop": wait >= patience,
    }
