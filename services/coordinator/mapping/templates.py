"""A field's template: Jinja2, cut down to what choosing and joining a row's values needs.

Allowed are text, ``{{ expressions }}`` and ``{% if %}``. No loops, calls, attributes or arithmetic: a template cannot
run for long, grow its output without bound, or reach anything but the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from services.coordinator.mapping.filters import TEMPLATE_FILTERS
from services.coordinator.mapping.headers import HeaderIndex
from services.coordinator.mapping.problems import FieldValueError

SOURCE_LENGTH = 4000
OUTPUT_LENGTH = 1000
_MOST_VALUES = 100

_ROW = "row"
_PICK = "pick"
_RESERVED = {
    _ROW: 'row is used as row["Column"]',
    _PICK: 'pick is used as pick("header", "other header")',
    "self": 'column self is named row["self"]',
}
_PLAIN_FILTERS = ("capitalize", "d", "default", "first", "last", "length", "lower", "title", "trim", "upper")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Concat,
)
_ALLOWED_NAMES = "use text, {{ expressions }} and {% if %}; inside them ~, and, or, not, in, comparisons and filters"


class TemplateRefusedError(Exception):
    """A template that cannot be compiled or holds more than is allowed; the message is a clause that says why."""


class _RowEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox without attributes: a subscript that is not there is undefined, never a method."""

    def getitem(self, obj: object, argument: object) -> object:
        try:
            return obj[argument]  # type: ignore[index]  # whatever the template subscripts
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=str(argument))

    def getattr(self, obj: object, attribute: str) -> object:
        return self.undefined(obj=obj, name=attribute)


def _environment() -> _RowEnvironment:
    environment = _RowEnvironment(undefined=StrictUndefined, autoescape=False, loader=None, cache_size=0)
    plain = {name: environment.filters[name] for name in _PLAIN_FILTERS}
    environment.filters = plain | dict(TEMPLATE_FILTERS) | {"replace": _replace}
    environment.globals = {}
    environment.tests = {}
    return environment


def _replace(value: object, old: str, new: str) -> str:
    """`value` with `new` for every `old`; bounded, since nested calls would multiply the text."""
    text = str(value)
    if len(text) <= OUTPUT_LENGTH and len(str(new)) <= OUTPUT_LENGTH:
        text = text.replace(str(old), str(new))
    if len(text) > OUTPUT_LENGTH:
        raise FieldValueError(str(value), f"replace works on at most {OUTPUT_LENGTH} characters")
    return text


_ENVIRONMENT = _environment()


@dataclass(frozen=True)
class FieldTemplate:
    """One field's compiled template, of the text `source`.

    `columns` are those it names, of them `names` as bare identifiers; `picks` are the headers it picks from. `plain`
    says that the template is one such column or pick and nothing else, so that its text is the value itself.
    """

    source: str = field(repr=False)
    columns: tuple[str, ...]
    names: tuple[str, ...]
    picks: tuple[tuple[str, ...], ...]
    plain: bool
    template: Template = field(repr=False, compare=False)

    def placed_in(self, index: HeaderIndex) -> FieldTemplate:
        """The template for a source with `index`: each pick stands for the column found, or for nothing."""
        if not self.picks:
            return self
        tree = _Placing(index).visit(_ENVIRONMENT.parse(self.source))
        return replace(self, template=_ENVIRONMENT.from_string(tree))

    def render(self, context: Context) -> str:
        """The field's text. Raises TemplateError, FieldValueError, and TypeError or ValueError for a misfit."""
        return "".join(self.template.root_render_func(context))

    def columns_in(self, index: HeaderIndex) -> tuple[str, ...]:
        """The columns its text depends on in a source with `index`."""
        picked = (index.column(headers) for headers in self.picks)
        return (*self.columns, *(column for column in picked if column is not None))


def row_context(values: Mapping[str, str], names: Iterable[str]) -> Context:
    """What a row's templates see once they are placed in its source: `row`, and those of `names` that are columns."""
    variables: dict[str, object] = {name: values[name] for name in names if name in values}
    variables[_ROW] = values
    return Context(_ENVIRONMENT, variables, None, {})


