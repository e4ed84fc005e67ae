"""How a column is declared: with its type, and with all else that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Sizes = Literal["", "picture", "frame"]
Private = Literal["", "address", "command"]
Concerns = Literal["step", "job", "origin", "beside"]
MayChange = Literal["at once", "any", "later", "never"]

_FACETS = "facets"


class Change(NamedTuple):
    """How `mutate` varies a setting at strength 1."""

    weight: float = 1.0  # how often, beside the others
    spread: float = 0.7  # deviation of the logarithm of a number: 0.7 is up or down by about two
    from_zero: float = 0.0  # the most that a number of 0 becomes


@dataclass(frozen=True)
class Facets:
    """What belongs to a column besides its type, its default and its description.

    - opens: the heading of a group of columns on the reference page, which begins with this one.
    - label: what stands for it in names of jobs; empty: its own name.
    - varies: how `mutate` varies it; None: not at all. Only what makes the look does, but nothing
      of the data set, the grid, the length, the video or the farm. The seed stays, so that
      variations can be compared picture by picture.
    - nested: its name in nested YAML, such as `generator.kernel`. Empty: its own, and of columns
      that end in `_g` or `_d`, their own within the network's section: `generator.stride`.
    - sizes: what it sets the size of: of pictures as networks see them, or of a frame of those.
    - private: an address, or a command or webhook, which may hold secrets: it is left out of what
      goes where the film goes.
    - concerns: what it is about. `step`: networks, and what a step of their training computes;
      random jobs draw these. `origin`: it names what networks start from. `beside`: what is done
      beside training and film, which makes no step slower; measurements go without. `job`: all
      else, such as the pictures, the video and the farm.
    - may_change: when, of a job that has begun. `at once`: only the farm reads it, and the new
      value counts at once. `any`: the next try uses the new value; nothing that is made already is
      made again. `later`: what is made already stays as it is; what is made from now on follows the
      new value. `never`: the frames depend on it.
    - one_of: the name of a group of columns of which a job gives exactly one; one that is given
      nearer to the job takes the place of those that its presets or the defaults give.
    - one_at_most: the name of a group of columns of which a job gives one, or none.
    - in_family: the default that it has in a family instead of its own, by the family's name.
    - only_in: names of the families that it means something to; empty: they say so themselves.
    - words_in: by the name of a family, those of its words that mean something to that one.
    - network: of an `origin`, the one network that is taken from there; empty: all of them.
    - needs: another column, without which this one has no effect.
    """

    opens: str = ""
    label: str = ""
    varies: Change | None = None
    nested: str = ""
    sizes: Sizes = ""
    private: Private = ""
    concerns: Concerns = "step"
    may_change: MayChange = "never"
    one_of: str = ""
    one_at_most: str = ""
    in_family: Mapping[str, Any] = field(default_factory=dict)
    only_in: tuple[str, ...] = ()
    words_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    network: str = ""
    needs: str = ""


def column(
    default: Any = PydanticUndefined,
    description: str = "",
    *,
    opens: str = "",
    label: str = "",
    varies: Change | None = None,
    nested: str = "",
    sizes: Sizes = "",
    private: Private = "",
    concerns: Concerns = "step",
    may_change: MayChange = "never",
    one_of: str = "",
    one_at_most: str = "",
    in_family: Mapping[str, Any] | None = None,
    only_in: tuple[str, ...] = (),
    words_in: Mapping[str, tuple[str, ...]] | None = None,
    network: str = "",
    needs: str = "",
) -> Any:
    """A field of a pydantic model; without a default it is required."""
    facets = Facets(
        opens=opens,
        label=label,
        varies=varies,
        nested=nested,
        sizes=sizes,
        private=private,
        concerns=concerns,
        may_change=may_change,
        one_of=one_of,
        one_at_most=one_at_most,
        in_family=in_family or {},
        only_in=only_in,
        words_in=words_in or {},
        network=network,
        needs=needs,
    )
    return Field(default, description=description, json_schema_extra={_FACETS: facets})  # type: ignore[dict-item]


def facets_of(field: FieldInfo) -> Facets:
    """Those that `column` was given for this field."""
    extra = field.json_schema_extra
    facets = extra.get(_FACETS) if isinstance(extra, dict) else None
    assert isinstance(facets, Facets), "declared by `column`"
    return facets
