"""The chart library, loaded where a chart is drawn."""

import sys
from typing import Any


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
