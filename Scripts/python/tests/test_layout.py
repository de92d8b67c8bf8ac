"""What good will kept before: no import cycles, no edited sys.path, names that mean one thing, pins."""

import ast
import re
import tomllib
from collections import Counter
from importlib.metadata import version
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1]
SCRIPTS = PACKAGES.parent


def modules():
    """{dotted name: syntax tree} of both packages."""
    found = {}
    for package in ("spo_train", "spo_serve"):
        for path in (PACKAGES / package).rglob("*.py"):
            name = ".".join(path.relative_to(PACKAGES).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree):
    """Every module that a tree imports, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_modules_import_each_other_without_cycles():
    trees = modules()
    left = {name: {m for m in imported(tree) if m in trees} for name, tree in trees.items()}
    for name, needed in left.items():
        needed.discard(name.rpartition(".")[0])  # a package's own __init__ holds its sentence alone
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"in a cycle or above one: {sorted(left)}"


def test_training_does_not_need_serving():
    for name, tree in modules().items():
        if name.startswith("spo_train"):
            assert not [m for m in imported(tree) if m.startswith("spo_serve")], name


def python_files():
    folders = [SCRIPTS, SCRIPTS.parent / "Tests"]
    return [
        path
        for folder in folders
        for path in folder.rglob("*.py")
        if not {".build", "build"} & {*path.parts}
    ]


def test_nothing_edits_the_search_path():
    edit = re.compile(r"sys\.path\s*(\.|\+=|=|\[)")
    edited = [str(path) for path in python_files() if edit.search(path.read_text(encoding="utf-8"))]
    assert len(python_files()) > 60
    assert edited == []


def test_a_name_means_one_module():
    stems = Counter(
        path.stem for path in SCRIPTS.rglob("*.py") if not {".build", "build"} & {*path.parts}
    )
    del stems["__init__"]
    assert [stem for stem, count in stems.items() if count > 1] == []


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned_and_installed():
    project = tomllib.loads((PACKAGES / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (PACKAGES / "requirements.txt").read_text(encoding="utf-8").split("\n")
    pins = [line.partition(";")[0].strip() for line in lines if line and line[0] != "#"]
    locked = {normal(name): number for name, _, number in (pin.partition("==") for pin in pins)}
    assert all(locked.values()), "a line of requirements.txt without =="
    for named in project["dependencies"] + project["optional-dependencies"]["test"]:
        name, _, number = named.partition("==")
        assert locked[normal(name)] == number == version(name).partition("+")[0], name
