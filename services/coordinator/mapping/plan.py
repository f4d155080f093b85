"""How a mapping renders the rows of one source: what is the same in every row is settled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from operator import itemgetter

from jinja2 import TemplateError
from jinja2.runtime import Context

from services.coordinator.mapping.fields import Fields
from services.coordinator.mapping.headers import HeaderIndex
from services.coordinator.mapping.problems import FieldValueError, invalid, not_rendered
from services.coordinator.mapping.templates import OUTPUT_LENGTH, FieldTemplate, row_context
from shared.errors import ErrorBody

_MOST_REMEMBERED, _LONGEST_REMEMBERED = 4096, 200  # texts of a field, and characters that one comes of


@dataclass(frozen=True)
class Rendering:
    """A field that is rendered, and the `columns` of the source that its text depends on; on nothing else.

    What was rendered is remembered by them, up to a number and a length: most of what has to be rendered (weights, yes
    or no) says the same in many rows.
    """

    field: str
    template: FieldTemplate
    columns: tuple[str, ...]
    _known: dict[object, str | ErrorBody] = dataclass_field(default_factory=dict, repr=False, compare=False)

    def of(self, values: Mapping[str, str | None]) -> str | ErrorBody:
        """Its text in a row, or why there is none."""
        said = self._said(values)
        known = self._known.get(said)
        if known is not None:
            return known
        row = {column: value or "" for column, value in values.items()}
        outcome = _rendered(self.field, self.template, row_context(row, self.template.names))
        if sum(len(values[column] or "") for column in self.columns) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[said] = outcome
        return outcome

    @cached_property
    def _said(self) -> Callable[[Mapping[str, str | None]], object]:
        return _texts_of(self.columns)


@dataclass(frozen=True)
class RowPlan:
    """The fields by how they come about: constant in every row, copied from a column, or rendered."""

    constants: Mapping[str, str]
    copies: Mapping[str, str]
    rendered: tuple[Rendering, ...]

    @classmethod
    def of(cls, templates: Mapping[str, FieldTemplate], columns: tuple[str, ...]) -> RowPlan:
        """The plan for a source with these `columns`."""
        index = HeaderIndex.of(columns)
        constants: dict[str, str] = {}
        copies: dict[str, str] = {}
        rendered: list[Rendering] = []
        for field, template in templates.items():
            used = template.columns_in(index)
            placed = template.placed_in(index)
            constant = None if used else _constant(placed)
            if constant is not None:
                # Most fields of most mappings are blank in every row: nothing is kept of them.
                constants.update({field: constant} if constant else {})
            elif template.plain and set(used) <= set(columns):
                copies[field] = used[0]
            else:
                rendered.append(Rendering(field, placed, tuple(column for column in used if column in columns)))
        return cls(constants, copies, tuple(rendered))

    def render(self, values: Mapping[str, str | None]) -> Fields:
        """One row's fields; a field that cannot be rendered is blank and has its problem."""
        texts = dict(self.constants)
        problems: dict[str, ErrorBody] = {}
        for field, column in self.copies.items():
            texts[field] = values[column] or ""
        for rendering in self.rendered:
            outcome = rendering.of(values)
            if isinstance(outcome, str):
                texts[rendering.field] = outcome
            else:
                problems[rendering.field] = outcome
        if len("".join(texts.values())) > OUTPUT_LENGTH:
            for field, text in texts.items():
                if len(text) > OUTPUT_LENGTH:
                    problems[field] = not_rendered(field, f"its text is longer than {OUTPUT_LENGTH} characters")
        return Fields(texts | dict.fromkeys(problems, "") if problems else texts, problems)

    def is_always_blank(self, field: str) -> bool:
        """Whether no row can have a text in `field`."""
        varies = field in self.copies or any(rendering.field == field for rendering in self.rendered)
        return not varies and not self.constants.get(field, "").strip()


def _texts_of(columns: Sequence[str]) -> Callable[[Mapping[str, str | None]], object]:
    """What tells rows apart by the texts of these columns."""
    return itemgetter(*columns) if columns else lambda _values: ()


def _rendered(field: str, template: FieldTemplate, context: Context) -> str | ErrorBody:
    try:
        return template.render(context)
    except FieldValueError as error:
        return invalid(field, error)
    except (TemplateError, TypeError, ValueError) as error:
        return not_rendered(field, str(error))


def _constant(template: FieldTemplate) -> str | None:
    text = _rendered("", template, row_context({}, ()))
    return text if isinstance(text, str) else None
