"""A bar in the terminal or notebook that shows how far a run has come, and the losses and metrics on its way.

train(..., progress=True)                       # or callbacks=[ProgressBar()]
epoch 7/20:  33%|███▎      | 330/1000 [00:04<00:08, 80.2step/s, loss=0.412, val_loss=0.438]
"""

from __future__ import annotations

from typing import Any

from .callbacks import Callback
from .run import Run

__all__ = ["ProgressBar"]


class ProgressBar(Callback):
    """One bar over all steps of a run, in the manner of tqdm, to which `options` go (such as `disable=None`, which
    shows a bar in terminals only). ImportError names tqdm where it is missing."""

    def __init__(self, **options: Any):
        self.options = options
        self.bar: Any = None  # on the screen while a run is under way: nothing that one could take up again

    def on_start(self, run: Run, memory: Any) -> None:
        try:
            from tqdm import tqdm  # not tqdm.auto, which warns in notebooks without ipywidgets
        except ImportError as error:
            raise ImportError("train: progress=True needs tqdm; pip install tqdm, or leave progress out") from error
        self.bar = tqdm(total=run.epochs * run.steps, initial=run.step, unit="step", **self.options)
        self.name(run)

    def on_step(self, run: Run, memory: Any) -> None:
        if run.step % run.steps == 1 or run.steps == 1:
            self.name(run)
        if run.epoch == 0:  # there is no mean yet, and the first epoch may be long
            self.bar.set_postfix({"batch loss": f"{run.history.losses[-1]:.4g}"}, refresh=False)
        self.bar.update()

    def on_epoch(self, run: Run, memory: Any) -> None:
        self.bar.set_postfix({name: f"{run.last(name):.4g}" for name in run.history.epochs})

    def on_end(self, run: Run, memory: Any) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def name(self, run: Run) -> None:
        self.bar.set_description(f"epoch {min(run.epoch + 1, run.epochs)}/{run.epochs}", refresh=False)
