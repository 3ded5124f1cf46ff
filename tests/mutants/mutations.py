"""The small defects that can be planted in a source file, one at a time.

After the usual set for mutation testing: a comparison moved by one step or turned round, `and` for
`or`, a condition negated, a number one higher, a word changed, a statement left out, nothing
returned. Docstrings and annotations are left alone: nothing runs them.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

Change: TypeAlias = tuple[str, ast.AST]
Place: TypeAlias = tuple[ast.AST, str, int | None, ast.AST]
Found: TypeAlias = tuple[str, ast.AST, str, Place]

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], str]]] = {
    ast.Lt: (ast.LtE, "< becomes <="),
    ast.LtE: (ast.Lt, "<= becomes <"),
    ast.Gt: (ast.GtE, "> becomes >="),
    ast.GtE: (ast.Gt, ">= becomes >"),
    ast.Eq: (ast.NotEq, "== becomes !="),
    ast.NotEq: (ast.Eq, "!= becomes =="),
    ast.Is: (ast.IsNot, "is becomes is not"),
    ast.IsNot: (ast.Is, "is not becomes is"),
    ast.In: (ast.NotIn, "in becomes not in"),
    ast.NotIn: (ast.In, "not in becomes in"),
}
_ARITHMETIC: Final[dict[type[ast.operator], tuple[type[ast.operator], str]]] = {
    ast.Add: (ast.Sub, "+ becomes -"),
    ast.Sub: (ast.Add, "- becomes +"),
    ast.Mult: (ast.Div, "* becomes /"),
    ast.Div: (ast.Mult, "/ becomes *"),
    ast.FloorDiv: (ast.Mult, "// becomes *"),
    ast.Mod: (ast.Mult, "% becomes *"),
}


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One planted defect: in which file and function, on which line, and what becomes of it.

    `function` is the dotted name in the module, empty for what runs at import. `step` counts the
    changes of this file in the order they are found, which is how `plant` finds it again.
    """

    file: str
    function: str
    line: int
    column: int
    text: str
    what: str
    step: int

    @property
    def name(self) -> str:
        """Return the mutant in one line."""
        return f"{self.file}:{self.line}:{self.column} {self.what}: {self.text}"


def find(path: Path, file: str) -> list[Mutant]:
    """Return every defect that can be planted in the file at `path`, named `file`."""
    source = path.read_text()
    lines = source.splitlines()
    return [
        Mutant(
            file=file,
            function=function,
            line=getattr(spot, "lineno", 0),
            column=getattr(spot, "col_offset", 0),
            text=lines[getattr(spot, "lineno", 1) - 1].strip(),
            what=what,
            step=step,
        )
        for step, (function, spot, what, _) in enumerate(_changes(ast.parse(source)))
    ]


def plant(path: Path, mutant: Mutant) -> ast.Module:
    """Return the tree of the file with the one defect in it."""
    tree = ast.parse(path.read_text())
    for step, (_, _, _, change) in enumerate(_changes(tree)):
        if step == mutant.step:
            parent, name, position, changed = change
            if position is None:
                setattr(parent, name, changed)
            else:
                getattr(parent, name)[position] = changed
            return ast.fix_missing_locations(tree)
    raise LookupError(mutant.name)


def _changes(tree: ast.Module) -> Iterator[Found]:
    """Walk the tree in order; yield each change, without making it."""
    yield from _inside(tree, "", "")


def _inside(node: ast.AST, function: str, prefix: str) -> Iterator[Found]:
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "type_params", "bases", "decorator_list"}:
            continue
        children = value if isinstance(value, list) else [value]
        for position, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            where = position if isinstance(value, list) else None
            inner, below = function, prefix
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                below = f"{prefix}{child.name}."
                if isinstance(child, ast.FunctionDef) and not function:
                    inner = f"{prefix}{child.name}"
            for what, changed in _mutations(child):
                yield function, child, what, (node, name, where, changed)
            if name == "args" and isinstance(child, ast.arguments):
                inner = ""  # defaults are made when the function is defined
            yield from _inside(child, inner if name != "defaults" else "", below)


