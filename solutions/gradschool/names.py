"""What to say of a name that is not there: people bring those of other frameworks, and look in the wrong place.

advice("mse_loss", {"gs": ["huber", "half_mse"], "gs.layers": ["dense"]})       # '; try gs.half_mse'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["advice"]

ELSEWHERE = {  # names without underscores and capitals, and without 1d, 2d, 3d behind them
    "linear": "gs.layers.dense", "convolution": "gs.layers.conv", "convtranspose": "gs.layers.conv_transpose",
    "averagepooling": "gs.layers.avgpool", "globalaveragepooling": "gs.layers.global_avgpool",
    "maxpooling": "gs.layers.maxpool", "globalmaxpooling": "gs.layers.global_maxpool",
    "maxunpool": "gs.layers.maxunpool", "batchnormalization": "gs.layers.batchnorm",
    "layernormalization": "gs.layers.layernorm", "groupnormalization": "gs.layers.groupnorm",
    "embed": "gs.layers.embedding", "multiheadattention": "gs.layers.multihead_attention",
    "positionalencoding": "gs.layers.positions", "input": "the shape that init(rng, shape) is given",
    "model": "gs.sequential, or a function of parameters and inputs",
    "module": "gs.Layer, or a function of parameters and inputs", "parameter": "a NumPy array in a dict of parameters",
    "tensor": "a NumPy array", "backward": "gs.grad, gs.value_and_grad", "nograd": "gs.predict, which records nothing",
    "mse": "gs.half_mse, gs.l2_loss", "mseloss": "gs.half_mse, gs.l2_loss",
    "meansquarederror": "gs.half_mse, gs.l2_loss", "mae": "gs.l1_loss", "l1loss": "gs.l1_loss",
    "smoothl1loss": "gs.huber", "huberloss": "gs.huber",
    "crossentropyloss": "gs.softmax_cross_entropy, which takes scores", "nllloss": "gs.sparse_cross_entropy",
    "categoricalcrossentropy": "gs.cross_entropy", "sparsecategoricalcrossentropy": "gs.sparse_cross_entropy",
    "binarycrossentropy": "gs.bce_with_logits", "bcewithlogitsloss": "gs.bce_with_logits",
    "bceloss": "gs.cross_entropy", "clipgradnorm": "gs.clip_by_global_norm", "clipgradvalue": "gs.clip_by_value",
    "modelcheckpoint": "gs.Checkpoint", "reducelronplateau": "gs.ReduceOnPlateau", "lrfinder": "gs.range_test",
    "learningratefinder": "gs.range_test", "onecyclelr": "gs.schedules.one_cycle",
    "cosineannealinglr": "gs.schedules.cosine", "steplr": "gs.schedules.piecewise", "dataloader": "gs.batches",
    "fit": "gs.train", "xavier": "gs.glorot", "glorotuniform": "gs.glorot", "kaiming": "gs.he", "henormal": "gs.he",
    "lecunnormal": "gs.lecun", "traintestsplit": "gs.holdout", "randomsplit": "gs.holdout",
    "netclassifier": "gs.search.NetClassifier", "netregressor": "gs.search.NetRegressor",
    "learningcurves": "gs.plots.learning_curves", "csvlog": "gs.logs.CSVLog", "tensorboard": "gs.logs.TensorBoard",
    "jsonlog": "gs.logs.JSONLog",
}  # fmt: skip


def advice(name: str, places: Mapping[str, Iterable[str]]) -> str:
    """What may be meant by a name, as the end of a sentence; empty if nobody knows. `places` are modules and the names
    in them, the one that was asked first."""
    known = {f"{place}.{other}": other for place, others in places.items() for other in others}
    same = [full for full, other in known.items() if plain(other) == plain(name)]
    meant = ELSEWHERE.get(plain(name), "")
    if same and not (next(iter(places)) == "gs.layers" and meant.startswith("gs.layers.")):
        return "; try " + preferred(name, same)
    if meant:
        return "; try " + meant
    import difflib  # which an import need not wait for

    close = difflib.get_close_matches(name, known.values(), n=1, cutoff=0.75)
    return "; try " + next(full for full, other in known.items() if other == close[0]) if close else ""


def preferred(name: str, same: list[str]) -> str:
    """Of an op and a layer of one name: a layer for what is spelled as a class elsewhere."""
    layers = [full for full in same if full.startswith("gs.layers.")]
    return (layers or same)[0] if name[:1].isupper() else same[0]


def plain(name: str) -> str:
    """ "BatchNorm2d", "batch_norm" and "batchnorm" are one."""
    letters = name.lower().replace("_", "")
    return letters[:-2] if letters[-2:] in ("1d", "2d", "3d") else letters
