"""Layers, the parts of which models are composed: see `base` for what a layer is.

net = sequential(dense(300), batchnorm(), gs.relu, dropout(0.2), dense(10))
params, state, shape = net.init(rng, (784,))
y, state = net.apply(params, state, x, training=True, rng=rng)

Images: `conv`, `pool`; sequences: `recurrent`, `attention`; several ways or inputs: `combine`. A plain function of x
stands among layers as it is (`gs.relu`, `gs.softmax`), with options as `activation(gs.leaky_relu, alpha=0.1)`.

Options that make no sense are refused where a layer is made, samples of a shape that does not fit by its `init`, arrays
that do not fit by `apply`, all with ValueError; TypeError is for what is of another kind than it should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attention import embedding, multihead, multihead_attention, positions
from .base import Layer, activation, dense, sequential
from .combine import branches, each, identity, residual
from .conv import conv, conv_transpose, depthwise_conv, separable_conv
from .dropout import alpha_dropout, dropout
from .norm import batchnorm, crosschannelnorm, groupnorm, instancenorm, layernorm
from .ode import ode
from .pool import avgpool, flatten, global_avgpool, global_maxpool, maxpool, maxunpool, reshape
from .prelu import prelu
from .recurrent import bidirectional, gru, last_step, lstm, rnn

if not TYPE_CHECKING:

    def __getattr__(name):
        import gradschool

        from ..names import advice

        places = {"gs.layers": __all__, "gs": gradschool.__all__, "gs.schedules": gradschool.schedules.__all__}
        raise AttributeError(f"gradschool.layers has no {name}{advice(name, places)}", name=name, obj=None)


__all__ = [
    "Layer",
    "activation",
    "alpha_dropout",
    "avgpool",
    "batchnorm",
    "bidirectional",
    "branches",
    "conv",
    "conv_transpose",
    "crosschannelnorm",
    "dense",
    "depthwise_conv",
    "dropout",
    "each",
    "embedding",
    "flatten",
    "global_avgpool",
    "global_maxpool",
    "groupnorm",
    "gru",
    "identity",
    "instancenorm",
    "last_step",
    "layernorm",
    "lstm",
    "maxpool",
    "maxunpool",
    "multihead",
    "multihead_attention",
    "ode",
    "positions",
    "prelu",
    "reshape",
    "residual",
    "rnn",
    "separable_conv",
    "sequential",
]
