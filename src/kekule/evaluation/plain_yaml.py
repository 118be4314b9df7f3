"""YAML as a recipe uses it: a page of keys and values, and none of YAML's traps.

No tags, so no objects; no key twice; no aliases; no large file.
"""

from pathlib import Path
from typing import Any

import yaml

from kekule._errors import RecipeError

LARGEST = 100_000  # bytes; a recipe is a page, not a data set


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, and aliases.

    The last of two keys would win unseen; ten aliases of ten aliases of ... fill the memory.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="an alias (*) stands for something written elsewhere; write it out",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (written := (key.tag, str(key.value))) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(written)
        return super().construct_mapping(node, deep)


def yaml_value(text: str) -> Any:
    """Read one value; raises what PyYAML raises."""
    return yaml.load(text, Loader=_PlainLoader)  # noqa: S506


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the keys of a file.

    Raises
    ------
    RecipeError
        If it cannot be read, or is not YAML of the kind above.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise RecipeError(
                str(path),
                f"is larger than {LARGEST // 1000} kB",
                "Give a recipe, not a data file.",
            )
        given = yaml_value(path.read_text(encoding="utf-8"))
    except RecipeError:
        raise
    except OSError as error:
        raise RecipeError(
            str(path),
            f"cannot be read: {error.strerror}",
            f"Give the path of a YAML file, or data={path} if it is a set.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise RecipeError(str(path), f"is not YAML: {why}", "Correct that place.") from None
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise RecipeError(
            str(path),
            f"holds {type(given).__name__}, not keys with values",
            "`kekule recipe schema` lists the keys.",
        )
    return given
