"""What is read off a training, by the names under which the recorded figures stand."""

from __future__ import annotations

from gradschool.history import History

__all__ = ["best", "last"]


def last(history: History) -> dict[str, float]:
    """Of the last epoch."""
    return {name: history.epochs[name][-1] for name in ("val_loss", "val_acc")}


def best(history: History) -> dict[str, float]:
    """Of the epoch with the smallest validation loss, which is how the recorded runs chose."""
    epoch = history.best_epoch("val_loss")
    values = {name: history.epochs[name][epoch - 1] for name in ("val_loss", "val_acc")}
    return {"best epoch": epoch, "best val_loss": values["val_loss"], "val_acc there": values["val_acc"]}