class _Placing(NodeTransformer):
    """Puts the column of a source, or a blank, in the place of every pick."""

    def __init__(self, index: HeaderIndex) -> None:
        self._index = index

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802  (jinja2 finds it by the node's name)
        column = self._index.column(_headers(node))
        if column is None:
            return nodes.Const("")
        return nodes.Getitem(nodes.Name(_ROW, "load"), nodes.Const(column), "load")


def compile_field(source: str) -> FieldTemplate:
    """The compiled template of `source`. Raises TemplateRefusedError."""
    if len(source) > SOURCE_LENGTH:
        raise TemplateRefusedError(f"the template has {len(source)} characters; at most {SOURCE_LENGTH}")
    try:
        tree = _ENVIRONMENT.parse(source)
        uses = _Uses()
        uses.add(tree)
        uses.check_number()
        template = _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        raise TemplateRefusedError((error.message or "it is no Jinja2 template").rstrip(".")) from error
    except (TemplateError, RecursionError, SyntaxError, MemoryError, ValueError) as error:
        raise TemplateRefusedError("it is too deeply nested or no Jinja2 template") from error
    columns, names, picks = (*uses.columns, *uses.names), tuple(uses.names), tuple(uses.picks)
    return FieldTemplate(source, columns, names, picks, _is_plain(tree), template)


def _is_plain(tree: nodes.Template) -> bool:
    match tree.body:
        case [nodes.Output(nodes=[nodes.Name() | nodes.Call()])]:
            return True
        case [nodes.Output(nodes=[nodes.Getitem(node=nodes.Name(name="row"))])]:
            return True
    return False


@dataclass
class _Uses:
    """What a template's syntax tree uses; refuses every node that is not on the list."""

    columns: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    picks: list[tuple[str, ...]] = field(default_factory=list)

    def check_number(self) -> None:
        """Refuse a template that could join so many values that its text outgrows memory."""
        if len(self.columns) + len(self.names) + len(self.picks) > _MOST_VALUES:
            raise TemplateRefusedError(f"it uses more than {_MOST_VALUES} values of the row")

    def add(self, node: nodes.Node) -> None:
        match node:
            case nodes.Getitem(node=nodes.Name(name="row"), arg=nodes.Const(value=str(column))):
                self.columns.append(column)
            case nodes.Call(node=nodes.Name(name="pick")):
                self.picks.append(_headers(node))
            case nodes.Name(name=str(name)) if name in _RESERVED:
                raise TemplateRefusedError(_RESERVED[name])
            case nodes.Name(name=str(name)):
                self.names.append(name)
            case nodes.Filter(name=name) if name not in _ENVIRONMENT.filters:
                known = ", ".join(sorted(_ENVIRONMENT.filters))
                raise TemplateRefusedError(f"there is no filter {name}; the filters are {known}")
            case nodes.Const(value=float()):
                raise TemplateRefusedError("a number with a point is written in quotes")
            case _ if isinstance(node, _ALLOWED):
                for child in node.iter_child_nodes():
                    self.add(child)
            case _:
                raise TemplateRefusedError(f"{_called(node)} is not allowed; {_ALLOWED_NAMES}")


def _headers(call: nodes.Call) -> tuple[str, ...]:
    headers = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
    plain = len(headers) == len(call.args) and not (call.kwargs or call.dyn_args or call.dyn_kwargs)
    if not headers or not plain or not all(isinstance(header, str) for header in headers):
        raise TemplateRefusedError(_RESERVED[_PICK])
    return tuple(headers)


def _called(node: nodes.Node) -> str:
    match node:
        case nodes.Getattr(attr=name):
            called = f".{name}"
        case nodes.Test(name=name):
            called = f"is {name}"
        case nodes.BinExpr() | nodes.UnaryExpr():
            called = "arithmetic"
        case nodes.Call():
            called = "a call"
        case nodes.Assign() | nodes.AssignBlock():
            called = "{% set %}"
        case nodes.Block():
            called = "{% block %}"
        case _:
            called = "{% " + type(node).__name__.removesuffix("Block").lower() + " %}"
    return called
