"""The rig beside the project, as a module: its driver's meters and posters serve our second table, too."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


class NoRig(Exception):
    """The rig is not where it was looked for."""


def load(folder: Path) -> ModuleType:
    """Raises NoRig."""
    file = folder / "run.py"
    if not file.is_file():
        raise NoRig(f"{folder} holds no rig (run.py): name its folder with --rig.")
    found = importlib.util.spec_from_file_location("rig", file)
    assert found  # noqa: S101  it is a file of Python
    assert found.loader  # noqa: S101
    module = importlib.util.module_from_spec(found)
    sys.modules["rig"] = module
    found.loader.exec_module(module)
    return module
