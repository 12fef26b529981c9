"""A mypy plugin: lets mypy see flows as they are. Switch it on by `plugins = ["tidegate.mypy"]` in its settings.

A field read on an event class is an expression (`Payment.amount > eur(5)`), on an event it is the value; an entity made
by `entity("card")` is the type of its keys.
"""

from collections.abc import Callable

from mypy.nodes import GDEF, NameExpr, SymbolTableNode, TypeAlias, TypeInfo
from mypy.plugin import AttributeContext, DynamicClassDefContext, Plugin
from mypy.types import CallableType, Instance, Type, TypeType, get_proper_type

_EVENT = "tidegate.events.event.Event"
_EXPRESSION = "tidegate.expressions.node.Expr"


def _is_event(context: AttributeContext) -> bool:
    owner = get_proper_type(context.type)
    if isinstance(owner, CallableType):
        owner = get_proper_type(owner.ret_type)
    if isinstance(owner, TypeType):
        owner = get_proper_type(owner.item)
    return isinstance(owner, Instance) and owner.type.has_base(_EVENT)


def _entity(context: DynamicClassDefContext) -> None:
    """`Card = entity("card")`: a name for the type of its keys."""
    words = [
        *context.call.args[1:2],
        *(a for a, n in zip(context.call.args, context.call.arg_names, strict=True) if n == "key"),
    ]
    whole = any(isinstance(word, NameExpr) and word.name == "int" for word in words)
    key = context.api.named_type("builtins.int" if whole else "builtins.str")
    alias = TypeAlias(
        key,
        context.api.qualified_name(context.name),
        context.api.cur_mod_id,
        context.call.line,
        context.call.column,
    )
    context.api.add_symbol_table_node(context.name, SymbolTableNode(GDEF, alias, plugin_generated=True))


class TidegatePlugin(Plugin):
    """What mypy asks."""

    def get_class_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Fields of events; whether the class is one is looked at when the attribute is."""
        return None if fullname.rsplit(".", 1)[-1].startswith("_") else self._field

    def _field(self, context: AttributeContext) -> Type:
        """A field read on the class: an expression."""
        found = self.lookup_fully_qualified(_EXPRESSION)
        if context.is_lvalue or found is None or not isinstance(found.node, TypeInfo) or not _is_event(context):
            return context.default_attr_type
        return Instance(found.node, [])

    def get_dynamic_class_hook(self, fullname: str) -> Callable[[DynamicClassDefContext], None] | None:
        """Entities."""
        return _entity if fullname in ("tidegate.entity", "tidegate.events.entity.entity") else None


def plugin(version: str) -> type[Plugin]:
    """What mypy calls to load the plugin."""
    return TidegatePlugin
