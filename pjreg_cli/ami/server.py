"""The manager interface of an instance: listeners, accounts, and who is connected."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence

from pjreg_cli.ami import actions, auth, core
from pjreg_cli.ami.broadcast import Broadcast
from pjreg_cli.ami.codec import Malformed, Message
from pjreg_cli.ami.listeners import Listeners
from pjreg_cli.ami.request import ActionContext
from pjreg_cli.ami.session import Session
from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
from pjreg_cli.api.port import Api
from pjreg_cli.config import eventfilter, manager_conf
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.config.eventfilter import Filters
from pjreg_cli.config.models import ManagerAccount, ManagerSettings
from pjreg_cli.counters import Counters
from pjreg_cli.dialects import CURRENT, Dialect
from pjreg_cli.incoming import Admission
from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.ami")

#: what greets every connection
BANNER = f"Asterisk Call Manager/{core.AMI_VERSION}\r\n".encode("ascii")

#: in force where manager.conf says 0, as in the origin
_AUTHTIMEOUT_S = 30
_AUTHLIMIT = 50
#: how often it is told that somebody was turned away, in seconds
_COMPLAIN_S = 60.0


def _new_challenge() -> str:
    """Nine digits nobody can guess."""
    return str(100_000_000 + secrets.randbelow(900_000_000))


class ManagerServer:
    """AMI as configured; also the `Managers` of the port.

    `port` is asked each time, since the port of an instance refers to this object in turn.
    `clock` counts seconds from anywhere, `wall_clock` since 1970.
    """

    def __init__(
        self,
        port: Callable[[], Api],
        settings: ManagerSettings,
        *,
        spawn: Spawner,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        dialect: Dialect = CURRENT,
        registry_detail: bool = False,
        counters: Counters | None = None,
        challenge: Callable[[], str] = _new_challenge,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._port = port
        self._settings = settings
        self._spawn = spawn
        self._sessions: dict[Session, asyncio.TimerHandle | None] = {}
        self._filters: dict[ManagerAccount, Filters] = {}
        self._listeners = Listeners(
            self._session, spawn=spawn, full=self._is_full, refused=self._turned_away
        )
        self._clock = clock
        self._complain_at = 0.0
        counts = counters or Counters()
        self._refused = counts.declare("ami_refused", "manager connections that were not let in")
        self._aborted = counts.declare(
            "ami_ended", "manager sessions ended: no login in time, or they did not read"
        )
        self._malformed = counts.declare("ami_malformed", "manager messages that were not read")
        self._broadcast = Broadcast(lambda: self._sessions, wall_clock, registry_detail)
        self._unsubscribe: Callable[[], None] | None = None
        self._context = ActionContext(
            port=port,
            settings=settings,
            dialect=dialect,
            wall_clock=wall_clock,
            throttle=auth.LoginThrottle(clock),
            broadcast=self._broadcast,
            in_use=self._in_use,
            challenge=challenge,
            filters=self._filters_of,
            logged_in=self._logged_in,
            sleep=sleep,
            refused=counts.declare("ami_logins_refused", "manager logins that were wrong"),
            delayed=counts.declare("ami_logins_delayed", "manager logins put off after wrong ones"),
            denied=counts.declare("ami_denied", "manager actions that were not permitted"),
        )

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> tuple[str, ...]:
        """Listen, if enabled; why that is not possible somewhere."""
        self._unsubscribe = self._port().notices.subscribe(self._broadcast.tell)
        return await self.apply(self._settings)

    async def apply(
        self, settings: ManagerSettings, registry_detail: bool | None = None
    ) -> tuple[str, ...]:
        """Put changed settings into force; sessions go on unless their user is gone.

        `registry_detail` None leaves that as it is.  Says why it cannot listen somewhere: then
        it listens on where it did, and is to try again at the next call; users count all the same.
        Certificates whose files have changed are read again.
        """
        failures = await self._listeners.apply(settings)
        self._settings = self._context.settings = settings
        self._broadcast.flush()
        self._broadcast.stamped = settings.timestampevents
        if registry_detail is not None:
            self._broadcast.detail = registry_detail
        self._filters.clear()
        for session in tuple(self._sessions):
            self._renew(session)
        return failures

    def _renew(self, session: Session) -> None:
        """Give a session what its user has now."""
        if not self._settings.enabled:
            session.close()
        elif session.account is not None:
            account = auth.find(self._settings.users, session.account.name)
            if account is None:
                _log.info("manager user %s is gone", session.user)
                session.close()
            else:
                session.account = account
                session.read_mask = classes.mask_of(account.read)
                session.write_mask = classes.mask_of(account.write)
                session.filters = self._filters_of(account)

    async def close(self) -> None:
        """End all sessions, after the events that are due, and stop listening."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._broadcast.flush()
        await self._listeners.close()
        for session in tuple(self._sessions):
            session.close()
        await asyncio.sleep(0)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens: address and port, plain before TLS."""
        return self._listeners.addresses

    @property
    def refused(self) -> int:
        """How many connections were not let in."""
        return self._refused.value

    # -- sessions -----------------------------------------------------------------------------

    def _session(self, admission: Admission) -> Session:
        return Session(self._handle, self._opened, self._forget, admission)

    def _waiting(self) -> int:
        """How many are connected and have not logged in, TLS handshakes among them."""
        return self._listeners.shaking + sum(one is not None for one in self._sessions.values())

    def _is_full(self) -> bool:
        return self._waiting() >= (self._settings.authlimit or _AUTHLIMIT)

    def _turned_away(self, why: str) -> None:
        self._refused.add()
        if self._clock() >= self._complain_at:
            self._complain_at = self._clock() + _COMPLAIN_S
            _log.warning(
                "manager: %d connections have not logged in, somebody was turned away (%s)",
                self._waiting(),
                why,
            )

    async def _handle(self, session: Session, item: Message | Malformed) -> bool:
        if isinstance(item, Malformed):
            self._malformed.add()
        return await actions.handle(self._context, session, item)

    def _opened(self, session: Session) -> None:
        self._sessions[session] = asyncio.get_running_loop().call_later(
            self._settings.authtimeout or _AUTHTIMEOUT_S, session.abort, "it did not log in in time"
        )
        session.write(BANNER)
        self._spawn(session.run(), f"manager session from {session.peer}")

    def _logged_in(self, session: Session) -> None:
        timer = self._sessions.get(session)
        if timer is not None:
            timer.cancel()
            self._sessions[session] = None

    def _forget(self, session: Session) -> None:
        timer = self._sessions.pop(session, None)
        if timer is not None:
            timer.cancel()
        if session.aborted:
            self._aborted.add()
        account = session.account
        if account and account.displayconnects and self._settings.displayconnects:
            _log.info("manager '%s' logged off from %s", account.name, session.peer)

    def _in_use(self, name: str) -> bool:
        wanted = name.casefold()
        return any(
            session.account is not None and session.account.name.casefold() == wanted
            for session in self._sessions
        )

    def _filters_of(self, account: ManagerAccount) -> Filters:
        if account not in self._filters:
            found, complaints = eventfilter.compiled(account.eventfilter)
            for complaint in complaints:
                _log.warning("manager user '%s': %s", account.name, complaint)
            self._filters[account] = found if account.eventfilter else eventfilter.EVERYTHING
        return self._filters[account]

    # -- what the console shows ---------------------------------------------------------------

    def users(self) -> Sequence[ManagerUser]:
        """The users in the order of the file."""
        return tuple(map(manager_conf.shown, self._settings.users))

    def settings(self) -> Sequence[tuple[str, str]]:
        """Pairs of `manager show settings`."""
        settings = self._settings
        return (
            ("Manager (AMI):", _yes_no(settings.enabled)),
            ("Web Manager (AMI/HTTP):", _yes_no(False)),
            ("TCP Bindaddress:", f"{settings.bindaddr}:{settings.port}"),
            ("TLS Enable:", _yes_no(settings.tlsenable)),
            ("TLS Bindaddress:", settings.tlsbindaddr or "Disabled"),
            ("TLS Certfile:", settings.tlscertfile),
            ("TLS Privatekey:", settings.tlsprivatekey),
            ("Allow multiple login:", _yes_no(settings.allowmultiplelogin)),
            ("Display connects:", _yes_no(settings.displayconnects)),
            ("Timestamp events:", _yes_no(settings.timestampevents)),
            ("Auth timeout (seconds):", str(settings.authtimeout or _AUTHTIMEOUT_S)),
            ("Auth limit:", str(settings.authlimit or _AUTHLIMIT)),
        )

    def sessions(self) -> Sequence[ManagerSession]:
        """Who is logged in, the oldest first."""
        return tuple(
            ManagerSession(
                username=session.account.name,
                address=session.peer,
                started_at=session.started_at,
                fileno=session.fileno,
                read=session.read_mask,
                write=session.write_mask,
            )
            for session in self._sessions
            if session.account is not None
        )

    def actions(self) -> Sequence[ManagerAction]:
        """Every action, sorted by name."""
        return actions.explained()


def _yes_no(value: bool) -> str:
    return "Yes" if value else "No"
