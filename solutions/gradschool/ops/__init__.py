"""Ops: functions of arrays with hand-written derivatives, each as `X`, `X_forward` and `X_backward`, side by side.

y = relu(dense(X, W, b))                            # values, and traced where a derivative is asked for
y, cache = relu_forward(x)                          # the value and what the derivative needs, on plain arrays
dx = relu_backward(g, cache)                        # dL/dx from g = dL/dy

All share these rules. What they compute with is an array: lists and numbers are refused. Arrays of whole numbers are
promoted to float64 (but cannot be differentiated), and float32 stays float32; only `dense` promotes X and W as NumPy
does, so that bytes (uint8) beside float32 weights make float32. Nothing given is changed. A batch of no samples gives
no results and gradients of zero; only the statistics of nothing are refused. Shapes that do not fit raise ValueError,
which names the op, the shapes, and what to try.
"""

from __future__ import annotations

from .attention import (
    attention,
    attention_backward,
    attention_forward,
    causal_mask,
    positional_encoding,
)
from .batchnorm import (
    batchnorm,
    batchnorm_backward,
    batchnorm_forward,
)
from .conv import (
    conv,
    conv_backward,
    conv_forward,
)
from .conv_transpose import (
    conv_transpose,
    conv_transpose_backward,
    conv_transpose_forward,
)
from .crosschannel import (
    crosschannelnorm,
    crosschannelnorm_backward,
    crosschannelnorm_forward,
)
from .ctc import (
    ctc_alignments,
    ctc_greedy,
    ctc_loss,
    ctc_loss_backward,
    ctc_loss_forward,
)
from .dopri5 import (
    dopri5,
)
from .dropout import (
    alpha_dropout,
    alpha_dropout_backward,
    alpha_dropout_forward,
    dropout,
    dropout_backward,
    dropout_forward,
)
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
from .embed import (
    embed,
    embed_backward,
    embed_forward,
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
from .norm import (
    groupnorm,
    groupnorm_backward,
    groupnorm_forward,
    instancenorm,
    instancenorm_backward,
    instancenorm_forward,
    layernorm,
    layernorm_backward,
    layernorm_forward,
)
from .ode import (
    odeint,
)
from .pool import (
    avgpool,
    avgpool_backward,
    avgpool_forward,
    maxpool,
    maxpool_backward,
    maxpool_forward,
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
from .unpool import (
    maxunpool,
    maxunpool_backward,
    maxunpool_forward,
)

__all__ = [
    "alpha_dropout",
    "alpha_dropout_backward",
    "alpha_dropout_forward",
    "attention",
    "attention_backward",
    "attention_forward",
    "avgpool",
    "avgpool_backward",
    "avgpool_forward",
    "batchnorm",
    "batchnorm_backward",
    "batchnorm_forward",
    "bidirectional",
    "causal_mask",
    "conv",
    "conv_backward",
    "conv_forward",
    "conv_transpose",
    "conv_transpose_backward",
    "conv_transpose_forward",
    "crosschannelnorm",
    "crosschannelnorm_backward",
    "crosschannelnorm_forward",
    "ctc_alignments",
    "ctc_greedy",
    "ctc_loss",
    "ctc_loss_backward",
    "ctc_loss_forward",
    "dense",
    "dense_backward",
    "dense_forward",
    "dopri5",
    "dropout",
    "dropout_backward",
    "dropout_forward",
    "elu",
    "elu_backward",
    "elu_forward",
    "embed",
    "embed_backward",
    "embed_forward",
    "erf",
    "erf_backward",
    "erf_forward",
    "gelu",
    "gelu_backward",
    "gelu_forward",
    "groupnorm",
    "groupnorm_backward",
    "groupnorm_forward",
    "gru",
    "gru_backward",
    "gru_forward",
    "instancenorm",
    "instancenorm_backward",
    "instancenorm_forward",
    "last_valid",
    "layernorm",
    "layernorm_backward",
    "layernorm_forward",
    "leaky_relu",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "log_softmax",
    "log_softmax_backward",
    "log_softmax_forward",
    "lstm",
    "lstm_backward",
    "lstm_forward",
    "maxpool",
    "maxpool_backward",
    "maxpool_forward",
    "maxunpool",
    "maxunpool_backward",
    "maxunpool_forward",
    "odeint",
    "positional_encoding",
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
