"""The rules of the house that no tool checks by itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.instance import Instance, environment

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pjreg_cli"
TESTS = ROOT / "tests"

#: modules a one-shot command may have loaded when it ends, the interpreter's own included
MOST_MODULES = 60
#: lines of a module
MOST_LINES = 400
#: modules that may have more, and why
LONGER: dict[str, int] = {}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def name_of(source: Path) -> str:
    """`pjreg_cli.sip.digest`."""
    return ".".join(source.relative_to(ROOT).with_suffix("").parts)


# -- what a one-shot command loads ------------------------------------------------------------


def loaded_by(code: str, home: Path) -> set[str]:
    """The modules an interpreter has loaded after `code`, as it would start for a user."""
    script = f"import sys\n{code}\nsys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(home, PYTHONWARNINGS=""),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_one_shot_command_loads_next_to_nothing(instance: Instance) -> None:
    asking = (
        "from pjreg_cli.entry import main\nassert main(['-rx', 'pjsip show registrations']) == 0"
    )
    ours, bare = loaded_by(asking, instance.home), loaded_by("", instance.home)
    assert len(ours) <= MOST_MODULES, sorted(ours - bare)
    assert ours - bare == {
        "__future__",
        "_socket",
        "pjreg_cli",
        "pjreg_cli.entry",
        "pjreg_cli.errors",
        "pjreg_cli.options",
        "pjreg_cli.remote",
    }


@pytest.mark.parametrize(("loaded", "told"), [("sys", ""), ("threading", "taken apart\n")])
def test_who_has_loaded_next_to_nothing_ends_at_once(loaded: str, told: str) -> None:
    script = (
        f"import atexit, {loaded}\natexit.register(print, 'taken apart')\n"
        "from pjreg_cli.entry import end\nend(3)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, told)


def test_instance_without_a_terminal_loads_no_console(home: Path) -> None:
    loaded = loaded_by("import pjreg_cli.instance.program", home)
    assert "pjreg_cli.engine.engine" in loaded
    assert {name for name in loaded if name.split(".")[0] in ("prompt_toolkit", "rich")} == set()


# -- a test for every module ------------------------------------------------------------------

#: modules that whole-process and loop tests watch instead of a module of their own
WATCHED_ELSEWHERE = {
    "pjreg_cli.engine.verbs": "tests/loop/test_engine.py",
    **{
        f"pjreg_cli.{name}": "tests/process/test_fleet.py"
        for name in (
            "cluster.store",
            "engine.ownership",
            "engine.shards",
            "engine.tenancy",
            "instance.fleet",
            "store.connection",
            "store.overview",
            "store.postgres",
            "store.states",
        )
    },
    "pjreg_cli.ami.compatible": "tests/loop/test_ami_compatible.py",
    "pjreg_cli.ami.core": "tests/loop/test_ami_server.py",
    "pjreg_cli.offline.init": "tests/process/test_init.py",
    "pjreg_cli.ami.changes": "tests/loop/test_ami_changes.py",
    "pjreg_cli.commands.change": "tests/process/test_added.py",
    "pjreg_cli.instance.added": "tests/process/test_added.py",
    "pjreg_cli.demo.database": "tests/process/test_tables.py",
    "pjreg_cli.instance.tables": "tests/process/test_tables.py",
    "pjreg_cli.__main__": "tests/process/test_oneshot.py",
    "pjreg_cli.entry": "tests/process/test_oneshot.py",
    "pjreg_cli.offline.answer": "tests/process/test_oneshot.py",
    "pjreg_cli.instance.program": "tests/process/test_lifetime.py",
    "pjreg_cli.instance.signals": "tests/process/test_signals.py",
    "pjreg_cli.instance.register_once": "tests/process/test_oneshot.py",
    "pjreg_cli.instance.local_console": "tests/process/test_demo.py",
    "pjreg_cli.demo.program": "tests/process/test_demo.py",
    "pjreg_cli.demo.registrar": "tests/process/test_demo.py",
    "pjreg_cli.shell_completion": "tests/process/test_completion_scripts.py",
    "pjreg_cli.console.remote": "tests/process/test_console_whole.py",
    "pjreg_cli.config.forgiving": "tests/unit/config/test_other_files.py",
    "pjreg_cli.engine.globals": "tests/process/test_obeyed.py",
    "pjreg_cli.control.server": "tests/loop/test_control.py",
    "pjreg_cli.control.connection": "tests/loop/test_control.py",
    "pjreg_cli.control.client": "tests/loop/test_control.py",
    "pjreg_cli.control.claim": "tests/loop/test_control.py",
    "pjreg_cli.control.protocol": "tests/loop/test_control.py",
    "pjreg_cli.console.editor": "tests/process/test_console.py",
    **{
        f"pjreg_cli.ami.{name}": "tests/loop/test_ami_server.py"
        for name in (
            "actions",
            "broadcast",
            "listeners",
            "login",
            "registrations",
            "request",
            "session",
        )
    },
    **{
        f"pjreg_cli.engine.{name}": "tests/loop/test_engine.py"
        for name in ("attempts", "facts", "fleet", "inbound", "shown", "targets", "views")
    },
    "pjreg_cli.config.beside": "tests/unit/config/test_load.py",
    "pjreg_cli.config.parts": "tests/unit/config/test_load.py",
    "pjreg_cli.config.observers": "tests/loop/test_hooks.py",
    "pjreg_cli.instance.hooks": "tests/loop/test_hooks.py",
    "pjreg_cli.instance.later": "tests/process/test_loaded.py",
    "pjreg_cli.instance.managers": "tests/process/test_loaded.py",
    "pjreg_cli.instance.observers": "tests/process/test_loaded.py",
    "pjreg_cli.commands.outcomes": "tests/process/test_acting.py",
    "pjreg_cli.commands.watch": "tests/process/test_watch.py",
    "pjreg_cli.console.watch": "tests/process/test_watch.py",
    **dict.fromkeys(
        (
            "pjreg_cli.commands.why",
            "pjreg_cli.commands.health",
            "pjreg_cli.render.ladder",
            "pjreg_cli.instance.history",
            "pjreg_cli.instance.probe",
            "pjreg_cli.offline.health",
            "pjreg_cli.store.past",
            "pjreg_cli.api.history",
        ),
        "tests/process/test_why.py",
    ),
    "pjreg_cli.render.explanation": "tests/process/test_why.py",
    **{
        f"pjreg_cli.why.{name}": "tests/loop/test_why_answers.py"
        for name in (
            "bindings",
            "case",
            "cause",
            "challenges",
            "diagnosis",
            "network",
            "notes",
            "refusals",
            "state",
            "steps",
            "tls",
        )
    },
}


def has_a_test(source: Path) -> bool:
    """Whether a test file mirrors it, or the one that stands for it is there."""
    place = source.relative_to(PACKAGE).with_name(f"test_{source.name}")
    elsewhere = WATCHED_ELSEWHERE.get(name_of(source))
    return any((TESTS / kind / place).is_file() for kind in ("unit", "loop")) or (
        elsewhere is not None and (ROOT / elsewhere).is_file()
    )


def imported_by(test: Path) -> set[str]:
    """Modules of ours that a test imports."""
    found = set()
    for node in ast.walk(ast.parse(test.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_every_module_is_tested() -> None:
    tested = set()
    for test in TESTS.rglob("*.py"):
        tested |= imported_by(test)
    missing = [
        name
        for source in SOURCES
        if source.name != "__init__.py"
        and (name := name_of(source)) not in tested
        and not has_a_test(source)
    ]
    assert missing == []


def test_unit_tests_mirror_the_package() -> None:
    homeless = []
    for test in (TESTS / "unit").rglob("test_*.py"):
        place = test.relative_to(TESTS / "unit").parent
        if place.parts[:1] not in ((), ("support",)) and not (PACKAGE / place).is_dir():
            homeless.append(str(place))
    assert homeless == []


# -- the shape of modules ---------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_module_is_explained_and_small(source: Path) -> None:
    text = source.read_text("utf-8")
    tree = ast.parse(text)
    lines = text.count("\n")
    assert lines <= LONGER.get(name_of(source), MOST_LINES), f"{lines} lines"
    if tree.body:
        assert ast.get_docstring(tree), "no docstring"


def test_packages_are_empty_so_that_importing_one_module_loads_no_other() -> None:
    full = [
        name_of(source)
        for source in PACKAGE.rglob("__init__.py")
        if source.parent != PACKAGE and source.read_text("utf-8").strip()
    ]
    assert full == []


# -- documents --------------------------------------------------------------------------------


def test_documents_name_only_files_that_exist() -> None:
    links = re.compile(r"\]\(([^)#:+!]+)(?:#[^)]*)?\)")  # `[name](+)` is Asterisk's
    dead = [
        f"{document.name}: {target}"
        for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for target in links.findall(re.sub(r"(?m)^    .*$", "", document.read_text("utf-8")))
        if not (document.parent / target).exists()
    ]
    assert dead == []


def test_version_of_the_changelog_is_the_programs() -> None:
    version = re.search(r'__version__ = "([^"]+)"', (PACKAGE / "__init__.py").read_text("utf-8"))
    assert version
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_licence_is_the_one_that_is_declared() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
