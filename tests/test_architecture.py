"""What no linter sees: everything in values.py is frozen, no core module asks a clock, no package imports itself.

Prints the ten longest functions and files for whoever reviews.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("monitor", "alerts")
CLOCKS = {"daemon", "jobs", "cli", "web", "replay", "demo"}
"""Modules that may ask what time it is."""


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def parsed() -> Iterator[tuple[Path, ast.Module]]:
    for path in sources():
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", ["monitor.values", "alerts.values"])
def test_everything_in_values_is_frozen(module: str) -> None:
    loaded = importlib.import_module(module)
    classes = [c for _, c in inspect.getmembers(loaded, inspect.isclass) if c.__module__ == module]
    assert classes
    for cls in classes:
        if issubclass(cls, enum.Enum):
            continue
        assert dataclasses.is_dataclass(cls), f"{cls} is no dataclass"
        assert cls.__dataclass_params__.frozen, f"{cls} can be changed"  # type: ignore[attr-defined]
        assert "__slots__" in vars(cls), f"{cls} has no slots"


def test_only_the_shell_asks_a_clock() -> None:
    wrong = []
    for path, tree in parsed():
        part = path.relative_to(ROOT).parts[1].removesuffix(".py")
        if part in CLOCKS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value).split(".")[-1]
                if owner in ("datetime", "date") and node.func.attr in ("now", "utcnow", "today"):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, f"now is an argument: {wrong}"


def test_no_module_imports_its_own_package() -> None:
    wrong = []
    for path, tree in parsed():
        parts = path.relative_to(ROOT).with_suffix("").parts
        package = ".".join(parts[:-1])
        if len(parts) < 3 or parts[-1] == "__init__":
            continue
        modules = {p.stem for p in path.parent.iterdir()}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == package:
                names = [alias.name for alias in node.names if alias.name not in modules]
                if names:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {names}")
    assert not wrong, f"a module imports names from its own package's __init__: {wrong}"


def test_the_longest_functions_and_files_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    functions, files = [], []
    for path, tree in parsed():
        files.append((len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT))))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                functions.append((length, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"))
    with capsys.disabled():
        for title, rows in (("longest functions", functions), ("longest files", files)):
            print(f"\n{title}: " + ", ".join(f"{name} ({n})" for n, name in sorted(rows, reverse=True)[:10]))
    assert max(functions)[0] < 150
