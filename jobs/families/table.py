"""All kinds of networks by the name that sheets give them: nobody else asks for one by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from jobs.families.autoencoder.plan import AUTOENCODER
from jobs.families.cartoon.plan import CARTOON
from jobs.families.cyclegan.plan import CYCLEGAN
from jobs.families.dcgan.plan import DCGAN
from jobs.families.family import Family
from jobs.families.fastgan.plan import FASTGAN
from jobs.families.inbetween.plan import INBETWEEN
from jobs.families.pix2pix.plan import PIX2PIX
from jobs.families.ppon.plan import PPON
from jobs.families.superres.plan import SUPERRES
from jobs.settings.spec import COLUMNS, JobSpec, facets, means_something

# What a family that trains nothing still knows of all that concerns steps.
_OF_FRAMES = {"colour_model", "flip", "snapshot", "batch_size", "seed", "precision"}
_OF_TRAININGS = {column for column in COLUMNS if facets(column).concerns in ("step", "origin")}

_ALL: Mapping[str, Family] = {
    "dcgan": DCGAN,
    "fastgan": FASTGAN,
    "pix2pix": PIX2PIX,
    "cyclegan": CYCLEGAN,
    "cartoon": CARTOON,
    "superres": SUPERRES,
    "ppon": PPON,
    "autoencoder": AUTOENCODER,
    "inbetween": INBETWEEN,
    # Frames that show their number.
    "testcard": Family(without=frozenset(_OF_TRAININGS - _OF_FRAMES)),
}


def _of_others(name: str) -> Iterator[str]:
    """Columns that are said to mean something to other families alone."""
    for column in COLUMNS:
        if not means_something(column, name):
            yield column


FAMILIES: Mapping[str, Family] = {
    name: replace(family, without=family.without.union(_of_others(name)))
    for name, family in _ALL.items()
}

# On one of these depends, in some family, what layers there are; and what a step computes.
COLUMNS_OF_LAYERS = frozenset({"family"}).union(*(f.columns_of_layers for f in FAMILIES.values()))
COLUMNS_OF_STEPS = COLUMNS_OF_LAYERS.union(*(f.columns_of_steps for f in FAMILIES.values()))


def family_of(spec: JobSpec) -> Family:
    """The family of a job."""
    return FAMILIES[spec.family]