def _is_docstring(child: ast.AST) -> bool:
    """Say whether this is a docstring, of a constant too: a text that stands alone runs nothing."""
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _mutations(node: ast.AST) -> Iterator[Change]:
    """Yield what may become of one node, each as words and the node that takes its place."""
    for what, changed in _BY_KIND.get(type(node), _nothing)(node):
        yield what, ast.copy_location(changed, node)


def _nothing(_: ast.AST) -> Iterator[Change]:
    yield from ()


def _compare(node: ast.Compare) -> Iterator[Change]:
    for position, op in enumerate(node.ops):
        made, what = _COMPARISONS[type(op)]
        ops: list[ast.cmpop] = [*node.ops]
        ops[position] = made()
        place = f" ({position + 1}. of the chain)" if len(ops) > 1 else ""
        yield what + place, ast.Compare(node.left, ops, node.comparators)


def _boolean(node: ast.BoolOp) -> Iterator[Change]:
    if isinstance(node.op, ast.And):
        yield "and becomes or", ast.BoolOp(ast.Or(), node.values)
    else:
        yield "or becomes and", ast.BoolOp(ast.And(), node.values)


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield "not is left out", node.operand
    elif isinstance(node.op, ast.USub):
        yield "the sign is left out", node.operand


def _arithmetic(node: ast.BinOp) -> Iterator[Change]:
    if type(node.op) in _ARITHMETIC:
        made, what = _ARITHMETIC[type(node.op)]
        yield what, ast.BinOp(node.left, made(), node.right)


def _constant(node: ast.Constant) -> Iterator[Change]:
    match node.value:
        case bool() as value:
            changed: object = not value
        case int() | float() as value:
            changed = value + 1
        case str() as value if value:
            changed = f"not {value}"
        case _:
            return
    yield f"{node.value!r} becomes {changed!r}", ast.Constant(value=changed)  # type: ignore[arg-type]


def _table(node: ast.Tuple) -> Iterator[Change]:
    if len(node.elts) < 3 or not all(isinstance(row, ast.Tuple) for row in node.elts):
        return
    for number, row in enumerate(node.elts):
        rest = [*node.elts[:number], *node.elts[number + 1 :]]
        yield f"row {ast.unparse(row)} is left out", ast.Tuple(rest, node.ctx)


def _if(node: ast.If) -> Iterator[Change]:
    turned = ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    yield "the condition is negated", turned


def _choice(node: ast.IfExp) -> Iterator[Change]:
    yield "the choice is turned round", ast.IfExp(node.test, node.orelse, node.body)


def _while(node: ast.While) -> Iterator[Change]:
    never = ast.BoolOp(ast.And(), [ast.Constant(value=False), node.test])
    yield "the loop never runs", ast.While(never, node.body, node.orelse)


def _return(node: ast.Return) -> Iterator[Change]:
    nothing = isinstance(node.value, ast.Constant) and node.value.value is None
    if node.value is not None and not nothing:
        yield "nothing is returned", ast.Return(ast.Constant(value=None))


def _call(node: ast.Expr) -> Iterator[Change]:
    if isinstance(node.value, ast.Call):
        yield "the statement is left out", ast.Pass()


def _assignment(node: ast.Assign) -> Iterator[Change]:
    """Only what is kept in an object can be left out: a name that is never set is no program."""
    if not any(isinstance(each, ast.Name | ast.Tuple) for each in node.targets):
        yield "the statement is left out", ast.Pass()


_BY_KIND: Final[dict[type[ast.AST], Callable[..., Iterator[Change]]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.BinOp: _arithmetic,
    ast.Constant: _constant,
    ast.Tuple: _table,
    ast.If: _if,
    ast.IfExp: _choice,
    ast.While: _while,
    ast.Return: _return,
    ast.Expr: _call,
    ast.Assign: _assignment,
    ast.AugAssign: lambda _: iter([("the statement is left out", ast.Pass())]),
    ast.Continue: lambda _: iter([("continue becomes break", ast.Break())]),
    ast.Break: lambda _: iter([("break becomes continue", ast.Continue())]),
}
