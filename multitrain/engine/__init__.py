"""What runs a family: gradients, optimizers, compilation, random numbers, devices.

Families describe networks and losses with Keras; an engine trains them. Importing this package
imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.spec import JobSpec
from multitrain.engine.adversarial import Adversarial
from multitrain.engine.session import Frames, Session, SessionSettings


def open_adversarial(
    describe: Callable[[], Adversarial],
    spec: JobSpec,
    pictures: Frames,
    settings: SessionSettings,
) -> Session:
    """A session that trains what `describe` builds, which is called once the devices are set up.

    Raises OutOfMemory, and MultitrainError where the devices cannot train the job together.
    """
    from multitrain.engine.tensorflow import TensorFlowSession

    return TensorFlowSession(describe, spec, pictures, settings)
