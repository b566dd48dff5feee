"""The concepts of the course, in a sentence each, and the headings under which they are taught.

concepts_about(["saddle"])         # those that are called so, or say so
gradschool concepts saddle         # the same in a terminal
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from .say import Refused, plain, plainly, say, write_json

__all__ = ["CONCEPTS", "Concept", "concepts", "concepts_about"]


@dataclass(frozen=True)
class Concept:
    """What is taught where: `taught` are pairs (chapter, heading); `words` stand in the text below these headings."""

    name: str
    says: str
    taught: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


LOSSES, BACKPROP, TRAINING, GRADIENTS = "ch03_losses", "ch04_backprop", "ch05_training", "ch07_gradients"
NORM, TRANSFER, OPTIMIZERS, SCHEDULES, REGULARIZATION = (
    "ch08_batchnorm",
    "ch09_transfer",
    "ch10_optimizers",
    "ch12_schedules",
    "ch13_regularization",
)


def taught(name: str, says: str, *places: tuple[str, str], words: Sequence[str]) -> Concept:
    return Concept(name, says, places, tuple(words))


CONCEPTS: tuple[Concept, ...] = (
    # --------------------------------------------------------------------------------------------- what is minimised
    taught("loss", "One number that training makes small; it must be differentiable, almost everywhere.",
           (LOSSES, "What a loss is for"), words=["differentiable", "almost everywhere", "zero almost everywhere"]),
    taught("metric", "A number for people; it may be anything, and training never sees it.",
           (LOSSES, "What a loss is for"), (LOSSES, "Counting right answers"),
           words=["metric", "`\"acc\"`", "`\"mae\"`"]),
    taught("subgradient", "What stands for the slope at a kink: any number between the slopes of the two sides.",
           (LOSSES, "The kink at zero"), (BACKPROP, "At a kink"), (REGULARIZATION, "The corner at zero"),
           words=["subgradient", "left** side"]),
    taught("mean absolute error", "Grows evenly with the error; its best constant is the median.",
           (LOSSES, "Absolute and squared error"), words=["evenly", "median", "robust to outliers"]),
    taught("mean squared error", "Grows faster and faster with the error; its best constant is the mean.",
           (LOSSES, "Absolute and squared error"), words=["faster", "**mean**"]),
    taught("Huber loss", "Square near zero and straight beyond a transition point.",
           (LOSSES, "Huber: square near, straight far"), words=["transition point", "slope"]),
    taught("one-hot", "A class as a row of zeros with a single 1; also called dummy variables.",
           (LOSSES, "Three quick checks"), (LOSSES, "Cross-entropy is surprise"),
           words=["one_hot", "dummy variables", "onehotdecode"]),
    taught("cross-entropy", "Minus the logarithm of the probability that was given to the truth.",
           (LOSSES, "Cross-entropy is surprise"), (LOSSES, "Gradients with respect to scores"),
           words=["surprise", "grows to infinity", "2.302585", "Kullback", "Prediction minus target"]),
    taught("forms of targets", "Class numbers, one-hot rows, or yes and no: the loss is chosen by the form.",
           (LOSSES, "Class numbers instead of one-hot rows"),
           words=["sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"]),
    taught("binary cross-entropy", "The cross-entropy of two classes, one of which always has the score 0.",
           (LOSSES, "One question, yes or no"), words=["two classes", "sigmoid", "$\\max(z, 0)$"]),
    taught("class weights", "Factors on the terms of a class, so that rare ones count for more.",
           (LOSSES, "Class weights"), words=["class weights"]),
    taught("accuracy", "The share of right answers.",
           (LOSSES, "Counting right answers"), (LOSSES, "Means over uneven batches"),
           words=["share of right answers", "last batch"]),
    # --------------------------------------------------------------------------------------------------- derivatives
    taught("chain rule", "The slope of a chain of functions is the product of their slopes.",
           (BACKPROP, "One number, a million knobs"), words=["chain rule", "backpropagation"]),
    taught("cost of a gradient", "All derivatives of one number cost a small constant times the number.",
           (BACKPROP, "Experiment: what do all derivatives cost?"),
           words=["does not depend on the number of parameters"]),
    taught("automatic differentiation", "Values note how they came about; one walk back differentiates any program.",
           (BACKPROP, "A number that remembers"), words=["parents", "tape"]),
    taught("gradient check", "A gradient on paper must agree with differences.",
           (BACKPROP, "Experiment: is it right?"), words=["differences", "relative error"]),
    taught("second derivatives", "How the gradient changes along a direction, without the matrix of all of them.",
           (BACKPROP, "Second derivatives for the price of two gradients"), words=["second derivatives"]),
    # ------------------------------------------------------------------------------------------------------ training
    taught("gradient descent", "Step against the gradient, and again, until it is flat.",
           (TRAINING, "Downhill, step by step"), (TRAINING, "When to stop"),
           words=["against the gradient", "no longer changes", "limit on the number of steps"]),
    taught("convexity", "No chord runs below the graph, so that every start reaches the one optimum.",
           (TRAINING, "Places where nothing pulls"), words=["convex", "global", "local", "start decides"]),
    taught("saddle point", "The gradient is zero, and yet it goes down in one direction and up in another.",
           (TRAINING, "Places where nothing pulls"), (TRAINING, "Can a saddle hold you?"), (OPTIMIZERS, "Landscapes"),
           words=["saddle", "both signs", "exactly* on the axis", "Momentum"]),
    taught("learning rate", "How far a step goes: too large diverges, too small never arrives.",
           (TRAINING, "How large may a step be?"), (TRAINING, "Experiment: three rates"),
           words=["curvature", "too small", "too large"]),
    taught("mini-batch", "A few samples, whose gradient stands for that of all.",
           (TRAINING, "Batches"), words=["mini-batches", "epoch", "shuffle"]),
    taught("training loop", "Six steps: samples, prediction, loss, update, again; making the loss small is training.",
           (TRAINING, "The six steps"), (TRAINING, "One function for loss and gradients"),
           words=["Take samples", "prediction", "compares", "optimizer", "Again", "that is all that training is",
                  "MATLAB"]),
    taught("validation", "Data that are looked at and never trained on.",
           (TRAINING, "The whole run"), (TRAINING, "What an epoch's number means"), words=["validation"]),
    taught("gradient clipping", "A gradient that is too long is cut, by value, by norm or by global norm.",
           (TRAINING, "Gradients that are too long"), words=["by value", "by norm", "by global norm"]),
    # ------------------------------------------------------------------------------------------------- deep networks
    taught("vanishing and exploding gradients", "A product of a hundred factors is nearly nothing, or nearly infinite.",
           (GRADIENTS, "A product of a hundred factors"), words=["product"]),
    taught("initialization", "Weights drawn so that a layer keeps the variance of what comes in.",
           (GRADIENTS, "The variance that keeps its size"), words=["variance"]),
    taught("batch normalization", "Each channel of a batch is brought to mean 0 and variance 1, scaled and shifted.",
           (NORM, "Mean 0 and variance 1"), (NORM, "Two ways of working"), words=["mean", "variance", "training"]),
    taught("transfer learning", "The body of a network that knows one task, with a new head for another.",
           (TRANSFER, "A new head"), (TRANSFER, "Is it worth it?"), (TRANSFER, "From print to handwriting"),
           words=["body", "head", "features", "negative transfer"]),
    taught("freezing", "No number of a layer changes: neither by gradient nor by velocity nor by decay.",
           (TRANSFER, "Frozen stands still"), (TRANSFER, "Two ways to freeze a normalisation"),
           words=["velocity", "decay", "slots", "running statistics"]),
    taught("fine-tuning", "A trained network learns on, slowly, on another task.",
           (TRANSFER, "In phases"), (TRANSFER, "A rate that is too high"), (TRANSFER, "The lower, the slower"),
           words=["four epochs", "catastrophic forgetting", "2.6"]),
    taught("autoencoder", "A network that says its input again, from features that it must find for that.",
           (TRANSFER, "Without labels"), (TRANSFER, "One matrix, used twice"), words=["autoencoder", "transpose"]),
    # ---------------------------------------------------------------------------------------------------- optimizers
    taught("optimizer", "What decides how the model is changed for its loss; named by a string or made as an object.",
           (OPTIMIZERS, "A name, or an object"), (OPTIMIZERS, "A step is a pure function"),
           words=["decides how", "compile", "object"]),
    taught("momentum", "A velocity that keeps a share of itself and is pushed by the gradient.",
           (OPTIMIZERS, "Momentum: a ball with friction"), words=["velocity", "terminal velocity"]),
    taught("Nesterov momentum", "The gradient is asked for where the velocity is about to lead.",
           (OPTIMIZERS, "Nesterov: look before you step"), (OPTIMIZERS, "Nesterov without a second point"),
           words=["Nesterov"]),
    taught("adaptive rates", "A rate for every parameter, by the size of its gradients so far.",
           (OPTIMIZERS, "AdaGrad: a rate for every parameter"), (OPTIMIZERS, "RMSProp: AdaGrad that forgets"),
           words=["squares", "root"]),
    taught("Adam", "Running means of gradients and of their squares, freed of their start at zero.",
           (OPTIMIZERS, "Adam: momentum and scale together"), (OPTIMIZERS, "Why both averages are corrected"),
           words=["running mean", "zero"]),
    taught("weight decay", "Weights shrink in every step, through the optimizer or beside it.",
           (OPTIMIZERS, "AdamW: decay that Adam cannot divide away"),
           (REGULARIZATION, "Two decays that are not the same"),
           words=["decoupled", "coupled"]),
    # ----------------------------------------------------------------------------------------------------- schedules
    taught("learning-rate schedule", "The rate as a function of the steps that are done.",
           (SCHEDULES, "A schedule is a function of the step"), (SCHEDULES, "Why a rate should fall"),
           words=["already done", "noise"]),
    taught("range test", "Let the rate grow until the loss shoots up, and stay below.",
           (SCHEDULES, "Experiment: how far can a rate go?"), words=["range test", "half", "tenth"]),
    taught("1cycle", "Up on a line, down on a line, and a short last phase.",
           (SCHEDULES, "1cycle"), (SCHEDULES, "What 1cycle is for"), words=["last phase", "start"]),
    taught("warm-up", "Begin with small rates, while gradients mean little.",
           (SCHEDULES, "Warm-up: begin gently"), words=["warm-up"]),
    # ------------------------------------------------------------------------------------------------ regularization
    taught("overfitting", "The loss on other data stops falling while that on the training data goes on.",
           (TRAINING, "Experiment: when validation stops"), (REGULARIZATION, "A network that learns by heart"),
           words=["by heart", "gap"]),
    taught("ℓ1 and ℓ2 penalties", "A price on weights, which is a part of the loss.",
           (REGULARIZATION, "A price on weights"), words=["penalty"]),
    taught("dropout", "Every unit is absent by chance in every step of training.",
           (REGULARIZATION, "Another network at every step"), (REGULARIZATION, "Scale now, not later"),
           words=["absent", "inverted"]),
    taught("alpha dropout", "Dropout that keeps mean 0 and variance 1 in networks of SELU.",
           (REGULARIZATION, "Dropout for networks of SELU"), words=["alpha dropout"]),
    taught("Monte-Carlo dropout", "Many passes with dropout on; how far they disagree is a measure of doubt.",
           (REGULARIZATION, "Asking a hundred networks"), words=["dropout", "deviation"]),
    taught("max-norm", "The weights that come into a unit may not be longer than a limit.",
           (REGULARIZATION, "A bound instead of a price"), words=["max-norm", "column"]),
    taught("early stopping", "Keep the best parameters, and stop when nothing has been better for a while.",
           (REGULARIZATION, "Stop while it is good"), words=["patience", "copies"]),
)  # fmt: skip


def concepts_about(words: Sequence[str]) -> list[Concept]:
    """The concepts in whose name or sentence all of the words stand; all, without words."""
    wanted = [word.casefold() for word in words]
    return [c for c in CONCEPTS if all(word in f"{c.name} {c.says}".casefold() for word in wanted)]


def concepts(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="Only concepts in whose name or sentence it stands.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the result there.")] = None,
) -> None:
    """Find the heading under which a concept is taught."""
    with plainly():
        found = concepts_about(words or [])
        if not found:
            raise Refused(f"No concept is about {' '.join(words or [])!r}. `gradschool concepts` lists all of them.")
        for concept in found:
            say(f"[bold]{plain(concept.name)}[/]  {plain(concept.says)}")
            for chapter, heading in concept.taught:
                say(f"    [dim]{plain(chapter)}[/]  {plain(heading)}")
        write_json(json, [asdict(concept) for concept in found])
