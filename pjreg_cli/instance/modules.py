"""What goes by the names of Asterisk's modules: in `module show`, its reloads, `core set debug`."""

from __future__ import annotations

from typing import Final, NamedTuple

from pjreg_cli.config.settings import Scope

SUFFIX: Final = ".so"


class Module(NamedTuple):
    """A part of the program under the name that Asterisk has for it."""

    name: str
    """Without `.so`."""
    description: str
    scope: Scope | None
    """What its reload reads; None: no file."""
    file: bool = True
    """False for what is built into Asterisk: it can be reloaded but is not listed."""


LOGGER: Final = Module("logger", "Logging", None, file=False)
"""Its reload opens the log file anew."""

MODULES: Final = (
    Module("res_clialiases", "Console aliases", Scope.ALIASES),
    Module("res_pjsip", "SIP: transports, accounts, global options", Scope.PJSIP),
    Module("res_pjsip_config_wizard", "Registrations made by wizards", Scope.REGISTRATIONS),
    Module("res_pjsip_history", "History of SIP messages", None),
    Module("res_pjsip_logger", "Trace of SIP messages", None),
    Module("res_pjsip_nat", "Addresses as seen from outside", None),
    Module("res_pjsip_outbound_authenticator_digest", "Answers to challenges", Scope.PJSIP),
    Module("res_pjsip_outbound_registration", "Outbound registrations", Scope.REGISTRATIONS),
    Module("res_resolver_unbound", "Name servers", Scope.RESOLVER),
    Module("res_statsd", "Gauges for statsd", Scope.STATSD),
    LOGGER,
    Module("manager", "Manager interface", Scope.MANAGER, file=False),
    Module("acl", "Access lists", Scope.MANAGER, file=False),
)

# Modules of Asterisk that its sample files name, or that scripts reload, and that have nothing to
# read here.
_ELSEWHERE: Final = frozenset(
    {
        "app_agent_pool", "app_amd", "app_confbridge", "app_directory", "app_followme",
        "app_meetme", "app_minivm", "app_queue", "app_skel", "app_voicemail", "app_voicemail_imap",
        "app_voicemail_odbc", "cdr_adaptive_odbc", "cdr_beanstalkd", "cdr_csv", "cdr_custom",
        "cdr_manager", "cdr_odbc", "cdr_pgsql", "cdr_radius", "cdr_sqlite3_custom", "cdr_syslog",
        "cdr_tds", "cel_beanstalkd", "cel_custom", "cel_manager", "cel_odbc", "cel_pgsql",
        "cel_radius", "cel_sqlite3_custom", "cel_tds", "chan_alsa", "chan_console", "chan_dahdi",
        "chan_iax2", "chan_mgcp", "chan_misdn", "chan_mobile", "chan_motif", "chan_oss",
        "chan_pjsip", "chan_rtp", "chan_sip", "chan_skinny", "chan_unistim", "codec_dahdi",
        "codec_opus", "codec_speex", "func_cdr", "func_odbc", "pbx_ael", "pbx_config", "pbx_dundi",
        "pbx_lua", "pbx_realtime", "pbx_spool", "res_adsi", "res_agi", "res_ari", "res_calendar",
        "res_clioriginate", "res_config_curl", "res_config_ldap", "res_config_mysql",
        "res_config_odbc", "res_config_pgsql", "res_config_sqlite", "res_config_sqlite3",
        "res_corosync", "res_crypto", "res_curl", "res_fax", "res_fax_spandsp", "res_geolocation",
        "res_hep", "res_hep_pjsip", "res_hep_rtcp", "res_http_media_cache", "res_http_post",
        "res_http_websocket", "res_limit", "res_mwi_external", "res_musiconhold", "res_mutestream",
        "res_odbc", "res_parking", "res_phoneprov", "res_pjproject", "res_prometheus",
        "res_rtp_asterisk", "res_security_log", "res_smdi", "res_snmp", "res_sorcery_astdb",
        "res_sorcery_config", "res_sorcery_memory", "res_sorcery_memory_cache",
        "res_sorcery_realtime", "res_srtp", "res_stasis", "res_stir_shaken", "res_stun_monitor",
        "res_tonedetect", "res_xmpp",
    }
)  # fmt: skip
_BUILT_IN: Final = frozenset(
    {
        "asterisk", "ccss", "cdr", "cel", "cli", "config", "dnsmgr", "dsp", "enum", "extconfig",
        "features", "http", "indications", "media_cache", "named_acl", "parking", "plc", "rtp",
        "sounds", "stasis", "taskprocessor", "udptl",
    }
)  # fmt: skip

#: packages that `core set debug N MODULE` means by the names of Asterisk's modules
PACKAGES: Final = {
    "res_pjsip": ("engine", "net", "registration", "sip"),
    "res_pjsip_outbound_registration": ("engine",),
    "res_pjsip_outbound_authenticator_digest": ("engine",),
    "res_pjsip_logger": ("engine",),
    "res_pjsip_history": ("engine",),
    "res_pjsip_nat": ("net",),
    "res_resolver_unbound": ("net",),
    "res_statsd": ("metrics",),
    "manager": ("ami",),
    "logger": ("instance",),
    "core": ("instance",),
}

_BY_NAME: Final = {module.name: module for module in MODULES}


def find(name: str) -> Module | None:
    """The module of this name, with or without `.so`; None for a name that Asterisk has not."""
    bare = name.removesuffix(SUFFIX)
    known = _BY_NAME.get(bare)
    if known is not None:
        return known
    if bare.startswith("res_pjsip_") or bare in _ELSEWHERE or bare in _BUILT_IN:
        return Module(bare, "Nothing to read here", None)
    return None


def plain(module: str) -> str:
    """A module's name without what its files end in."""
    return module.removesuffix(SUFFIX).removesuffix(".c")


def packages(module: str) -> tuple[str, ...]:
    """The packages of ours that a module stands for; what is no module is one itself."""
    return PACKAGES.get(module, (module,))
