"""How Asterisk reads the text of an option: numbers, booleans, lists, networks, service classes.

Every function takes the text of the file and raises `ValueError` with words for the operator;
pydantic turns those into problems with file and line.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter

T = TypeVar("T")

MAXIMUM: Final = 4294967295
"""The largest number an option can hold (32 bits without sign)."""

FOREVER: Final = MAXIMUM + 1
"""What `max_retries = forever` is read as: above every number a file can hold, so that no count of
retries ever reaches it."""

TRUE: Final = frozenset({"yes", "true", "y", "t", "1", "on"})
"""What means yes, in lower case; everything else means no."""

FALSE: Final = frozenset({"no", "false", "n", "f", "0", "off"})
"""What is understood to mean no on purpose."""

ALGORITHMS: Final = {"md5": "MD5", "sha-256": "SHA-256", "sha-512-256": "SHA-512-256"}
"""Digest algorithms by their name in lower case (RFC 8760)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_STRICT: Final = ConfigDict(extra="forbid")
"""An option that a section does not have is a mistake."""

OURS: Final = frozenset({"name", "source", "wizard", "host", "port"})
"""Fields of the pjsip.conf models that are no options of a file."""

LOG_FORMATS: Final = ("text", "json")
LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error")
"""Levels of the log file."""

DIGEST_LENGTHS: Final = {"MD5": 32, "SHA-256": 64, "SHA-512-256": 64}
"""Hexadecimal digits of a digest of each algorithm."""

_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z", re.ASCII)
_NUMBER: Final = re.compile(r"(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\Z", re.ASCII)
#: numbers that were read, by their texts: one object for each of the usual ones
_KNOWN: Final[dict[str, int]] = {}
_KNOWN_AT_MOST: Final = 10_000
_CLASSES: Final = {
    "lowdelay": 0x10, "throughput": 0x08, "reliability": 0x04, "mincost": 0x02, "none": 0,
    "cs0": 0x00, "cs1": 0x20, "cs2": 0x40, "cs3": 0x60, "cs4": 0x80, "cs5": 0xA0, "cs6": 0xC0,
    "cs7": 0xE0, "af11": 0x28, "af12": 0x30, "af13": 0x38, "af21": 0x48, "af22": 0x50,
    "af23": 0x58, "af31": 0x68, "af32": 0x70, "af33": 0x78, "af41": 0x88, "af42": 0x90,
    "af43": 0x98, "ef": 0xB8,
}  # fmt: skip


def number(value: Any) -> Any:
    """Decimal, octal after a leading 0 or hexadecimal after 0x, 0 to 4294967295, nothing behind.

    Values that are no text pass unchanged: defaults and values built in Python.
    """
    if type(value) is not str:
        return value
    known = _KNOWN.get(value)
    if known is not None:
        return known
    if _NUMBER.match(value) is None:
        raise ValueError("is not a number between 0 and 4294967295")
    lower = value.lower()
    if lower.startswith("0x"):
        result = int(lower, 16)
    elif len(value) > 1 and value[0] == "0":
        result = int(value, 8)
    else:
        result = int(value) if len(value) < 11 else MAXIMUM + 1
    if result > MAXIMUM:
        raise ValueError("is larger than 4294967295")
    if len(_KNOWN) < _KNOWN_AT_MOST:
        _KNOWN[value] = result
    return result


def boolean(value: Any) -> Any:
    """True for yes, true, y, t, 1, on in any letter case, False for everything else."""
    return value if type(value) is bool else str(value).lower() in TRUE


def names(value: Any) -> Any:
    """Words separated by commas, blanks around them and empty ones dropped."""
    if type(value) is not str:
        return value
    if "," not in value:
        word = value.strip()
        return (word,) if word else ()
    return tuple(word for part in value.split(",") if (word := part.strip()))


