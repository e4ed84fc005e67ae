"""The losses of generator and discriminator: means over a batch of logits `(n, places)`."""

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
    - relativistic: against the mean of the other side (RaGAN, RaLSGAN, RaHingeGAN);
      Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734. A discriminator that is shown what
      a picture is made of compares pictures of the same only: `by_item`
    - label smoothing, of pictures only: Salimans et al. 2016, section 3.4, feature matching:
      section 3.1, https://arxiv.org/abs/1606.03498
    """

    loss: Loss
    label_smoothing: float = 0.0
    feature_matching: float = 0.0
    by_item: bool = False

    @property
    def generator_sees_pictures(self) -> bool:
        return self.loss.is_relativistic or self.feature_matching > 0

    @property
    def has_gradient_penalty(self) -> bool:
        return self.loss.name == "wgan-gp"

    def discriminator(self, real: Judgement, fake: Judgement) -> Any:
        r, f = real.logits, fake.logits
        if self.loss.is_relativistic:
            r, f = self._against(r, f), self._against(f, r)
        smooth = self.label_smoothing
        match self.loss.kind:
            case "vanilla":
                # Cross-entropy with the label y is softplus(-x) + (1 - y) x.
                loss = ops.mean(ops.softplus(-r)) + ops.mean(ops.softplus(f))
                return loss + smooth * ops.mean(r) if smooth else loss
            case "lsgan":
                low = -1.0 if self.loss.is_relativistic else 0.0
                high = 1.0 - smooth
                return 0.5 * (ops.mean(ops.square(r - high)) + ops.mean(ops.square(f - low)))
            case "hinge":
                return ops.mean(ops.relu(1.0 - r)) + ops.mean(ops.relu(1.0 + f))
        return ops.mean(f) - ops.mean(r)

    def generator(self, real: Judgement | None, fake: Judgement) -> Any:
        loss = self._adversarial(real, fake)
        if self.feature_matching and real is not None:
            apart = ops.mean(real.features, axis=0) - ops.mean(fake.features, axis=0)
            loss = loss + self.feature_matching * ops.mean(ops.square(apart))
        return loss

    def _adversarial(self, real: Judgement | None, fake: Judgement) -> Any:
        if self.loss.is_relativistic:  # the discriminator's, the other way round
            assert real is not None, "the generator sees pictures"
            return self.discriminator(fake, real)
        f = fake.logits
        match self.loss.kind:
            case "vanilla":
                return ops.mean(ops.softplus(-f))
            case "lsgan":
                return 0.5 * ops.mean(ops.square(f - 1.0))
        return -ops.mean(f)

    def _against(self, logits: Any, others: Any) -> Any:
        """How far logits are above the mean of the others: of all, or of those of the same item."""
        return logits - ops.mean(others, axis=1 if self.by_item else None, keepdims=True)

    def gradient_penalty(self, gradients: Any) -> Any:
        """The weighted mean of (length - 1)^2 over `gradients`, `(n, height, width, channels)`."""
        squares = ops.sum(ops.square(ops.cast(gradients, "float32")), axis=(1, 2, 3))
        # The root has no slope at 0, where a discriminator may well begin.
        lengths = ops.sqrt(squares + 1e-12)
        return self.loss["weight"] * ops.mean(ops.square(lengths - LIPSCHITZ))
