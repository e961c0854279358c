"""The chart library, loaded where a chart is drawn."""

import sys
from typing import Any
from xml.etree import ElementTree


def load_pygal() -> Any:
    """pygal, without the hook for map plugins that it hangs into Python's imports.

    We draw no maps, and the hook is of a kind that Python 3.11 warns of at every later import.
    """
    # Late: a worker that shows no chart does not load it.
    import pygal
    import pygal.style

    hook = pygal.PluginImportFixer
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, hook)]
    return pygal


def without_scripts(svg: str) -> str:
    """The picture alone: pygal puts a script with its settings into each."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("}script"):
                parent.remove(child)
    return ElementTree.tostring(root, encoding="unicode")
