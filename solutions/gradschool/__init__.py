"""gradschool: deep learning from scratch in NumPy, as small and exact as it can be read.

    import gradschool as gs

    loss, grads = gs.value_and_grad(lambda params: gs.l2_loss(X @ params["W"], T))(params)
    with gs.using(l2_loss=my_l2_loss):      # the same with a part of your own
        ...

Almost everything is a name of this package; `help(gs.adam)` has equation, shapes, source and an example. Where it is:

    arrays, labels, trees       one-hot, numerical gradients; axes with names; nested parameters as one thing
    autodiff                    value_and_grad, grad, vjp, and `op`, which makes an op of a forward and a backward
    ops                         what networks are made of, as functions: dense, conv, lstm, attention, odeint, ...
    losses, metrics             cross_entropy, huber, ctc_loss; accuracy and what else is measured
    initializers                glorot, he, lecun; in recurrent_initializers orthogonal and its kin
    layers                      functions with parameters, gs.layers.dense(10): composed by `sequential`, or by `mlp`
    optimizers, lbfgs           sgd to nadam as steps, `optimizer("adam")` for training; factors freezes, clipping clips
    schedules                   rates over the steps: gs.schedules.one_cycle(0.1, count_steps(data, 32, 10))
    regularization, transfer    penalties, decay, max_norm; clone, hold, replace_head
    training, callbacks         train, evaluate; EarlyStopping, Checkpoint; train returns a history, callbacks see a run
    models, summary             predict, mc_predict, count_parameters; a table of a net's layers
    batching                    batches, holdout, count_steps
    range_test                  which rate to take
    step, flat                  a single step for a loop of your own; parameters as one vector, changed in place
    saving                      save and load: npz or safetensors, never pickle
    checking, nonfinite         check_layer for a layer of your own; where the first NaN comes from
    swap                        `using`, which replaces any of these by yours

and three that need more than NumPy, and are loaded when they are asked for:

    plots                       gs.plots.learning_curves(history), with Matplotlib
    search                      gs.search.NetClassifier for scikit-learn's searches and pipelines
    logs                        gs.logs.CSVLog, JSONLog and TensorBoard, callbacks that write files

`lessons` has what only the chapters need. Importing gradschool loads NumPy and nothing else.
"""

from typing import TYPE_CHECKING

from . import heap, layers, schedules
from .arrays import gradient_check, numerical_gradient, one_hot, one_hot_decode
from .autodiff import grad, hessian_vector_product, op, stop_gradient, value_and_grad, vjp
from .batching import batches, count_steps, holdout
from .callbacks import AfterEpoch, Callback, Checkpoint, EarlyStopping, ReduceOnPlateau
from .checking import LayerReport, check_layer
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value, global_norm
from .factors import freeze, trainable, with_factors
from .flat import FlatTree, contiguous, in_place
from .history import History
from .initializers import fans, glorot, he, lecun, variance_scaling
from .labels import Labelled, dims, finddim, labelled, stripdims, to_format
from .layers import Layer, sequential
from .lbfgs import lbfgs
from .losses import (
    bce_with_logits,
    contrastive_loss,
    cross_entropy,
    gan_discriminator_loss,
    gan_generator_loss,
    half_mse,
    huber,
    l1_loss,
    l2_loss,
    softmax_cross_entropy,
    sparse_cross_entropy,
)
from .metrics import RunningMean, accuracy, mae_metric
from .models import count_parameters, mc_predict, mlp, predict, with_state
from .nonfinite import first_nonfinite
from .ops import (
    alpha_dropout,
    attention,
    avgpool,
    batchnorm,
    bidirectional,
    causal_mask,
    conv,
    conv_transpose,
    crosschannelnorm,
    ctc_alignments,
    ctc_greedy,
    ctc_loss,
    dense,
    dopri5,
    dropout,
    elu,
    embed,
    erf,
    gelu,
    groupnorm,
    gru,
    instancenorm,
    last_valid,
    layernorm,
    leaky_relu,
    log_softmax,
    lstm,
    maxpool,
    maxunpool,
    odeint,
    positional_encoding,
    relu,
    rnn,
    selu,
    sigmoid,
    softmax,
    softplus,
    swish,
    tanh,
)
from .optimizers import (
    Optimizer,
    adagrad,
    adam,
    adamax,
    adamw,
    init_state,
    momentum,
    nadam,
    nag_step,
    nesterov,
    optimizer,
    rmsprop,
    sgd,
    update_each,
    with_lr_factors,
    with_options,
)
from .range_test import RangeTest, range_test
from .recurrent_initializers import kaiming_uniform, narrow_normal, orthogonal, unit_forget_gate
from .regularization import add_decay, decay_weights, l1_penalty, l2_penalty, max_norm
from .run import Run
from .saving import Saved, load, save
from .step import training_step
from .summary import Summary, summary
from .swap import using
from .training import evaluate, train
from .transfer import clone, hold, replace_head
from .trees import ravel, tree_leaves, tree_map, tree_paths

