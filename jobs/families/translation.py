"""What families have in common that make pictures into pictures: their feeds, their cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from jobs.families.feed import PICTURES, Feed, Part
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Half
from jobs.settings.spec import COLUMNS_OF_SIZE, JobSpec, names_of, weights_of
from jobs.settings.translation import Term
from jobs.settings.words import with_article

INPUTS, TARGETS = "inputs", "targets"
VALIDATION = "validation"  # the feed that networks are measured by
SAMPLES = "samples_of_"  # before the name of a feed: pictures like its, which frames show

# Settings that decide, in all of these families, what layers there are and how large their values.
OF_LAYERS = frozenset(
    {
        *COLUMNS_OF_SIZE, "dataset", "targets", "inputs", "sample_from", "grid_width",
        "grid_height", "batch_size", "gpus", "colour_model", "gf_dim", "df_dim", "show", "loss",
        "freeze_d",
    }
)  # fmt: skip
OF_STEPS = frozenset({"nbr_d_updates", "nbr_g_updates", "snapshot", "sample_motion"})
# Terms of losses between what is made and what was wanted; the others go there and back.
_NOT_OF_PAIRS = ("cycle", "identity", "bce")
TERMS_OF_PAIRS = tuple(name for name in Term.TABLE if name not in _NOT_OF_PAIRS)
# Settings of layers and latents that none of these has: its plan says how they are.
OTHERS = (
    "nbr_of_layers_g", "nbr_of_layers_d", "filters_g", "filters_d", "k_w", "k_h", "k_w_g", "k_h_g",
    "k_w_d", "k_h_d", "stride_g", "stride_d", "dilation_g", "dilation_d", "convolution_d",
    "activation_g", "activation_d", "dropout_d", "noise_g", "noise_d", "z_dim", "z_distribution",
    "latent_motion",
)  # fmt: skip
# And of those whose normalizations are fixed.
OTHERS_OF_FIXED = (
    *OTHERS, "batch_norm_g", "batch_norm_d", "normalization_g", "normalization_d", "dropout_g",
    "feature_matching",
)  # fmt: skip

_OTHER: Mapping[Half, Half] = {"left": "right", "right": "left"}


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """Targets with their inputs; or the pictures that both are made of."""
    first, *pairs = _trained_on(spec)
    return (first, *pairs, *_shown(spec))


def _trained_on(spec: JobSpec) -> Sequence[Feed]:
    if spec.side_by_side:
        return _halves("", spec.side_by_side, spec.folders, spec.weights, spec.column_of_pictures)
    whole = Feed.of_dataset(spec)
    if not spec.inputs:
        return [whole]
    targets = Feed(TARGETS, whole.folders, whole.weights, column=whole.column)
    return [targets, Feed(INPUTS, names_of(spec.inputs), pair_of=TARGETS, column="inputs")]


def unpaired(spec: JobSpec) -> tuple[Feed, ...]:
    """Targets and inputs, drawn apart from each other."""
    weights = weights_of(spec.inputs)
    inputs = Feed(INPUTS, names_of(spec.inputs), weights, column="inputs")
    column = spec.column_of_pictures
    return (Feed(TARGETS, spec.folders, spec.weights, column=column), inputs, *_shown(spec))


def _shown(spec: JobSpec) -> Sequence[Feed]:
    """The feeds of `sample_from`, which frames alone show."""
    folders = names_of(spec.sample_from)
    if not folders:
        return []
    if spec.side_by_side:
        return _halves(SAMPLES, spec.side_by_side, folders, None, "sample_from")
    name = SAMPLES + (PICTURES if spec.makings else INPUTS)
    return [Feed(name, folders, is_drawn=False, column="sample_from")]


def samples_like(whole: Feed, spec: JobSpec) -> Sequence[Feed]:
    """The feed of `sample_from`, of pictures such as those of the whole data set."""
    folders = names_of(spec.sample_from)
    if not folders:
        return []
    like = replace(whole, name=SAMPLES + whole.name, folders=folders, column="sample_from")
    return [replace(like, weights=None, is_drawn=False)]


def with_validation(whole: Feed, shown: Sequence[Feed], spec: JobSpec) -> tuple[Feed, ...]:
    """The whole data set, or what is left of it, what frames show, and what networks are measured
    by, where there is any.
    """
    if not spec.validation:
        return (whole, *shown)
    measured = Feed(
        VALIDATION,
        names_of(spec.validation),
        frames=whole.frames,
        goes_on=whole.frames > 1,  # so that no picture is in two clips
        in_shots=whole.in_shots,
        is_drawn=False,
        is_shown=False,
        column="validation",
    )
    if (share := spec.held_out) is None:
        return (whole, *shown, measured)
    rest, held_out = (Part(share, spec.seed, is_held_out=which) for which in (False, True))
    measured = replace(measured, folders=whole.folders, part=held_out)
    return (replace(whole, part=rest), *shown, measured)


def _halves(
    prefix: str,
    inputs: Half,
    folders: tuple[str, ...],
    weights: tuple[int, ...] | None,
    column: str,
) -> Sequence[Feed]:
    is_drawn = prefix != SAMPLES
    targets = prefix + TARGETS
    return [
        Feed(targets, folders, weights, half=_OTHER[inputs], column=column, is_drawn=is_drawn),
        Feed(
            prefix + INPUTS,
            folders,
            pair_of=targets,
            half=inputs,
            column=column,
            is_drawn=is_drawn,
        ),
    ]


def wrong_show(spec: JobSpec, known: Set[str]) -> Iterator[tuple[str, str]]:
    """Whether frames are to show what there is not; `known` is what the family has."""
    wanted = shows(spec)
    if unknown := [each for each in wanted if each not in known]:
        others = " and ".join(sorted(known))
        yield (
            "show",
            f"shows {unknown[0]}, which {with_article(spec.family)} does not have; it has {others}",
        )
    elif spec.sample_from and spec.inputs and "target" in wanted:
        yield (
            "show",
            "shows targets, and of the pictures of sample_from, which are inputs, there are none; "
            "leave sample_from empty, or show input+output",
        )


def wrong_terms(
    spec: JobSpec, known: Collection[str], column: str = "losses"
) -> Iterator[tuple[str, str]]:
    """Whether a column's loss has terms that make no sense; `known` are those of the family."""
    terms: Sequence[Term] = getattr(spec, column)
    names = [term.name for term in terms]
    if unknown := [name for name in names if name not in known]:
        yield (
            column,
            f"names {unknown[0]}, which {with_article(spec.family)} does not have; it has "
            f"{', '.join(known)}",
        )
    elif twice := next((name for name in names if names.count(name) > 1), None):
        yield column, f"names {twice} twice; once is enough"
    elif not (counting := {term.name for term in terms if term["weight"]}):
        yield column, "has no term with a weight above 0"
    elif counting <= {"tv"}:
        more = "l1 or gan" if "gan" in known else "l2"
        yield column, f"wants nothing of pictures but that they are flat; add {more}"
    elif counting <= {"cycle", "identity"}:
        yield column, "is content with copies of the inputs; add gan"
    elif "gan" in known and "gan" not in counting:
        for each in ("feature_matching", "label_smoothing"):
            if getattr(spec, each):
                yield each, f"has no effect without gan in {column}; leave it 0"


def shows(spec: JobSpec) -> tuple[str, ...]:
    """The pictures of a cell, from left to right: `input`, `output`, `target`."""
    return tuple(spec.show.split("+"))


def cell(spec: JobSpec, width: int, height: int) -> Resolution:
    """The size of a cell."""
    return Resolution(len(shows(spec)) * width, height)
