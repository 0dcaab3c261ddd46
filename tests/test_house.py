"""The house's numbers and directions: sizes, imports, complete connector folders, words that stay where they belong."""

import ast
import json
import re
import statistics
from pathlib import Path

import pytest

import connectors

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("connectors", "mappings", "hub", "bench", "scripts", "tests")
OURS = {"connectors", "mappings", "hub"}
FORBIDDEN = {
    "connectors": {"django", "hub", "mappings", "rest_framework", "django_q"},
    "mappings": {"django", "hub", "connectors", "rest_framework", "django_q"},
}


def in_tests(path: Path) -> bool:
    return "tests" in path.relative_to(ROOT).parts


FILES = sorted(
    path
    for path in [*(found for room in ROOMS for found in (ROOT / room).rglob("*.py")), ROOT / "manage.py"]
    if path.stat().st_size and "migrations" not in path.parts
)
TREES = {path: ast.parse(path.read_text()) for path in FILES}
PRODUCT = [path for path in FILES if not in_tests(path)]


def functions(paths):
    for path in paths:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node, node.module


def test_files_are_short():
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in FILES}
    assert {name: count for name, count in lengths.items() if count > 400} == {}
    assert statistics.median(lengths[str(path.relative_to(ROOT))] for path in PRODUCT) <= 120


def test_functions_are_short():
    lengths = sorted(
        (node.end_lineno - node.lineno + 1, f"{path.name} {node.name}") for path, node in functions(PRODUCT)
    )
    assert lengths[int(len(lengths) * 0.9)][0] <= 35
    assert [one for one in lengths if one[0] > 60] == []


def test_functions_say_what_they_return():
    bare = [f"{path.relative_to(ROOT)} {node.name}" for path, node in functions(PRODUCT) if node.returns is None]
    assert bare == []


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_point_down_only(room):
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PRODUCT
        if path.relative_to(ROOT).parts[0] == room
        for _, name in imported(TREES[path])
        if name.split(".")[0] in FORBIDDEN[room]
    ]
    assert upward == []


def test_systems_do_not_import_one_another():
    found = []
    for path in PRODUCT:
        parts = path.relative_to(ROOT).parts
        if parts[0] == "connectors" and len(parts) > 2:
            others = set(connectors.systems()) - {parts[1]}
            names = [name for _, name in imported(TREES[path])]
            found += [
                f"{path} imports {one}"
                for one in names
                if one.split(".")[:1] == ["connectors"] and one.split(".")[1] in others
            ]
    assert found == []


def test_our_own_code_is_imported_at_the_top():
    inner = [
        f"{path.relative_to(ROOT)} {function.name}"
        for path, function in functions(FILES)
        for node, name in imported(function)
        if name.split(".")[0] in OURS
    ]
    assert inner == []


def test_folders_are_at_most_three_deep():
    deep = []
    for path in PRODUCT:
        folders = list(path.relative_to(ROOT).parts[:-1])
        if folders[:1] == ["connectors"] and len(folders) > 2:
            del folders[2]  # a connector's own module, sandbox or tests
        if len(folders) > 3:
            deep.append(str(path))
    assert deep == []


@pytest.mark.parametrize("system", sorted(connectors.systems()))
def test_a_connector_folder_is_complete(system):
    folder = ROOT / "connectors" / system
    connector = connectors.systems()[system]
    assert (folder / "README.md").stat().st_size > 500
    assert list((folder / "tests").glob("test_*.py"))
    assert issubclass(connectors.sandbox_of(system), connectors.Sandbox)
    assert connectors.sandbox_of(system).system == connector.name == system
    assert connector.label
    assert connector.settings
    assert connector.entities
    for entity in connector.entities:
        assert entity.label, entity.name
        assert [one.name for one in entity.fields if not one.label] == []
        assert entity.field(entity.key), f"{entity.name} has no field {entity.key}"
        names = [one.name for one in entity.fields]
        assert len(set(names)) == len(names)


def test_no_target_field_name_stands_in_python_outside_connectors():
    """Where a value goes is data. Names that are also plain English words (`name`, `quantity`) prove nothing."""
    folder = ROOT / "connectors" / "dynamics365" / "defaults"
    targets = {found for file in folder.glob("*.json") for found in re.findall(r'"to": "(\w+)"', file.read_text())}
    telling = {name for name in targets if "_" in name or len(name) > 11} | {"totalamount", "salesorder", "salesorders"}
    ours = {path for path in PRODUCT if path.relative_to(ROOT).parts[0] in ("hub", "mappings")}
    shared_with_flows = {"letters and digits"} | set(json.loads((folder / "flow_orders.json").read_text())["report"])
    found = []
    for path in ours:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.Constant) and node.value in telling - shared_with_flows:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.value}")
    assert found == []


def test_no_text_names_this_machine_or_a_registry():
    wrong = []
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if inside == (".git",):  # a work tree beside another one
            continue
        if (
            path.is_dir()
            or path == Path(__file__)
            or any(one.startswith(".") for one in inside[:-1])
            or inside[0] == "var"
        ):
            continue
        if (
            path.suffix in (".py", ".md", ".json", ".toml", ".txt", ".tsv", ".csv", ".xml", ".yml", "")
            and path.name != ".env"
        ):
            text = path.read_text(errors="ignore")
            wrong += [
                f"{path.relative_to(ROOT)}: {word}"
                for word in ("/work/", "/root/", "pypi.org", "npmjs")
                if word in text
            ]
    assert wrong == []
