"""Random jobs of every family that trains, over all settings of networks, colours and training.

They are small enough to train at once, and `multitrain check` passes them: settings that it
refuses are left out, one by one. So is a family that pictures are too small for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any, get_args, get_origin

from jobs.errors import SheetError
from jobs.families.autoencoder.plan import TERMS as TERMS_OF_CODERS
from jobs.families.cartoon.plan import TERMS
from jobs.families.enlarging import ALONE
from jobs.families.superres.evolution import random_genome
from jobs.families.superres.genomes import Genome
from jobs.families.table import FAMILIES
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.pictures.folders import DatasetFolders
from jobs.settings.bounds import LARGEST, unwrap, words_of
from jobs.settings.choices import Choice, Parameter
from jobs.settings.moments import Moments
from jobs.settings.parsing import cell_text
from jobs.settings.schedules import PLATEAU
from jobs.settings.spec import COLUMNS, RIVALS, facets, means_something
from jobs.settings.translation import Term
from jobs.sheets.forms.cells import Cell, Row, Rows
from jobs.sheets.sheet import check_rows
from jobs.tinkering.perturbation import Bounds
from jobs.tinkering.variations import annotation_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

SHARE_GIVEN = 0.5  # of the settings of a job; the others stay at their defaults

SMALL = {  # closer bounds than the settings' own; by column, those of both networks by their stem
    "nbr_of_layers": (2, 5),
    "gf_dim": (1, 16),
    "df_dim": (1, 16),
    "filters": (1, 16),
    "k_w": (1, 7),
    "k_h": (1, 7),
    "stride": (1, 3),
    "dilation": (1, 3),
    "dropout": (0, 0.8),
    "noise": (0, 0.5),
    "z_dim": (1, 64),
    "learning_rate": (1e-6, 1e-2),
    "nbr_g_updates": (1, 2),
    "nbr_d_updates": (1, 2),
    "batch_size": (2, 8),
    "instance_noise": (0, 0.5),
    "feature_matching": (0, 10),
    "freeze_d": (0, 3),
    "downs": (1, 5),
    "blocks": (1, 2),
    "features": (1, 16),
    "border": (0, 3),
    "clip": (2, 5),
    "pretrain_steps": (0, 2),
    "latent_channels": (1, 12),
    "warm_up": (0, 3),
}
SMALL_PARAMETERS = {"steps": (1, 1000), "warmup_steps": (0, 10), "ns_steps": (1, 6)}

# What lists of losses may name, those of one family apart; without what needs a file of weights.
NAMES_OF_TERMS = {
    f"{what}_losses": [name for name in names if name not in SEEN_BY_VGG16]
    for what, names in TERMS.items()
}
NAMES_OF_TERMS |= {
    f"p{number}_losses": [name for name in names if name not in ("tv", *SEEN_BY_VGG16)]
    for number, names in ((1, ALONE), (2, ALONE), (3, (*ALONE, "gan")))
}

NEED_MORE = {"perceptual", "freeze_encoder"}  # a file, a job to start from

STRIDES = 12  # every second, third or fourth job may be for another engine

WIDEST = (1e-3, 10.0)  # where neither the setting nor `SMALL` has a bound


def columns_drawn() -> list[str]:
    """The settings that random jobs may have."""
    of_steps = [column for column in COLUMNS if facets(column).concerns == "step"]
    alone = [column for column in of_steps if not facets(column).needs]
    return [column for column in alone if column not in NEED_MORE]


@dataclass(frozen=True)
class RandomJobs:
    """Jobs of one workspace: `fixed` are the texts of the cells that all of them have."""

    workspace: Workspace
    folders: DatasetFolders
    fixed: dict[str, str]
    seed: int

    def draw(self, number: int, engine: str) -> JobFile:
        """Job `number`: the same for the same seed, whatever was drawn before."""
        random = Random(f"{self.seed}|{number}")
        fixed = {"name": f"random-{number:04d}", "engine": engine, **self.fixed}
        family = self._family(number)
        given = {"family": family, **_settings(family, random)}
        while True:
            texts = {**given, **_with_inputs(fixed, given.get("family", ""))}
            texts |= _measured(texts)
            cells = {column: Cell(text, 1) for column, text in texts.items()}
            rows = Rows((Row(1, cells),), ())
            try:
                return check_rows(rows, "random", self.folders, self.workspace)[0]
            except SheetError as error:
                wrong = {each.column for each in error.mistakes} & given.keys()
                # What a rule is told at may be right but for another setting: any goes.
                for column in wrong or {random.choice(sorted(given))}:
                    del given[column]

    def _family(self, number: int) -> str:
        """All in turn, each round in another order: every third job is not of every third one."""
        trained = [name for name, family in FAMILIES.items() if family.trains]
        turn, place = divmod(number, len(trained))
        return Random(f"{self.seed}|turn {turn}").sample(trained, len(trained))[place]


def _with_inputs(fixed: dict[str, str], family: str) -> dict[str, str]:
    """The same folder as inputs and as targets, for a family that is given both."""
    rivals = next(group for group in RIVALS if "inputs" in group)
    can_be_made = any(means_something(each, family) for each in rivals if each != "inputs")
    if not means_something("inputs", family) or can_be_made:
        return fixed
    folder = fixed["dataset"]
    others = {column: text for column, text in fixed.items() if column != "dataset"}
    return {**others, "inputs": folder, "targets": folder}


def _measured(texts: dict[str, str]) -> dict[str, str]:
    """What a plateau goes by, of a family that is measured."""
    is_plateau = any(texts.get(f"schedule_{of}", "").startswith(PLATEAU) for of in "gd")
    if not is_plateau or not means_something("validation", texts.get("family", "")):
        return {}
    return {"validation": texts.get("dataset", ""), "validate_every": "1"}


def _settings(family: str, random: Random) -> dict[str, str]:
    """The texts of the cells of some settings."""
    columns = [column for column in columns_drawn() if column != "genome"]
    drawn = [column for column in columns if random.random() < SHARE_GIVEN]
    layers = dict.fromkeys("gd", 5)
    settings: dict[str, Any] = {}
    for column in drawn:
        settings[column] = _value(column, annotation_of(column), layers, random)
        if words := facets(column).words_in.get(family):
            settings[column] = random.choice(words)
        elif column == "losses" and family == "autoencoder":
            settings[column] = (Term(random.choice(TERMS_OF_CODERS)), Term("l2"))
        if column.startswith("nbr_of_layers"):
            layers[column[-1]] = settings[column]
    if settings.get("net") == "genome":  # neither makes sense without the other
        settings["genome"] = str(_small_genome(random))
    return {column: cell_text(column, value) for column, value in settings.items()}


def _small_genome(random: Random) -> Genome:
    genome = random_genome(random)
    small = (
        replace(gene, filters=random.randint(1, 16), times=min(gene.times, 2))
        for gene in genome.genes
    )
    return replace(genome, genes=tuple(small))


def _value(column: str, annotation: Any, layers: dict[str, int], random: Random) -> Any:
    kind, _ = unwrap(annotation)
    if get_origin(kind) is not tuple:
        return _entry(annotation, _small(column), random)
    entry = get_args(kind)[0]
    if column == "diffaugment":
        words = [word for word in words_of(unwrap(entry)[0]) if word != "none"]
        return tuple(random.sample(words, random.randint(0, len(words)))) or ("none",)
    if column == "losses":  # each family has others, none stands twice, and few make sense alone
        term = _entry(entry, _small(column), random)
        return (term,) if term.name == "gan" else (term, Term("gan"))
    if names := NAMES_OF_TERMS.get(column):
        terms = (_entry(entry, _small(column), random) for _ in count())
        return (next(term for term in terms if term.name in names),)
    convolutions = layers.get(column[-1], min(layers.values())) - 1
    entries = random.choice((1, convolutions))
    return tuple(_entry(entry, _small(column), random) for _ in range(entries))


def _small(column: str) -> tuple[float, float] | None:
    return SMALL.get(column) or SMALL.get(column[:-2])


def _entry(annotation: Any, small: tuple[float, float] | None, random: Random) -> Any:
    kind, metadata = unwrap(annotation)
    if isinstance(kind, type) and issubclass(kind, Choice):
        return _choice(kind, random)
    if kind is Moments:
        shares = sorted(random.sample(range(1, 100), random.randint(1, 4)))
        return Moments("/".join(f"{share}%" for share in shares))
    if kind is bool:
        return random.random() < 0.5
    if kind is str:  # of columns that are drawn, stages alone
        return random.choice(("0/0", "0/2", "1/2", "30%/60%"))
    if words := words_of(kind):
        return random.choice(words)
    return _number(kind, Bounds.of(metadata), small, random)


def _choice(kind: type[Choice], random: Random) -> Choice:
    name = random.choice(list(kind.TABLE))
    told = [
        f"{parameter}={_parameter(parameter, declared, random)}"
        for parameter, declared in kind.TABLE[name].items()
        if random.random() < SHARE_GIVEN
    ]
    return kind.parse(f"{name}({', '.join(told)})")


def _parameter(name: str, declared: Parameter, random: Random) -> Any:
    """Small ones, such as an epsilon, stay within two magnitudes of their default."""
    default = declared.default if isinstance(declared.default, int | float) else None
    near: tuple[float, float] | None = SMALL_PARAMETERS.get(name)
    if near is None and default and not isinstance(default, bool) and abs(default) < 0.1:
        near = (default / 100, default * 10)
    return _entry(declared.type, near, random)


def _number(kind: type, bounds: Bounds, small: tuple[float, float] | None, random: Random) -> float:
    """Within both; of any magnitude where the bounds lie far apart."""
    low, high = small or (bounds.low, bounds.high)
    if not small:
        low = low if low > -LARGEST else (-1.0 if high <= 0 else WIDEST[0])
        high = high if high < LARGEST else WIDEST[1]
    if kind is int:
        return random.randint(math.ceil(low), math.floor(high))
    number = (
        math.exp(random.uniform(math.log(low), math.log(high)))
        if low > 0 and high / low > 100
        else random.uniform(low, high)
    )
    return number if bounds.hold(number) else bounds.clamp(number, (low + high) / 2)
