"""The losses of generator and discriminator: means over a batch of logits `(n, 1)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from jobs.settings.choices import Loss
from multitrain.networks.judgement import Judgement

LIPSCHITZ = 1.0  # the length of gradients at which the penalty is 0


@dataclass(frozen=True)
class GanLosses:
    """The losses that a sheet can name, with label smoothing and feature matching.

    - vanilla: sigmoid cross-entropy, the generator's not saturating; Goodfellow et al. 2014,
      https://arxiv.org/abs/1406.2661
    - lsgan: squares; Mao et al. 2016, https://arxiv.org/abs/1611.04076
    - hinge: Lim and Ye 2017, https://arxiv.org/abs/1705.02894
    - wgan-gp: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028
    - relativistic: against the mean of the other side (RaGAN); Jolicoeur-Martineau 2018,
      https://arxiv.org/abs/1807.00734
    - label smoothing, of pictures only: Salimans et al. 2016, section 3.4, feature matching:
      section 3.1, https://arxiv.org/abs/1606.03498
    """

    loss: Loss
    label_smoothing: float = 0.0
    feature_matching: float = 0.0

    @property
    def generator_sees_pictures(self) -> bool:
        return self.loss.name == "relativistic" or self.feature_matching > 0

    @property
    def has_gradient_penalty(self) -> bool:
        return self.loss.name == "wgan-gp"

    def discriminator(self, real: Judgement, fake: Judgement) -> Any:
        r, f = real.logits, fake.logits
        smooth = self.label_smoothing
        match self.loss.name:
            case "vanilla":
                # Cross-entropy with the label y is softplus(-x) + (1 - y) x.
                loss = ops.mean(ops.softplus(-r)) + ops.mean(ops.softplus(f))
                return loss + smooth * ops.mean(r) if smooth else loss
            case "lsgan":
                return 0.5 * (ops.mean(ops.square(r - (1.0 - smooth))) + ops.mean(ops.square(f)))
            case "hinge":
                return ops.mean(ops.relu(1.0 - r)) + ops.mean(ops.relu(1.0 + f))
            case "wgan-gp":
                return ops.mean(f) - ops.mean(r)
        return _relativistic(r, f)

    def generator(self, real: Judgement | None, fake: Judgement) -> Any:
        loss = self._adversarial(real, fake)
        if self.feature_matching and real is not None:
            apart = ops.mean(real.features, axis=0) - ops.mean(fake.features, axis=0)
            loss = loss + self.feature_matching * ops.mean(ops.square(apart))
        return loss

    def _adversarial(self, real: Judgement | None, fake: Judgement) -> Any:
        f = fake.logits
        match self.loss.name:
            case "vanilla":
                return ops.mean(ops.softplus(-f))
            case "lsgan":
                return 0.5 * ops.mean(ops.square(f - 1.0))
            case "hinge" | "wgan-gp":
                return -ops.mean(f)
        assert real is not None, "the generator sees pictures"
        return _relativistic(f, real.logits)

    def gradient_penalty(self, gradients: Any) -> Any:
        """The weighted mean of (length - 1)^2 over `gradients`, `(n, height, width, channels)`."""
        squares = ops.sum(ops.square(ops.cast(gradients, "float32")), axis=(1, 2, 3))
        # The root has no slope at 0, where a discriminator may well begin.
        lengths = ops.sqrt(squares + 1e-12)
        return self.loss["weight"] * ops.mean(ops.square(lengths - LIPSCHITZ))


def _relativistic(better: Any, worse: Any) -> Any:
    """Cross-entropy of `better` being above the mean of `worse`, and the other way round."""
    above = better - ops.mean(worse)
    below = worse - ops.mean(better)
    return ops.mean(ops.softplus(-above)) + ops.mean(ops.softplus(below))
