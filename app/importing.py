"""Importing a library without what it would bring along and this service never uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def instead(name: str, module: ModuleType | None) -> Iterator[None]:
    """This module stands in for another for a while; None fails as where it is not installed.

    What is imported already stays what it is, and is there again afterwards.
    """
    modules = cast(dict[str, ModuleType | None], sys.modules)
    before = modules.get(name)
    modules[name] = module
    try:
        yield
    finally:
        del modules[name]
        if before is not None:
            modules[name] = before


class Absent(ModuleType):
    """Stands in for a module of which only the names are wanted: each of them is None."""

    def __getattr__(self, _name: str) -> None:
        return None
