"""Kinds of networks to train, each a module here, found by name in a closed table.

A family module has `open_session(job, feeds, settings) -> Session` and is imported only when a job
asks for it: the test card needs no TensorFlow.
"""

from __future__ import annotations

from importlib import import_module

from jobs.errors import MultitrainError, how_to_install
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds
from multitrain.engine.session import Session, SessionSettings

MODULES = {
    "dcgan": "multitrain.families.dcgan.describing",
    "fastgan": "multitrain.families.fastgan.describing",
    "pix2pix": "multitrain.families.pix2pix.describing",
    "cyclegan": "multitrain.families.cyclegan.describing",
    "cartoon": "multitrain.families.cartoon.describing",
    "superres": "multitrain.families.superres.describing",
    "ppon": "multitrain.families.ppon.describing",
    "autoencoder": "multitrain.families.autoencoder.describing",
    "inbetween": "multitrain.families.inbetween.describing",
    "testcard": "multitrain.families.testcard.session",
}

ENGINES_OF_EXTRAS = {"jax", "jaxlib"}  # missing modules, where an optional engine is not installed


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A session of the job's family at step 0, on these pictures.

    Raises OutOfMemory and other MultitrainErrors where the network cannot be set up.
    """
    try:
        family = import_module(MODULES[job.spec.family])
    except ModuleNotFoundError as error:
        if error.name not in ENGINES_OF_EXTRAS:
            raise
        raise MultitrainError(
            f"engine: {job.spec.engine} is not installed; {how_to_install(job.spec.engine)}"
        ) from error
    session: Session = family.open_session(job, feeds, settings)
    return session
