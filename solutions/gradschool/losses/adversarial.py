"""The losses of a generative adversarial network: the discriminator learns to tell data from what the generator makes,
and the generator learns to be taken for data. All take scores z; the probability that an input is data is sigmoid(z).

    loss = gan_discriminator_loss(D(d_params, X), D(d_params, fake))        # differentiate in d_params only
    loss = gan_generator_loss(D(d_params, G(g_params, noise)))              # through D, but in g_params only
"""

from __future__ import annotations

import numpy as np

from .scores import bce_with_logits

__all__ = ["gan_discriminator_loss", "gan_generator_loss"]


def bce_of_all(z, target):
    """The mean over all scores, of any shape, with the same target for each."""
    z = np.reshape(z, -1)
    return bce_with_logits(z, np.full(z.shape, target), normalization="all-elements")


def gan_discriminator_loss(real, fake, real_target=1.0):
    """-mean log D(x) - mean log(1 - D(G(z))), with D = sigmoid(score).

        gradients: (D - 1) / n for the n scores of data, D / n for those of the generator

    Args:
        real: scores for data, any shape.
        fake: scores for the generator's output, any shape.
        real_target: less than 1, such as 0.9, is one-sided label smoothing: -t log D - (1 - t) log(1 - D) for data.

    Returns:
        A number. Both means are over all scores, so the two may be of different length.

    Raises:
        ValueError: a target outside of 0..1.

    Source: Goodfellow et al. 2014, their value function with the sign turned.

    >>> print(f"{gan_discriminator_loss(np.array([2.0, 0.0]), np.array([-1.0])):.7f}")
    0.7232993
    """
    if not 0 <= real_target <= 1:
        raise ValueError(f"gan_discriminator_loss: expected real_target between 0 and 1, got {real_target}")
    return bce_of_all(real, real_target) + bce_of_all(fake, 0.0)


def gan_generator_loss(fake, form="non-saturating"):
    """How well the generator is found out, in one of two forms.

        "non-saturating"    -mean log D(G(z)),           gradient (D - 1) / n: strong where D is not deceived
        "minimax"           mean log(1 - D(G(z))),       gradient -D / n: fades exactly there, early in training

    Args:
        fake: scores for the generator's output, any shape.
        form: as above.

    Raises:
        ValueError: another form.

    Source: Goodfellow et al. 2014, which derives the second and recommends the first.

    >>> z = np.array([-4.0])                        # the discriminator is sure that this is no data
    >>> [round(float(gan_generator_loss(z, form)), 7) for form in ("non-saturating", "minimax")]
    [4.0181499, -0.0181499]
    """
    if form == "non-saturating":
        return bce_of_all(fake, 1.0)
    if form == "minimax":
        return -bce_of_all(fake, 0.0)
    raise ValueError(f'gan_generator_loss: expected form "non-saturating" or "minimax", got {form!r}')
