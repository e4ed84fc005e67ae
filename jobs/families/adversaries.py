"""What families have in common whose networks draw pictures and judge them, in turns of both."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.families.family import Trained
from jobs.settings.spec import JobSpec


def operations_of(spec: JobSpec, made: int, update_d: int, update_g: int, ways: int = 1) -> int:
    """Operations of one step: all updates, and its frames.

    `made` are those of one picture that is drawn, `update_d` and `update_g` those of an update for
    each picture, without the drawing; `ways` is how many generators are trained side by side.
    """
    passes = spec.nbr_d_updates + spec.nbr_g_updates - 1
    trained = passes * made + spec.nbr_d_updates * update_d + spec.nbr_g_updates * update_g
    shown = spec.frames_per_step * spec.samples * made // spec.steps_per_frame
    return ways * spec.images_per_batch * trained + shown


def trained_pair(spec: JobSpec) -> dict[str, Trained]:
    """What training keeps of a generator and a discriminator."""
    return {
        "generator": Trained(spec.optimizer_g, is_averaged=spec.ema > 0),
        "discriminator": Trained(spec.optimizer_d, frozen=spec.freeze_d),
    }


def wrong_pretraining(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Whether what the generator learns before it is judged would be lost."""
    if spec.pretrain_steps and spec.optimizer_g.keeps_weights:
        yield (
            "optimizer_g",
            f"{spec.optimizer_g.name} keeps what it has learnt to itself, so it cannot learn one "
            "thing first and then another; use another one, or set pretrain_steps 0",
        )
