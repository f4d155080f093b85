"""How a mapping renders the rows of one source: what is the same in every row is settled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import TemplateError
from jinja2.runtime import Context

from services.coordinator.mapping.fields import Fields
from services.coordinator.mapping.headers import HeaderIndex
from services.coordinator.mapping.problems import FieldValueError, invalid, not_rendered
from services.coordinator.mapping.templates import OUTPUT_LENGTH, FieldTemplate, row_context
from shared.errors import ErrorBody


@dataclass(frozen=True)
class RowPlan:
    """The fields by how they come about: constant in every row, copied from a column, or rendered."""

    constants: Mapping[str, str]
    copies: Mapping[str, str]
    templates: Mapping[str, FieldTemplate]
    names: frozenset[str]

    @classmethod
    def of(cls, templates: Mapping[str, FieldTemplate], columns: tuple[str, ...]) -> RowPlan:
        """The plan for a source with these `columns`."""
        index = HeaderIndex.of(columns)
        constants: dict[str, str] = {}
        copies: dict[str, str] = {}
        rendered: dict[str, FieldTemplate] = {}
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
                rendered[field] = placed
        names = frozenset(name for template in rendered.values() for name in template.names)
        return cls(constants, copies, rendered, names)

    def render(self, values: Mapping[str, str | None]) -> Fields:
        """One row's fields; a field that cannot be rendered is blank and has its problem."""
        row = {column: value or "" for column, value in values.items()}
        context = row_context(row, self.names)
        texts = dict(self.constants)
        problems: dict[str, ErrorBody] = {}
        for field, column in self.copies.items():
            texts[field] = row[column]
        for field, template in self.templates.items():
            outcome = _rendered(field, template, context)
            if isinstance(outcome, ErrorBody):
                problems[field] = outcome
            else:
                texts[field] = outcome
        for field, text in texts.items():
            if len(text) > OUTPUT_LENGTH:
                problems[field] = not_rendered(field, f"its text is longer than {OUTPUT_LENGTH} characters")
        return Fields(texts | dict.fromkeys(problems, "") if problems else texts, problems)

    def is_always_blank(self, field: str) -> bool:
        """Whether no row can have a text in `field`."""
        return field not in self.copies and field not in self.templates and not self.constants.get(field, "").strip()


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
