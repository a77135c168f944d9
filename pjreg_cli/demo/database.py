"""The accounts of the demo in a database, in the shape of Asterisk's realtime tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pjreg_cli.config.build import kind_of
from pjreg_cli.config.files import Disk
from pjreg_cli.config.reader import read
from pjreg_cli.config.section import Section
from pjreg_cli.store.asterisk_tables import create

_FILES = {
    "sorcery.conf": """\
[res_pjsip]
auth = realtime,ps_auths
auth = config,pjsip.conf,criteria=type=auth

[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
registration = config,pjsip.conf,criteria=type=registration
""",
    "extconfig.conf": """\
[settings]
ps_registrations => sqlite3,asterisk
ps_auths => sqlite3,asterisk
""",
    "res_config_sqlite3.conf": """\
[asterisk]
dbfile => {database}
""",
}


def move_accounts(folder: Path) -> Path:
    """Move the registrations and auth sections of `folder`'s pjsip.conf to an SQLite file there."""
    main = folder / "pjsip.conf"
    database = folder / "asterisk.sqlite3"
    database.unlink(missing_ok=True)
    document = read(str(main), Disk(folder))
    kinds: dict[str, list[Section]] = {}
    for section in document.sections:
        if not section.template:
            kinds.setdefault(kind_of(section), []).append(section)
    create(database, _rows(kinds["registration"]), _rows(kinds["auth"]))
    for name, text in _FILES.items():
        (folder / name).write_text(text.format(database=database), "utf-8")
    rest = [s for kind in ("transport", "global", "system") for s in kinds.get(kind, ())]
    main.write_text("\n".join(map(_text, rest)), "utf-8")
    return database


def _rows(sections: Iterable[Section]) -> list[dict[str, str]]:
    return [
        {"id": section.name}
        | {
            key: value.replace("^", "^5E").replace(";", "^3B")
            for key, value, _line, _path in section.entries
            if key != "type"
        }
        for section in sections
    ]


def _text(section: Section) -> str:
    lines = (f"{key} = {value}" for key, value, _line, _path in section.entries)
    return "\n".join([f"[{section.name}]", *lines, ""])
