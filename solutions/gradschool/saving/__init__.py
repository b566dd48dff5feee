"""A checkpoint is a file with all that training needs to go on, or a model to predict: arrays by name, and how they
hang together. It holds data and no code: nothing in it is run when it is loaded, whoever wrote it.

save("runs/best.npz", params, state=state, optimizer=memory, epoch=7, rng=rng.bit_generator.state)
found = load("runs/best.npz", like=params)              # structure, shapes and types are those of `params`
found.params, found.state, found.optimizer, found.extra["epoch"]
save("best.safetensors", params)                        # the same for other programs; needs `safetensors`

`checkpoint` has both functions, `structure` says how a tree becomes JSON and arrays, `formats` how they become a file.
"""

from __future__ import annotations

from .checkpoint import Saved, load, save

__all__ = ["Saved", "load", "save"]