if TYPE_CHECKING:
    from . import lessons as lessons
    from . import logs as logs
    from . import plots as plots
    from . import search as search
else:

    def __getattr__(name):
        """A module that is loaded when it is asked for, since it needs more than NumPy or is for the chapters alone."""
        if name not in ("lessons", "logs", "plots", "search"):
            from .names import advice

            places = {"gs": __all__, "gs.layers": layers.__all__, "gs.schedules": schedules.__all__}
            # without the object, for which Python would guess once more
            raise AttributeError(f"gradschool has no {name}{advice(name, places)}", name=name, obj=None)
        import importlib

        return importlib.import_module(f".{name}", __name__)


__version__ = "0.1.0"

heap.keep_freed_memory()

__all__ = [
    "RunningMean", "accuracy", "alpha_dropout", "attention", "avgpool", "batchnorm",
    "bce_with_logits", "bidirectional", "causal_mask", "conv", "conv_transpose", "cross_entropy",
    "crosschannelnorm", "ctc_alignments", "ctc_greedy", "ctc_loss", "dense", "dopri5", "dropout", "elu", "embed",
    "erf", "gelu", "grad", "gradient_check", "groupnorm", "gru", "half_mse", "hessian_vector_product", "huber",
    "instancenorm", "l1_loss", "l2_loss", "last_valid", "layernorm", "leaky_relu", "log_softmax", "lstm",
    "mae_metric", "maxpool", "maxunpool", "numerical_gradient", "odeint", "one_hot", "one_hot_decode", "op",
    "positional_encoding", "ravel", "relu", "rnn", "selu", "sigmoid", "softmax", "softmax_cross_entropy",
    "softplus", "sparse_cross_entropy", "stop_gradient", "swish", "tanh", "tree_leaves", "tree_map", "tree_paths",
    "using", "value_and_grad", "vjp",
]  # fmt: skip
__all__ += [
    "FlatTree", "Optimizer", "adagrad", "adam", "adamax", "adamw", "contiguous", "in_place", "init_state", "momentum",
    "nadam", "nag_step", "nesterov", "optimizer", "rmsprop", "sgd", "update_each",
    "with_lr_factors", "with_options",
]  # fmt: skip
__all__ += [
    "add_decay", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "contrastive_loss", "decay_weights",
    "gan_discriminator_loss", "gan_generator_loss", "global_norm", "kaiming_uniform", "l1_penalty", "l2_penalty",
    "lbfgs", "max_norm", "narrow_normal", "orthogonal", "schedules", "unit_forget_gate",
]  # fmt: skip
__all__ += [  # layers themselves are `gs.layers.dense` and so on: `gs.dense` is the op
    "History", "Layer", "batches", "count_parameters", "count_steps", "evaluate", "fans", "glorot", "he", "holdout",
    "lecun", "mc_predict", "mlp", "predict", "sequential", "train", "training_step", "variance_scaling",
]  # fmt: skip
__all__ += [
    "AfterEpoch", "Callback", "Checkpoint", "EarlyStopping", "RangeTest", "ReduceOnPlateau", "Run", "range_test",
]  # fmt: skip
__all__ += ["Labelled", "dims", "finddim", "labelled", "stripdims", "to_format"]
__all__ += ["LayerReport", "Saved", "Summary", "check_layer", "first_nonfinite", "load", "save", "summary"]
__all__ += ["clone", "freeze", "hold", "replace_head", "trainable", "with_factors", "with_state"]
