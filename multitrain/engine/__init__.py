"""What runs a family: gradients, optimizers, compilation, random numbers, devices.

Families describe networks and losses with Keras; an engine trains them. Importing this package
imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.errors import MultitrainError
from jobs.settings.spec import JobSpec
from multitrain.engine.feeds import Feeds
from multitrain.engine.misfits import misfits
from multitrain.engine.model import Model
from multitrain.engine.session import Session, SessionSettings


def open_training(
    describe: Callable[[], Model],
    spec: JobSpec,
    feeds: Feeds,
    settings: SessionSettings,
) -> Session:
    """A session that trains what `describe` builds, which is called once the devices are set up.

    The engine is the job's; Keras must run on it in this process. Raises OutOfMemory, and
    MultitrainError where the devices cannot train the job together.
    """
    import keras

    from multitrain.engine.groups import groups_of

    if (backend := keras.backend.backend()) != spec.engine:
        raise MultitrainError(
            f"the job wants the engine {spec.engine}, and this process has Keras run on {backend}; "
            f"start it with KERAS_BACKEND={spec.engine}"
        )
    if spec.images_per_batch % spec.gpus:
        raise MultitrainError(
            f"batch_size: {spec.images_per_batch} pictures cannot be shared out evenly over "
            f"{spec.gpus} GPUs; choose a multiple of {spec.gpus}"
        )
    groups = groups_of(feeds, spec.preprocessing)

    def checked() -> Model:
        model = describe()
        batch = spec.images_per_batch
        for wrong in misfits(model, feeds, spec.frames_per_step, batch, spec.gpus):
            raise ValueError(wrong)
        return model

    if spec.engine == "jax":
        from multitrain.engine.jax.session import JaxSession

        return JaxSession(checked, spec, groups, settings)
    from multitrain.engine.tensorflow.session import TensorFlowSession

    return TensorFlowSession(checked, spec, groups, settings)
