"""Layers, the parts of which models are composed: see `base` for what a layer is.

net = sequential(dense(300), batchnorm(), gs.relu, dropout(0.2), dense(10))
params, state, shape = net.init(rng, (784,))
y, state = net.apply(params, state, x, training=True, rng=rng)
"""

from __future__ import annotations

from .attention import embedding, multihead, multihead_attention, positions
from .base import Layer, activation, dense, sequential
from .dropout import alpha_dropout, dropout
from .norm import batchnorm, crosschannelnorm, groupnorm, instancenorm, layernorm

__all__ = [
    "Layer",
    "activation",
    "alpha_dropout",
    "batchnorm",
    "crosschannelnorm",
    "dense",
    "dropout",
    "embedding",
    "groupnorm",
    "instancenorm",
    "layernorm",
    "multihead",
    "multihead_attention",
    "positions",
    "sequential",
]
