"""pjreg_cli/lifecycle.py"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from pjreg_cli.api.instance import InstanceView, ReloadReport, Stop
from pjreg_cli.api.notices import Doing, Notice, Reloaded
from pjreg_cli.config.load import Scope
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.errors import ConfigError
from pjreg_cli.instance.lifecycle import Lifecycle
from pjreg_cli.instance.logs import Logs
from pjreg_cli.instance.modules import MODULES
from tests.support.clock import run_virtually

START = InstanceView(
    version="1.2.3",
    started_at=1000.0,
    reloaded_at=1000.0,
    now_at=1000.0,
    config_path="/etc/pjreg-cli/pjsip.conf",
    config_dir="/etc/pjreg-cli",
    socket_path="/run/pjreg-cli/pjreg.ctl",
    pid=4711,
)


class World:
    """What a lifecycle is surrounded by: a clock, files to reload, somebody to unregister."""

    def __init__(self, logs: Logs) -> None:
        self.at = 1000.0
        self.scopes: list[Scope] = []
        self.reloads_at_once = 0
        self.most_at_once = 0
        self.failures: tuple[str, ...] = ()
        self.log_failure = ""
        self.reopened = 0
        self.notices: list[Notice] = []
        self.takes_s = 0.0
        self.may_leave = asyncio.Event()
        self.began_to_leave = 0
        self.came_back = 0
        self.life = Lifecycle(
            START,
            logs,
            now=lambda: self.at,
            reload=self.reload,
            reopen_logs=self.reopen_logs,
            publish=self.notices.append,
            manager_enabled=lambda: True,
        )

    async def reopen_logs(self) -> None:
        """Count, and fail when told to."""
        self.reopened += 1
        if self.log_failure:
            raise ConfigError(self.log_failure, "log")

    async def reload(self, scope: Scope) -> ReloadReport:
        """Take a moment, in which nobody else may reload."""
        self.reloads_at_once += 1
        self.most_at_once = max(self.most_at_once, self.reloads_at_once)
        await asyncio.sleep(self.takes_s)
        self.at += 10
        self.scopes.append(scope)
        self.reloads_at_once -= 1
        return ReloadReport(scope.value, failures=self.failures)

    def leave(self) -> asyncio.Task[None]:
        """Unregister until the test says that all have answered."""
        self.began_to_leave += 1
        return spawn(self._leave(), "leaving")

    async def _leave(self) -> None:
        await self.may_leave.wait()

    async def come_back(self) -> int:
        """Count how often the stop was taken back."""
        self.came_back += 1
        return 3


@pytest.fixture
def logs() -> Iterator[Logs]:
    """A log to nowhere."""
    logs = Logs(stderr=None)
    yield logs
    logs.close()


async def test_view_tells_the_time(logs: Logs) -> None:
    world = World(logs)
    world.at = 1060.0
    view = world.life.view()
    assert (view.started_at, view.reloaded_at, view.now_at) == (1000.0, 1000.0, 1060.0)
    assert (view.version, view.pid, view.live, view.manager_enabled) == ("1.2.3", 4711, True, True)


# -- reload -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("takes_s", "told"),
    [(0.5, []), (2.5, ["reloading, 1 s so far", "reloading, 2 s so far", ""])],
)
def test_a_reload_that_takes_long_says_so(logs: Logs, takes_s: float, told: list[str]) -> None:
    async def main() -> list[Notice]:
        world = World(logs)
        world.takes_s = takes_s
        await world.life.reload([])
        return world.notices

    assert [one.text for one in run_virtually(main()) if isinstance(one, Doing)] == told


async def test_modules_are_reloaded_in_turn_with_or_without_suffix(logs: Logs) -> None:
    world = World(logs)
    reports = await world.life.reload(
        ["res_pjsip.so", "nosuch.so", "res_pjsip_outbound_registration"]
    )
    assert [(one.module, one.known) for one in reports] == [
        ("res_pjsip.so", True),
        ("nosuch.so", False),
        ("res_pjsip_outbound_registration", True),
    ]
    assert world.scopes == [Scope.PJSIP, Scope.REGISTRATIONS]
    assert world.notices == [
        Reloaded("res_pjsip", True),
        Reloaded("res_pjsip_outbound_registration", True),
    ]
    assert world.life.view().reloaded_at == 1020.0


async def test_a_log_file_that_cannot_be_had_is_told_once(logs: Logs) -> None:
    world = World(logs)
    world.log_failure = "cannot log there: No such file or directory"
    (report,) = await world.life.reload([])
    assert report.failures == (f"log: {world.log_failure}",)
    world.failures = (f"log: {world.log_failure}; what was before goes on",)
    (report,) = await world.life.reload([])
    assert report.failures == world.failures


async def test_no_name_reloads_everything_once(logs: Logs) -> None:
    world = World(logs)
    (report,) = await world.life.reload([])
    assert (report.module, report.ok) == ("All", True)
    assert world.scopes == [Scope.ALL]
    assert world.reopened == 1


@pytest.mark.parametrize(
    ("module", "scope"),
    [
        ("res_clialiases.so", Scope.ALIASES),
        ("res_statsd.so", Scope.STATSD),
        ("res_resolver_unbound.so", Scope.RESOLVER),
        ("manager", Scope.MANAGER),
        ("acl", Scope.MANAGER),
    ],
)
async def test_a_module_reads_its_own_file_only(logs: Logs, module: str, scope: Scope) -> None:
    world = World(logs)
    await world.life.reload([module])
    assert (world.scopes, world.reopened) == ([scope], 0)


async def test_reload_of_the_logger_opens_the_logs_and_reads_nothing(logs: Logs) -> None:
    world = World(logs)
    (report,) = await world.life.reload(["logger"])
    assert (report.ok, world.scopes, world.reopened) == (True, [], 1)
    world.log_failure = "cannot log there"
    (report,) = await world.life.reload(["logger"])
    assert report.failures == ("log: cannot log there",)


@pytest.mark.parametrize(
    "module",
    [
        "res_pjsip_endpoint_identifier_ip.so",
        "res_pjsip_whatever_comes_next",
        "res_pjsip_logger.so",
        "app_queue.so",
        "res_musiconhold",
        "cdr",
        "dnsmgr",
    ],
)
async def test_other_modules_of_asterisk_have_nothing_to_read(logs: Logs, module: str) -> None:
    world = World(logs)
    (report,) = await world.life.reload([module])
    assert (report.ok, world.scopes) == (True, [])


async def test_unknown_module_reloads_nothing(logs: Logs) -> None:
    world = World(logs)
    await world.life.reload(["nosuch"])
    assert world.scopes == []
    assert world.life.view().reloaded_at == 1000.0


async def test_two_reloads_at_once_run_one_after_the_other(logs: Logs) -> None:
    world = World(logs)
    await asyncio.gather(*(world.life.reload([]) for _ in range(3)))
    assert len(world.scopes) == 3
    assert world.most_at_once == 1


async def test_given_up_file_is_told_to_whoever_listens(logs: Logs) -> None:
    world = World(logs)
    world.failures = ("pjsip.conf:3: a section's header has no closing ']'",)
    (report,) = await world.life.reload(["res_pjsip.so"])
    assert report.failures == world.failures
    assert world.notices == [Reloaded("res_pjsip", False)]


async def test_modules_without_a_file_are_not_listed(logs: Logs) -> None:
    names = [name for name, _, _ in World(logs).life.modules()]
    assert "res_pjsip_outbound_registration.so" in names
    assert "manager.so" not in names
    assert names == sorted(names)
    assert len({module.name for module in MODULES}) == len(MODULES)


# -- stop -------------------------------------------------------------------------------------


async def ends(world: World) -> bool:
    """Whether an instance shall follow, once the end has come."""
    async with asyncio.timeout(5):
        return await world.life.until_stopped(world.leave, world.come_back)


async def test_stop_now_unregisters_nothing(logs: Logs) -> None:
    world = World(logs)
    world.life.stop(Stop.NOW)
    assert await ends(world) is False
    assert world.began_to_leave == 0


@pytest.mark.parametrize("how", [Stop.GRACEFULLY, Stop.WHEN_CONVENIENT])
@pytest.mark.parametrize("restart", [True, False])
async def test_other_stops_unregister_first(logs: Logs, how: Stop, restart: bool) -> None:
    world = World(logs)
    world.may_leave.set()
    world.life.stop(how, restart)
    assert await ends(world) is restart
    assert world.began_to_leave == 1


async def test_stop_now_overtakes_one_that_waits(logs: Logs) -> None:
    world = World(logs)
    world.life.stop(Stop.GRACEFULLY, restart=True)
    asyncio.get_running_loop().call_soon(world.life.stop, Stop.NOW)
    assert await ends(world) is False


async def test_stop_that_waits_does_not_overtake_another(logs: Logs) -> None:
    world = World(logs)
    world.may_leave.set()
    world.life.stop(Stop.GRACEFULLY, restart=True)
    world.life.stop(Stop.WHEN_CONVENIENT, restart=False)
    assert await ends(world) is True


async def test_stop_can_be_taken_back_while_it_waits(logs: Logs) -> None:
    world = World(logs)
    loop = asyncio.get_running_loop()
    world.life.stop(Stop.GRACEFULLY)

    def again(step: Callable[[], None]) -> None:
        loop.call_later(0.01, step)

    def third() -> None:
        world.may_leave.set()
        world.life.stop(Stop.GRACEFULLY, restart=True)

    def second() -> None:
        world.life.abort_stop()
        again(third)

    again(second)
    assert await ends(world) is True
    assert world.began_to_leave == 2
    assert world.came_back == 1


async def test_abort_without_a_stop_changes_nothing(logs: Logs) -> None:
    world = World(logs)
    world.life.abort_stop()
    world.life.stop(Stop.NOW)
    world.life.abort_stop()
    assert await ends(world) is False


async def test_debug_level_of_one_module_is_its_own(logs: Logs) -> None:
    life = World(logs).life
    life.set_module_debug("res_pjsip", 3)
    assert (life.module_debug("res_pjsip"), life.module_debug("manager")) == (3, 0)
    assert life.view().debug == 0
    life.set_debug(2)
    assert life.view().debug == 2
