"""Reference pages that are made from the code itself, so that they cannot fall behind it.

Three directives: ``kekule-commands`` (every command of the Typer app), ``kekule-recipe``
(every key of the recipe's model) and ``kekule-part`` (every public name of a part). The
functions that give their text are plain, so that tests can read it.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kekule.cli import app as kekule_app
from kekule.evaluation import Recipe

_MARKUP = re.compile(r"\[/?bold\]")
_ARRAY = re.compile(
    r"[\w~.]*ndarray\[tuple\[[\w~.]*Any, \.\.\.\], [\w~.]*dtype\[[\w~.]*?(\w+)\]\]"
)
_ANNOTATED = re.compile(r"[\w~.]*Annotated\[([\w~.]+)(?:, [\w~.]+\([^()]*\))*\]")


def commands() -> dict[str, Any]:
    """Every command by its whole name, ``kekule data get`` for one, the program first."""
    return dict(_walk("kekule", typer.main.get_command(kekule_app)))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for sub, below in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {sub}", below)


def commands_text() -> list[str]:
    """Reference of the command line as reStructuredText."""
    lines: list[str] = []
    for name, command in commands().items():
        if hasattr(command, "commands") and name != "kekule":
            continue  # `kekule data` alone does nothing
        lines += [name, ("=" if name == "kekule" else "-") * len(name), ""]
        lines += _usage(name, command)
        lines += _rows(_parameters(command), ("", "what"))
    return lines


def _usage(name: str, command: Any) -> list[str]:
    arguments = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
    words = [name, *arguments, "[OPTIONS]"]
    text, _, examples = _MARKUP.sub("", inspect.cleandoc(command.help or "")).partition("Example")
    lines = ["::", "", "   " + " ".join(words), "", _escaped(" ".join(text.split())), ""]
    shown = [" ".join(part.split()) for part in examples.split("\n\n")[1:]]
    if shown:
        lines += [".. code-block:: console", "", *(f"   $ {line}" for line in shown), ""]
    return lines


def _metavar(parameter: Any) -> str:
    text = parameter.metavar or parameter.name.upper()
    return text if parameter.required or text.startswith("[") else f"[{text}]"


def _parameters(command: Any) -> list[tuple[str, str]]:
    rows = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            rows.append((f"``{_metavar(parameter)}``", _escaped(parameter.help or "")))
            continue
        names = ", ".join(f"``{name}``" for name in (*parameter.opts, *parameter.secondary_opts))
        default = _default(parameter)
        rows.append((names, _escaped(parameter.help or "") + default))
    return rows


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return f" Default: {_escaped(parameter.show_default)}."
    if parameter.is_flag or parameter.default is None:
        return ""
    return f" Default: ``{parameter.default}``."


def recipe_keys() -> dict[str, dict[str, Any]]:
    """Every key of a recipe as it is written, with its JSON Schema; networks' keys by network."""
    schema = Recipe.model_json_schema()
    return dict(_keys(schema, schema["$defs"], ""))


def _keys(
    schema: dict[str, Any], defs: dict[str, Any], prefix: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema["properties"].items():
        if "discriminator" in field:
            for network, ref in field["discriminator"]["mapping"].items():
                below = defs[ref.rpartition("/")[2]]
                for key, value in _keys(below, defs, f"{prefix}{name}."):
                    yield f"{key} ({network})", value
        elif "$ref" in field:
            yield from _keys(defs[field["$ref"].rpartition("/")[2]], defs, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def recipe_text() -> list[str]:
    """Reference of the recipe as reStructuredText, one table for each of its parts."""
    keys = recipe_keys()
    parts = list(dict.fromkeys(re.split(r"\.", key)[0] for key in keys))
    lines: list[str] = []
    for part in parts:
        rows = [
            (f"``{key}``", _kind(field), _value(field), _escaped(field.get("description", "")))
            for key, field in keys.items()
            if key.split(".")[0] == part
        ]
        lines += [part, "-" * len(part), ""]
        lines += _rows(rows, ("key", "values", "default", "what"))
    return lines


def _kind(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"``{field['const']}``"
    if "enum" in field:
        return ", ".join(f"``{value}``" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(each) for each in field["anyOf"] if each.get("type") != "null")
    kind = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "array": "list",
        "boolean": "true or false",
        "object": "keys with lists of values",
    }
    limits = {
        "minimum": "≥",
        "exclusiveMinimum": ">",
        "maximum": "≤",
        "exclusiveMaximum": "<",
    }
    bounds = [f"{sign} {field[name]:g}" for name, sign in limits.items() if name in field]
    return ", ".join([kind[field["type"]], *bounds])


def _value(field: dict[str, Any]) -> str:
    value = field["default"]
    if value is None:
        return ""
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, list):
        value = "[" + ", ".join(map(str, value)) + "]"
    return f"``{value}``"


def public_names(part: str) -> list[str]:
    """Names a part offers: its own that ``__init__`` re-exports, and what it sets."""
    module = importlib.import_module(f"kekule.{part}")
    tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"kekule.{part}"):
            names += [alias.name for alias in node.names if alias.asname == alias.name]
        elif isinstance(node, ast.AnnAssign | ast.Assign) and node in tree.body:
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            names += [t.id for t in targets if isinstance(t, ast.Name) and t.id.isupper()]
        elif isinstance(node, ast.FunctionDef) and node in tree.body:
            names += [node.name] if not node.name.startswith("_") else []
    return sorted(dict.fromkeys(n for n in names if not n.startswith("_")), key=str.lower)


