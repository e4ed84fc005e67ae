"""What runs a family: gradients, optimizers, compilation, random numbers, devices.

Families describe networks and losses with Keras; an engine trains them. Importing this package
imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.errors import MultitrainError
from jobs.settings.spec import JobSpec
from multitrain.engine.misfits import misfits
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Model
from multitrain.engine.session import Frames, Session, SessionSettings


def open_training(
    describe: Callable[[], Model],
    spec: JobSpec,
    pictures: Frames,
    settings: SessionSettings,
    counts: tuple[int, ...] = (),
) -> Session:
    """A session that trains what `describe` builds, which is called once the devices are set up.

    The engine is the job's; Keras must run on it in this process. Raises OutOfMemory, and
    MultitrainError where the devices cannot train the job together.
    """
    import keras

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
    mixture = Mixture.of(spec.weights, counts, len(pictures))

    def checked() -> Model:
        model = describe()
        for wrong in misfits(model, spec.frames_per_step, spec.images_per_batch // spec.gpus):
            raise ValueError(wrong)
        return model

    if spec.engine == "jax":
        from multitrain.engine.jax.session import JaxSession

        return JaxSession(checked, spec, pictures, settings, mixture)
    from multitrain.engine.tensorflow.session import TensorFlowSession

    return TensorFlowSession(checked, spec, pictures, settings, mixture)
