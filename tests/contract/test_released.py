"""Every release reads what the releases before it wrote, and writes what they read or know to be newer.

Until a release is tagged its folder may be written anew (`python -m tests.contract.release VERSION`); from then on its
files never change.
"""

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from tests.contract.compatibility import breaks, news
from tests.contract.release import SAMPLES, Kept, kept, newest_of

KEPT = kept()
NOT_YET_TAGGED = "a release that is not tagged yet is kept anew by python -m tests.contract.release VERSION"


@pytest.mark.parametrize("former", KEPT, ids=lambda former: f"{former.release} {former.name}")
def test_a_message_may_only_gain_optional_fields(former: Kept) -> None:
    assert former.name in SAMPLES, "a message that was released is read for ever"
    assert breaks(former.schema, type(SAMPLES[former.name]).model_json_schema()) == [], NOT_YET_TAGGED


@pytest.mark.parametrize("former", KEPT, ids=lambda former: f"{former.release} {former.name}")
def test_a_sample_of_a_former_release_is_read_as_it_was_meant(former: Kept) -> None:
    read = type(SAMPLES[former.name]).model_validate_json(json.dumps(former.sample)).model_dump(mode="json")
    assert _within(former.sample, read)


@pytest.mark.parametrize("former", KEPT, ids=lambda former: f"{former.release} {former.name}")
def test_what_a_former_release_could_not_read_has_another_version(former: Kept) -> None:
    model = type(SAMPLES[former.name])
    if newest_of(model) == former.newest:
        assert news(former.schema, model.model_json_schema()) == [], NOT_YET_TAGGED


def test_a_release_is_kept() -> None:
    assert "0.1.0" in {former.release for former in KEPT}


def _within(former: Any, read: Any) -> bool:
    """Whether everything that was said is still said."""
    if isinstance(former, dict):
        return isinstance(read, dict) and all(_within(value, read.get(name)) for name, value in former.items())
    if isinstance(former, list):
        return len(former) == len(read) and all(map(_within, former, read))
    return bool(former == read)


class Cat(BaseModel):
    """One kind of pet."""

    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    """Another one."""

    kind: Literal["dog"] = "dog"


class Inner(BaseModel):
    """A part."""

    size: int = 1


class Released(BaseModel):
    """A message as it was released."""

    name: str
    count: int = 0
    colour: Literal["red", "blue"] = "red"
    part: Inner = Inner()
    parts: tuple[Inner, ...] = ()
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    note: Annotated[str, Field(max_length=10)] | None = None


def changed(**fields: Any) -> dict[str, Any]:
    """The schema of a later release, with some fields as they are now (`...` for one that is gone)."""
    names = {name: (field.annotation, field) for name, field in Released.model_fields.items()}
    kept_fields = {name: value for name, value in {**names, **fields}.items() if value is not ...}
    later = type(
        "Later",
        (BaseModel,),
        {
            "__annotations__": {name: value[0] for name, value in kept_fields.items()},
            **{name: value[1] for name, value in kept_fields.items() if value[1] is not ...},
        },
    )
    assert issubclass(later, BaseModel)
    return later.model_json_schema()


class Bigger(BaseModel):
    """A part that has lost its size."""

    weight: int = 1


class Strict(BaseModel):
    """A part whose size must be told."""

    size: int


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("a removed field", changed(count=...)),
        ("a new required field", changed(weight=(int, ...))),
        ("a field that has become required", changed(count=(int, ...))),
        ("a narrower type", changed(name=(int, ...))),
        ("null no longer taken", changed(note=(str, ""))),
        ("a value no longer taken", changed(colour=(Literal["red"], "red"))),
        ("a shorter text", changed(note=(Annotated[str, Field(max_length=5)] | None, None))),
        ("a pattern", changed(name=(Annotated[str, Field(pattern="^a")], ...))),
        ("a removed field of a part", changed(part=(Bigger, Bigger()))),
        ("a new duty of a part", changed(parts=(tuple[Strict, ...], ()))),
        ("a kind no longer taken", changed(pet=(Cat | None, None))),
    ],
)
def test_a_change_that_breaks_readers_is_noticed(why: str, later: dict[str, Any]) -> None:
    assert breaks(Released.model_json_schema(), later) != [], why


@pytest.mark.parametrize(
    "later",
    [
        changed(),
        changed(weight=(int, 1)),
        changed(count=(float, 0)),
        changed(name=(str | None, None)),
        changed(colour=(Literal["red", "blue", "green"], "red")),
        changed(note=(Annotated[str, Field(max_length=20)] | None, None)),
    ],
)
def test_a_change_that_breaks_nobody_is_let_pass(later: dict[str, Any]) -> None:
    assert breaks(Released.model_json_schema(), later) == []


@pytest.mark.parametrize(
    ("why", "later"),
    [
        ("a new value", changed(colour=(Literal["red", "blue", "green"], "red"))),
        ("null where there was none", changed(name=(str | None, None))),
        ("a longer text", changed(note=(Annotated[str, Field(max_length=20)] | None, None))),
        ("another number", changed(count=(float, 0))),
    ],
)
def test_what_only_a_later_reader_takes_is_noticed(why: str, later: dict[str, Any]) -> None:
    assert news(Released.model_json_schema(), later) != [], why


def test_a_new_field_is_no_news_to_a_reader_that_ignores_it() -> None:
    assert news(Released.model_json_schema(), changed(weight=(int, 1))) == []
