"""What becomes of pictures before networks see them: how they are scaled and cut, and how large.

The modes and their words are those of CycleGAN's loaders, with CSS' `cover` beside them. Scaling
and cuts around the centre happen once, when pictures are decoded; random crops and mirroring anew
for every batch. Pure arithmetic: no picture is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from jobs.settings.kinds import Resolution
from jobs.settings.words import nearest, quoted

NONE, CROP, CENTER_CROP = "none", "crop", "center_crop"
RESIZE, COVER, SCALE_WIDTH = "resize", "cover", "scale_width"
SCALINGS = (RESIZE, COVER, SCALE_WIDTH)  # to the `load_size`
CUTS = (CROP, CENTER_CROP)  # of the `crop_size`
AND = "_and_"
Half = Literal["left", "right"]
HALVES: Mapping[Half, str] = {"left": "left_half", "right": "right_half"}  # steps by what they keep


def shrunk(size: Resolution, factor: int) -> Resolution:
    """The size of a picture that is so many times smaller."""
    return Resolution(size.width // factor, size.height // factor)


class Unfit(ValueError):
    """Pictures that are too small: one clause for a person."""


class Sides(NamedTuple):
    """Pixels on each side of a picture."""

    left: int
    right: int
    top: int
    bottom: int

    def within(self, size: Resolution) -> tuple[int, int, int, int]:
        """What is left of a picture without them: left, top, right, bottom. Raises Unfit."""
        right, bottom = size.width - self.right, size.height - self.bottom
        if self.left >= right or self.top >= bottom:
            raise Unfit(f"is {size}: cutting off {self} leaves nothing")
        return self.left, self.top, right, bottom

    def common(self, other: Self) -> Self:
        """What both have of each side."""
        return type(self)(*map(min, self, other))

    def __str__(self) -> str:
        return ",".join(map(str, self))


NO_SIDES = Sides(0, 0, 0, 0)


class Step(NamedTuple):
    """One scaling or cut, and the size that it makes.

    For `scale_width` only the width counts, for halves nothing of it.
    """

    kind: str
    size: Resolution

    @classmethod
    def half(cls, which: Half) -> Self:
        """Keeps one half of a picture; the middle column of an odd width is in neither."""
        return cls(HALVES[which], Resolution(0, 0))

    def smaller(self, factor: int) -> Self:
        """The same of pictures that are so many times smaller."""
        return type(self)(self.kind, shrunk(self.size, factor))

    def of(self, size: Resolution) -> Resolution:
        """What a picture of `size` becomes. Raises Unfit."""
        if self.kind in HALVES.values():
            if size.width == 1:
                raise Unfit(f"{size} has no halves")
            return Resolution(size.width // 2, size.height)
        if self.kind == SCALE_WIDTH:
            height = round(size.height * self.size.width / size.width)
            return Resolution(self.size.width, max(1, height))
        if self.kind in CUTS and (size.width < self.size.width or size.height < self.size.height):
            raise Unfit(f"{size} is too small to cut {self.size} out of it")
        return self.size


@dataclass(frozen=True)
class Preprocessing:
    """What is done to every picture, in this order.

    `fixed` makes the same of a picture each time. `crop` is the size of a part that is cut out at a
    random place, `flip` mirrors half of the pictures left to right, by chance.
    """

    fixed: tuple[Step, ...] = ()
    crop: Resolution | None = None
    flip: bool = False

    @classmethod
    def of(
        cls,
        mode: str,
        load_size: Resolution | None,
        crop_size: Resolution | None,
        *,
        flip: bool,
        half: Half | None = None,
    ) -> Self:
        """From a `mode` and sizes that go together, as `unfit_sizes` has checked.

        Where files are cut in two, all of it is done to this `half` of them.
        """
        steps = [Step.half(half)] if half else []
        for kind in steps_of(mode):
            size = load_size if kind in SCALINGS else crop_size
            assert size is not None, "sizes are checked first"
            steps.append(Step(kind, size))
        if steps and steps[-1].kind == CROP:
            return cls(tuple(steps[:-1]), steps[-1].size, flip)
        return cls(tuple(steps), None, flip)

    def loaded(self, size: Resolution) -> Resolution:
        """What a picture of `size` is once it is decoded. Raises Unfit."""
        for step in self.fixed:
            size = step.of(size)
        return size

    def seen(self, loaded: Resolution) -> Resolution:
        """What networks see of a picture that was `loaded` so large. Raises Unfit."""
        return Step(CROP, self.crop).of(loaded) if self.crop else loaded

    def smaller(self, factor: int) -> Self:
        """The same of pictures that are so many times smaller."""
        if factor == 1:
            return self
        fixed = tuple(each.smaller(factor) for each in self.fixed)
        crop = self.crop and shrunk(self.crop, factor)
        return type(self)(fixed, crop, self.flip)


AS_THEY_ARE = Preprocessing()


def steps_of(mode: str) -> tuple[str, ...]:
    """The steps of a mode: `("resize", "crop")` of `resize_and_crop`, none of `none`."""
    return () if mode == NONE else tuple(mode.split(AND))


def checked_mode(mode: str) -> str:
    """`mode`, if it is one. ValueError says why it is not."""
    mode = mode.casefold().replace("centre", "center")
    steps = steps_of(mode)
    for step in steps:
        if step not in SCALINGS + CUTS:
            raise ValueError(
                f"must be {NONE}, or of {', '.join(SCALINGS + CUTS)} one or two joined by {AND}, "
                f"not {quoted(mode)}{nearest(step, (NONE, *SCALINGS, *CUTS))}"
            )
    if CROP in steps[:-1]:
        wanted = AND.join([*(step for step in steps if step != CROP), CROP])
        raise ValueError(f"{CROP} is drawn anew for every batch, so it comes last: {wanted}")
    _refuse_two(steps, SCALINGS, "scale")
    _refuse_two(steps, CUTS, "cut")
    return mode


def _refuse_two(steps: Sequence[str], kinds: Sequence[str], what: str) -> None:
    found = [step for step in steps if step in kinds]
    if len(found) > 1:
        raise ValueError(f"would {what} twice, by {' and '.join(found)}; once is enough")


def unfit_sizes(
    mode: str, load_size: Resolution | None, crop_size: Resolution | None
) -> dict[str, str]:
    """One reason for each of `load_size` and `crop_size` that does not go with `mode`."""
    steps = steps_of(mode)
    needs = {"load_size": (load_size, SCALINGS), "crop_size": (crop_size, CUTS)}
    reasons = {}
    for column, (size, kinds) in needs.items():
        used = [step for step in steps if step in kinds]
        if used and size is None:
            reasons[column] = f"is empty, and preprocess {mode} needs it: give pixels, as 320x180"
        elif size and not used:
            reasons[column] = (
                f"is for preprocess with {' or '.join(kinds)}, not for {mode}; leave it empty"
            )
    if load_size and SCALE_WIDTH in steps and load_size.width != load_size.height:
        reasons["load_size"] = (
            f"{load_size} gives a height, and {SCALE_WIDTH} keeps the proportions; "
            f"give the width alone ({load_size.width}), or preprocess with {COVER} or {RESIZE}"
        )
    if not reasons and load_size and crop_size:
        reasons |= _too_large_crop(steps, load_size, crop_size)
    return reasons


def _too_large_crop(
    steps: Sequence[str], load_size: Resolution, crop_size: Resolution
) -> dict[str, str]:
    """A reason where pictures are scaled to a known size first, and the cut is larger."""
    scaling, cut = steps
    if scaling not in SCALINGS:
        return {}
    fits_width = crop_size.width <= load_size.width
    fits_height = crop_size.height <= load_size.height or scaling == SCALE_WIDTH
    if fits_width and fits_height:
        return {}
    loaded = f"{load_size.width} wide" if scaling == SCALE_WIDTH else str(load_size)
    reason = f"{crop_size} cannot be cut by {cut} out of pictures that {scaling} makes {loaded}"
    return {"crop_size": f"{reason}; make it smaller, or load_size larger"}
