"""Field names: the service takes camelCase and snake_case alike."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """Return the snake_case spelling of a camelCase name."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: f"_{m[1].lower()}", name)


@lru_cache(maxsize=4096)
def camel(name: str) -> str:
    """Return the camelCase spelling of a snake_case name."""
    head, *rest = name.lstrip("_").split("_")
    return (
        name[: len(name) - len(name.lstrip("_"))]
        + head
        + "".join(w[:1].upper() + w[1:] for w in rest)
    )


def get(body: Mapping[str, Any], name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON
    """Return a field by its camelCase name, however it is spelled in the body."""
    if name in body:
        return body[name]
    return body.get(snake(name), default)
