from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.wire import branch, has_control_characters, items, text, with_objects_for_arrays

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def test_one_item_given_as_an_object_reads_like_an_array_of_one() -> None:
    assert items({"Code": "03"}) == items([{"Code": "03"}]) == [{"Code": "03"}]
    assert items(None) == []


def test_numbers_read_as_text_and_missing_branches_as_nothing() -> None:
    assert text({"Weight": 2.5}, "Weight") == "2.5"
    assert text({"Weight": " 2 "}, "Weight") == "2"
    assert text({"Weight": {"Value": "2"}}, "Weight") == ""
    assert text({"Flag": True}, "Flag") == ""
    assert branch({"A": [1]}, "A", "B") is None


def test_a_control_character_is_found_at_any_depth() -> None:
    assert has_control_characters({"a": [{"b": "x\x07"}]})
    assert has_control_characters("x\x7f")
    assert not has_control_characters({"a": ["Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", 1, None]})


@given(DOCUMENTS)
def test_no_array_of_one_item_is_left_where_objects_stand_for_arrays(document: object) -> None:
    def arrays(node: object) -> list[list[object]]:
        if isinstance(node, dict):
            return [array for value in node.values() for array in arrays(value)]
        return [node, *(array for value in node for array in arrays(value))] if isinstance(node, list) else []

    assert all(len(array) != 1 for array in arrays(with_objects_for_arrays(document)))


@given(DOCUMENTS)
def test_reading_survives_any_document(document: object) -> None:
    assert isinstance(text(document, "Shipment", "ShipTo", "Name"), str)
    assert isinstance(items(branch(document, "Shipment", "Package")), list)
    assert has_control_characters(document) in {True, False}