@lru_cache(maxsize=256)
def shared(value: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for all who name the same: most of a fleet does."""
    return value


def algorithms(value: Any) -> Any:
    """Digest algorithms separated by commas, in the order given; an unknown one is refused."""
    if type(value) is not str:
        return value
    found = []
    for word in names(value):
        known = ALGORITHMS.get(word.lower())
        if known is None:
            raise ValueError(f"names an unknown digest algorithm '{word[:80]}'")
        found.append(known)
    return tuple(found)


def network(text: str) -> Network:
    """An address, `address/length` or `address/dotted mask` as a network."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"'{text[:80]}' is neither an address nor a network") from None


def networks(value: Any) -> Any:
    """Networks separated by commas, or a sequence of such texts."""
    if type(value) is str:
        value = (value,)
    return tuple(
        found if not isinstance(found, str) else network(found)
        for part in value
        for found in (names(part) if isinstance(part, str) else (part,))
    )


def service_class(value: Any) -> Any:
    """A type of service: a number, or a name such as `cs3`, `af31`, `ef`."""
    if type(value) is not str:
        return value
    known = _CLASSES.get(value.lower())
    if known is not None:
        return known
    result = number(value)
    if result > 255:
        raise ValueError("is above 255")
    return result


def retries(value: Any) -> Any:
    """How many retries: a number, or `forever`, which the origin does not know."""
    return FOREVER if type(value) is str and value.lower() == "forever" else number(value)


def signed(value: Any) -> Any:
    """A number that may be negative."""
    if type(value) is str and value.startswith("-"):
        return -number(value[1:])
    return number(value)


def loose(value: Any) -> Any:
    """A number as the companion files read it: leading digits count, anything else is 0."""
    if type(value) is not str:
        return value
    found = re.match(r"\s*(\d{1,10})", value, re.ASCII)
    return int(found[1]) if found else 0


def digests(value: Any) -> Any:
    """`ALGORITHM:HEX` texts as pairs of algorithm and secret digest."""
    if type(value) is str:
        value = (value,)
    return tuple(_digest(part) if type(part) is str else part for part in value)


def _digest(text: str) -> tuple[str, SecretStr]:
    word, colon, digits = text.partition(":")
    known = ALGORITHMS.get(word.strip().lower())
    if not colon or known is None:
        raise ValueError("is not of the form ALGORITHM:HEX with a known algorithm")
    if len(digits) != DIGEST_LENGTHS[known] or not _HEX.match(digits):
        raise ValueError(f"needs {DIGEST_LENGTHS[known]} hexadecimal digits for {known}")
    return known, SecretStr(digits)


def nameservers(value: Any) -> Any:
    """`ADDRESS` or `ADDRESS@PORT` texts as pairs; port 53 without one."""
    if type(value) is str:
        value = (value,)
    return tuple(_nameserver(part) if type(part) is str else part for part in value)


def _nameserver(text: str) -> tuple[str, int]:
    address, at, port = text.partition("@")
    try:
        host = str(ipaddress.ip_address(address.strip().strip("[]")))
    except ValueError:
        raise ValueError(f"'{text[:60]}' is no ADDRESS or ADDRESS@PORT") from None
    result = number(port.strip()) if at else 53
    if not 0 < result < 65536:
        raise ValueError(f"'{text[:80]}' has no valid port")
    return host, result


def word(value: Any) -> Any:
    """A keyword, whose letter case does not matter."""
    return value.lower() if type(value) is str else value


def log_level(value: Any) -> Any:
    """The name of a level of the log, letter case ignored."""
    level = word(value)
    if level not in LOG_LEVELS:
        raise ValueError(f"is none of {', '.join(LOG_LEVELS)}")
    return level


def log_format(value: Any) -> Any:
    """How lines of the log look, letter case ignored."""
    form = word(value)
    if form not in LOG_FORMATS:
        raise ValueError(f"is none of {', '.join(LOG_FORMATS)}")
    return form


def one_of(*words: str) -> Callable[[Any], Any]:
    """One of these words, letter case ignored."""

    def chosen(value: Any) -> Any:
        if word(value) not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return word(value)

    return chosen


def hosts_file(value: Any) -> Any:
    """`system` as the path of the system's own hosts file."""
    return "/etc/hosts" if value == "system" else value


# -- fields -----------------------------------------------------------------------------------


def option(default: Any, synopsis: str, description: str = "") -> Any:
    """A field with a default and its explanation; `Any` as `dataclasses.field` itself has."""
    return dataclasses.field(
        default=default, metadata={"title": synopsis, "description": description}
    )


def inert(default: Any, synopsis: str, description: str = "") -> Any:
    """A field for an option that is read and checked, but changes nothing here."""
    return dataclasses.field(
        default=default, metadata={"title": synopsis, "description": description, "inert": True}
    )


class Explained(NamedTuple):
    """What a model says of one of its fields."""

    hint: Any
    """Its type, with what is checked besides."""
    default: Any
    synopsis: str
    description: str
    inert: bool

    @property
    def form(self) -> Any:
        """Its type without anything."""
        return get_args(self.hint)[0] if hasattr(self.hint, "__metadata__") else self.hint


def explained(model: type[Any]) -> Mapping[str, Explained]:
    """The fields of a model by name."""
    hints = get_type_hints(model, include_extras=True)
    return {
        one.name: Explained(
            hints[one.name],
            one.default,
            one.metadata.get("title", ""),
            one.metadata.get("description", ""),
            one.metadata.get("inert", False),
        )
        for one in dataclasses.fields(model)
    }


def validator(model: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """What makes an object of the texts of a section; raises pydantic.ValidationError.

    It is compiled when the first section of its kind is read: most kinds are in no file.
    """
    found = _compiled.get(model)
    if found is None:
        setattr(model, "__pydantic_config__", _STRICT)  # noqa: B010 -- pydantic asks for it
        found = _compiled[model] = TypeAdapter(model).validator.validate_python
    return found


# Any: each makes objects of its own model
_compiled: Final[dict[type[Any], Callable[[Any], Any]]] = {}


def option_names(model: type[Any]) -> frozenset[str]:
    """The names of the options a section of this type may have."""
    return frozenset(f.name for f in dataclasses.fields(model)) - OURS


def inert_options(model: type[Any]) -> frozenset[str]:
    """The options of a model that change nothing."""
    return frozenset(f.name for f in dataclasses.fields(model) if f.metadata.get("inert"))


# -- types ------------------------------------------------------------------------------------

NO_SECRET: Final = SecretStr("")


def secret(text: str) -> SecretStr:
    """`text`, kept from every output."""
    return SecretStr(text)


Number = Annotated[int, BeforeValidator(number), Field(ge=0, le=MAXIMUM)]
Retries = Annotated[int, BeforeValidator(retries), Field(ge=0, le=FOREVER)]
Signed = Annotated[int, BeforeValidator(signed), Field(ge=-2147483648, le=2147483647)]
Loose = Annotated[int, BeforeValidator(loose), Field(ge=0)]
Port = Annotated[int, BeforeValidator(number), Field(ge=0, le=65535)]
Boolean = Annotated[bool, BeforeValidator(boolean)]
Names = Annotated[tuple[str, ...], BeforeValidator(names), AfterValidator(shared)]
Algorithms = Annotated[tuple[str, ...], BeforeValidator(algorithms)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(networks)]
ServiceClass = Annotated[int, BeforeValidator(service_class)]
Digests = Annotated[tuple[tuple[str, SecretStr], ...], BeforeValidator(digests)]
Nameservers = Annotated[tuple[tuple[str, int], ...], BeforeValidator(nameservers)]
HostsFile = Annotated[str, BeforeValidator(hosts_file)]
LogLevel = Annotated[str, BeforeValidator(log_level)]
LogFormat = Annotated[str, BeforeValidator(log_format)]
Positive = Annotated[int, BeforeValidator(number), Field(ge=1, le=MAXIMUM)]
Takeover = Annotated[str, BeforeValidator(one_of("auto", "refresh", "register"))]
WithoutDatabase = Annotated[str, BeforeValidator(one_of("auto", "late", "hold"))]
LeaseCommit = Annotated[
    str, BeforeValidator(one_of("on", "local", "remote_write", "remote_apply", "off"))
]
Few = Annotated[int, BeforeValidator(number), Field(ge=0, le=100)]
Word = Annotated[str, BeforeValidator(word)]
