"""Ops: functions of arrays with hand-written derivatives, each as `X`, `X_forward` and `X_backward`, side by side.

y = relu(dense(X, W, b))                            # values, and traced where a derivative is asked for
y, cache = relu_forward(x)                          # the value and what the derivative needs, on plain arrays
dx = relu_backward(g, cache)                        # dL/dx from g = dL/dy
"""

from __future__ import annotations

from .elementwise import (
    elu,
    elu_backward,
    elu_forward,
    erf,
    erf_backward,
    erf_forward,
    gelu,
    gelu_backward,
    gelu_forward,
    leaky_relu,
    leaky_relu_backward,
    leaky_relu_forward,
    relu,
    relu_backward,
    relu_forward,
    selu,
    selu_backward,
    selu_forward,
    sigmoid,
    sigmoid_backward,
    sigmoid_forward,
    softplus,
    softplus_backward,
    softplus_forward,
    swish,
    swish_backward,
    swish_forward,
    tanh,
    tanh_backward,
    tanh_forward,
)
from .gru import (
    gru,
    gru_backward,
    gru_forward,
)
from .linear import (
    dense,
    dense_backward,
    dense_forward,
)
from .lstm import (
    lstm,
    lstm_backward,
    lstm_forward,
)
from .recurrent import (
    bidirectional,
    last_valid,
    rnn,
    rnn_backward,
    rnn_forward,
)
from .softmax import (
    log_softmax,
    log_softmax_backward,
    log_softmax_forward,
    softmax,
    softmax_backward,
    softmax_forward,
)

__all__ = [
    "bidirectional",
    "dense",
    "dense_backward",
    "dense_forward",
    "elu",
    "elu_backward",
    "elu_forward",
    "erf",
    "erf_backward",
    "erf_forward",
    "gelu",
    "gelu_backward",
    "gelu_forward",
    "gru",
    "gru_backward",
    "gru_forward",
    "last_valid",
    "leaky_relu",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "log_softmax",
    "log_softmax_backward",
    "log_softmax_forward",
    "lstm",
    "lstm_backward",
    "lstm_forward",
    "relu",
    "relu_backward",
    "relu_forward",
    "rnn",
    "rnn_backward",
    "rnn_forward",
    "selu",
    "selu_backward",
    "selu_forward",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_forward",
    "softmax",
    "softmax_backward",
    "softmax_forward",
    "softplus",
    "softplus_backward",
    "softplus_forward",
    "swish",
    "swish_backward",
    "swish_forward",
    "tanh",
    "tanh_backward",
    "tanh_forward",
]