def part_text(part: str, also: list[str]) -> list[str]:
    """Reference of a part as reStructuredText: its promise, then every public name."""
    lines = [f".. automodule:: kekule.{part}", ""]
    for name in [*(f"kekule.{part}.{name}" for name in public_names(part)), *also]:
        documenter = _documenter(name)
        lines += (
            [f".. {documenter}:: {name}", *_members(name), ""] if documenter else _constant(name)
        )
    return lines


def _resolve(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _documenter(name: str) -> str:
    """Return autodoc's directive for a name; empty for a constant."""
    thing = _resolve(name)
    if inspect.isclass(thing):
        return "autoexception" if issubclass(thing, BaseException) else "autoclass"
    return "autofunction" if inspect.isroutine(thing) else ""


def _constant(name: str) -> list[str]:
    """Say what a constant holds: a short value as it is, a mapping by its keys."""
    thing = _resolve(name)
    text = f"``{thing!r}``"
    if isinstance(thing, dict):
        shown = [f"``{key}``" for key in thing][:12]
        more = f" and {len(thing) - 12} more" if len(thing) > 12 else ""
        text = f"A mapping with the keys {', '.join(shown)}{more}."
    module, _, short = name.rpartition(".")
    return [f".. py:data:: {short}", f"   :module: {module}", "", f"   {text}", ""]


def _members(name: str) -> list[str]:
    """Public methods of a class; fields are stated in its docstring."""
    thing = _resolve(name)
    if not inspect.isclass(thing):
        return []
    methods = [
        key
        for key, value in vars(thing).items()
        if not key.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, property | classmethod | staticmethod))
        and getattr(getattr(value, "fget", None) or value, "__doc__", None)
    ]
    return [f"   :members: {', '.join(methods)}"] if methods else []


def _escaped(text: str) -> str:
    """Text in which nothing but single backticks is markup; those become literals."""
    text = re.sub(r"([*_|\\])", r"\\\1", text)
    return re.sub(r"`([^`]+)`", lambda m: f"``{m[1]}``".replace("\\", ""), text)


def _rows(rows: list[tuple[str, ...]], head: tuple[str, ...]) -> list[str]:
    if not rows:
        return []
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        for number, cell in enumerate(row):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}")
    return [*lines, ""]


class _Text(SphinxDirective):
    """A directive whose content is text made when the pages are."""

    def _lines(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the text in place of the directive."""
        return self.parse_text_to_nodes("\n".join(self._lines()), allow_section_headings=True)


class Commands(_Text):
    """Every command and option."""

    def _lines(self) -> list[str]:
        return commands_text()


class RecipeKeys(_Text):
    """Every key of a recipe."""

    def _lines(self) -> list[str]:
        return recipe_text()


class Part(_Text):
    """Every public name of a part; names in the content are added to them."""

    required_arguments = 1
    has_content = True

    def _lines(self) -> list[str]:
        return part_text(self.arguments[0], [line.strip() for line in self.content if line])


def _short_types(*given: Any) -> tuple[str | None, str | None]:
    """Write types in signatures as the code does: ``NDArray[int64]``, ``int`` without limits."""
    signature, returned = (
        text and _ANNOTATED.sub(r"\1", _ARRAY.sub(r"NDArray[\1]", text)) for text in given[-2:]
    )
    return signature, returned


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.connect("autodoc-process-signature", _short_types)
    app.add_directive("kekule-commands", Commands)
    app.add_directive("kekule-recipe", RecipeKeys)
    app.add_directive("kekule-part", Part)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
