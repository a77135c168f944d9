"""The `Containerfile`, built and run by podman: `make machine`.

Where its base image cannot be had, a Debian with the same Python stands in for it.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.machine.debian import FOLDER, root
from tests.support.background import in_background
from tests.support.golden import PROJECT
from tests.support.registrar import Registrar
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(900)

BASE = "docker.io/library/python:3.13-slim"
AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")
PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:0
[trunk]
type=registration
server_uri=sip:127.0.0.1:{registrar}
client_uri=sip:office@127.0.0.1
max_random_initial_delay=0
"""


def podman(*words: str) -> subprocess.CompletedProcess[str]:
    """Podman with a store of its own."""
    runtime = shutil.which("runc", path="/usr/sbin:/usr/bin") or "crun"
    own = ("--root", str(FOLDER / "podman"), "--runroot", str(FOLDER / "podman-run"))
    return subprocess.run(
        ["podman", *own, "--runtime", runtime, *words],
        capture_output=True, text=True, check=False, timeout=600, cwd=PROJECT,
    )  # fmt: skip


def done(*words: str) -> str:
    """What it prints; it has to succeed."""
    result = podman(*words)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def stand_in() -> None:
    """A base image of Debian's own Python, which is of the same version."""
    folder = root("trixie")
    (folder / "usr/lib/python3.13/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    for name, of in (("python", "python3"), ("pip", "pip3")):
        link = folder / "usr/local/bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/bin/{of}")
    if (Path("/") / AUTHORITIES).exists():
        shutil.copy(Path("/") / AUTHORITIES, folder / AUTHORITIES)
        (folder / "etc/pip.conf").write_text(f"[global]\ncert = /{AUTHORITIES}\n")
    archive = FOLDER / "trixie.tar"
    subprocess.run(["tar", "-C", folder, "-cf", archive, "."], check=True)
    done("import", str(archive), BASE)
    archive.unlink()


@pytest.fixture(scope="module")
def image() -> str:
    if podman("image", "exists", BASE).returncode and podman("pull", "-q", BASE).returncode:
        stand_in()
    done("build", "--format", "docker", "--network", "host", "-t", "pjreg-cli", ".")
    return "pjreg-cli"


@dataclass(frozen=True, slots=True)
class Container:
    """One that runs, and the registrar it registers with."""

    name: str
    registrar: Registrar

    def run(self, *words: str) -> str:
        """What a command in it prints."""
        return done("exec", self.name, *words)


@pytest.fixture
def container(image: str, tmp_path: Path) -> Iterator[Container]:
    tmp_path.chmod(0o755)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with in_background(Registrar.open()) as registrar:
        (tmp_path / "pjsip.conf").write_text(PJSIP.format(registrar=registrar.port))
        name = done(
            "run", "-d", "--network", "host", "--read-only", "--cap-drop", "all",
            "--ulimit", f"nofile={min(most, 4096)}", "--ulimit", "nproc=1000",
            "--read-only-tmpfs=false", "-v", "/run/pjreg-cli",
            "-v", f"{tmp_path}:/etc/pjreg-cli:ro", image,
        ).strip()  # fmt: skip
        yield Container(name, registrar)
        podman("rm", "-f", "-v", name)


def test_it_registers_answers_reloads_and_stops(container: Container) -> None:
    shown = ("exec", container.name, "pjreg-cli", "pjsip", "show", "registrations")
    until(lambda: "Registered" in podman(*shown).stdout, "registered")
    assert container.run("id", "-u").strip() == "10001"
    assert container.run("pjreg-cli", "-rx", "core show version").startswith("pjreg-cli ")
    assert ".sqlite3" in container.run("ls", "/var/lib/pjreg-cli")
    assert podman("healthcheck", "run", container.name).returncode == 0
    done("kill", "-s", "HUP", container.name)
    until(lambda: "reload of all" in podman("logs", container.name).stderr, "the reload")
    sent = len(container.registrar.seen)
    done("stop", container.name)
    assert done("inspect", "--format", "{{.State.ExitCode}}", container.name).strip() == "0"
    assert len(container.registrar.seen) == sent


def test_what_is_optional_is_in_it(image: str) -> None:
    limits = ("--ulimit", "nofile=1024", "--ulimit", "nproc=1000")
    modules = "import prometheus_client, psycopg"
    done(
        "run", "--rm", "--network", "none", *limits, "--entrypoint", "python3", image, "-c", modules
    )
