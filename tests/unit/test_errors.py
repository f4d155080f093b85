"""The registry of errors: every entry can be raised with the values that it names."""

from string import Formatter

import pytest

from shared.errors import REGISTRY, ErrorKind, TallyError

# These name the error's own place in the source, and never reach the sentence.
PLACES = {"row", "details"}


def named(kind: ErrorKind) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(kind.cause + kind.action) if name}


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
def test_an_error_reads_as_a_sentence_with_its_values(kind: ErrorKind) -> None:
    assert not named(kind) & PLACES
    error = TallyError(kind, **dict.fromkeys(named(kind), "something"))
    assert error.body.message.endswith(".")
    assert "{" not in str(error)
