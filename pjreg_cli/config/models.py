"""Sections and options of pjsip.conf: names, defaults, limits, and what they mean.

Field names are Asterisk's option names, letter for letter.  A section is made from the texts of a
file by `types.validator`, or from ready values in Python.  What an option is for stands beside it:
`config show help` and `docs/configuration.md` come from here.
"""

from __future__ import annotations

from dataclasses import field, fields

from pydantic import SecretStr

from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.manager_conf import ManagerAccount, ManagerSettings
from pjreg_cli.config.observers import HookSettings, HttpSettings, PrometheusSettings
from pjreg_cli.config.other_files import (
    ConsoleSettings,
    PjregSettings,
    Resolver,
    StatsdSettings,
)
from pjreg_cli.config.secrets import masked_uri
from pjreg_cli.config.types import (
    NO_SECRET,
    Algorithms,
    Boolean,
    Digests,
    Names,
    Networks,
    Number,
    Retries,
    ServiceClass,
    Signed,
    Word,
    inert,
    option,
)

__all__ = [
    "Auth",
    "ConsoleSettings",
    "Global",
    "HookSettings",
    "HttpSettings",
    "ManagerAccount",
    "ManagerSettings",
    "PjregSettings",
    "PrometheusSettings",
    "Registration",
    "Resolver",
    "StatsdSettings",
    "System",
    "Transport",
]


@frozen
class Registration:
    """A registration of one AOR at one registrar.

    Keeps a binding alive at a registrar: a REGISTER is sent some time after the start and again
    before each binding runs out, until it is told to stop.
    """

    name: str
    source: str = field(compare=False)
    """`file:line` of the section; a section that has only moved is the same."""
    wizard: str = ""
    """The name of the wizard that made it; empty for a section of its own."""
    auth_rejection_permanent: Boolean = option(
        True,
        "Give up when the registrar does not accept our credentials",
        "With `no` a refused answer to a challenge is tried again after retry_interval, as long as"
        " max_retries allows; useful with registrars that refuse now and then without reason.",
    )
    client_uri: str = option(
        "",
        "The address of record to register (required)",
        "Stands in To and From, without its port.  A `sip:` or `sips:` URI of at most 511"
        " characters; semicolons in it are written `\\;`.",
    )
    contact_header_params: str = option(
        "", "Parameters put behind the Contact", "For instance `+sip.instance` or `reg-id`."
    )
    contact_user: str = option(
        "",
        "The user part of the Contact",
        "What calls to us are addressed to; `s` on the wire when it is empty.",
    )
    endpoint: str = option(
        "",
        "The endpoint that calls on this line belong to",
        "Only together with line=yes, and required then.  It need not exist here.",
    )
    expiration: Number = option(
        3600,
        "The lifetime to ask for, in seconds",
        "The registrar may grant less, and less is what counts.  0 is refused.",
    )
    fatal_retry_interval: Number = option(
        0,
        "Seconds until the next try after a final failure",
        "For answers that normally end the registration for good.  0: no further try.",
    )
    forbidden_retry_interval: Number = option(
        0,
        "Seconds until the next try after a 403",
        "0 treats 403 like every other final failure.",
    )
    line: Boolean = option(
        False,
        "Mark the Contact with a `line` parameter",
        "A random token in the Contact tells which registration an incoming request came by.",
    )
    max_random_initial_delay: Number = option(
        10,
        "Upper end of the random delay before the first REGISTER, in seconds",
        "The first attempt is made one second later than a random number below this; it keeps many"
        " registrations from starting at once.",
    )
    max_retries: Retries = option(
        10,
        "How many failed attempts in a row are followed by another one",
        "0: the first failure is final.  `forever`, which only this program knows: it never gives"
        " up (`config.types.FOREVER`).",
    )
    outbound_auth: Names = option(
        (),
        "Auth sections that may answer challenges",
        "Names separated by commas.  Names without a section are passed over.",
    )
    outbound_proxy: str = option(
        "",
        "Where requests go instead of to server_uri",
        "A full SIP URI, with `\\;lr` for loose routing: without the backslash the rest of the line"
        " is a comment, and the proxy is then treated as a strict router.",
    )
    retry_interval: Number = option(
        60,
        "Seconds until the next try after a temporary failure",
        "Also the pause after no answer at all.  0 makes temporary failures final.",
    )
    security_mechanisms: Names = option(
        (),
        "Security mechanisms to offer",
        "Sent in Security-Client when security_negotiation is on; separated by commas,"
        " semicolons written `\\;`.",
    )
    security_negotiation: Word = option(
        "no",
        "How to agree on media security with the registrar",
        "`mediasec` or `no`.",
    )
    server_uri: str = option(
        "",
        "The registrar to send REGISTER to (required)",
        "A `sip:` or `sips:` URI of at most 511 characters.  Without a port the name is looked up"
        " by NAPTR and SRV.  Semicolons in it are written `\\;`.",
    )
    support_outbound: Boolean = option(
        False, "Name `outbound` in Supported", "Tells the registrar that we know RFC 5626."
    )
    support_path: Boolean = option(
        False, "Name `path` in Supported", "Tells the registrar that we know RFC 3327."
    )
    transport: str = option(
        "",
        "The transport section to send by",
        "Without it the first transport of the kind the server_uri needs is used; a name that does"
        " not exist is ignored.",
    )
    user_agent: str = option(
        "", "User-Agent of this registration", "Empty: that of the global section."
    )

    def __repr__(self) -> str:
        """All options, but for passwords in URIs: it may end up in a log."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        shown = (
            f"{name}={masked_uri(value) if isinstance(value, str) else value!r}"
            for name, value in values
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@frozen
class Auth:
    """Credentials for answering digest challenges.

    Needs a username, and for every algorithm it allows a password or a ready-made digest.
    """

    name: str
    source: str = field(compare=False)
    """`file:line` of the section; a section that has only moved is the same."""
    wizard: str = ""
    """The name of the wizard that made it."""
    auth_type: str = option(
        "userpass",
        "What kind of secret the section holds",
        "`userpass` and `digest` mean the same, `md5` uses md5_cred, `google_oauth` is read but"
        " never used to register.",
    )
    md5_cred: SecretStr = option(
        NO_SECRET, "MD5 of `username:realm:password`", "For auth_type=md5; 32 hexadecimal digits."
    )
    nonce_lifetime: Number = inert(
        32, "Lifetime of nonces we hand out, in seconds", "Not used for registrations."
    )
    oauth_clientid: str = inert("", "Client id for OAuth", "Not used for registrations.")
    oauth_secret: SecretStr = inert(NO_SECRET, "Client secret for OAuth", "Not used here.")
    password: SecretStr = option(NO_SECRET, "The password in clear", "Serves every algorithm.")
    password_file: str = option(
        "",
        "A file with the password in its first line",
        "Asterisk knows no such option: put it into a file of its own that only we include. A"
        " relative path begins where that file is; $CREDENTIALS_DIRECTORY/NAME is a credential of"
        " systemd. Read again at a reload.",
    )
    password_env: str = option(
        "", "A variable of the environment with the password", "As password_file."
    )
    password_digest: Digests = option(
        (),
        "A digest instead of the password, as `ALGORITHM:HEX`",
        "The hash of `username:realm:password`; may be given once for each algorithm.",
    )
    realm: str = option(
        "",
        "The realm this section is for",
        "Empty or `*` fits every realm; an exact one is preferred.  Letter case does not matter.",
    )
    refresh_token: SecretStr = inert(NO_SECRET, "Refresh token for OAuth", "Not used here.")
    supported_algorithms_uac: Algorithms = option(
        ("MD5",),
        "Digest algorithms we answer challenges with",
        "MD5, SHA-256, SHA-512-256, separated by commas.",
    )
    supported_algorithms_uas: Algorithms = inert(
        ("MD5",),
        "Digest algorithms we challenge others with",
        "Not used for registrations, yet the section is refused when it has no secret for one of"
        " them.",
    )
    username: str = option("", "The user name to authenticate as (required)")


@frozen
class Transport:
    """A local address to send from and listen on.

    One for each protocol and address family that registrations need.
    """

    name: str
    source: str = field(compare=False)
    """`file:line` of the section; a section that has only moved is the same."""
    host: str
    """The address of `bind`, numeric, IPv6 without brackets."""
    port: Number
    """The port of `bind`: 5060 (TLS and WSS 5061) without one."""
    allow_reload: Boolean = option(
        False,
        "Whether a reload may change this transport",
        "Without it a changed section has to wait for a restart.",
    )
    allow_wildcard_certs: Boolean = option(
        False, "Accept certificates for `*.domain`", "TLS only; goes with verify_server."
    )
    async_operations: Number = inert(1, "Reads under way at once")
    bind: str = option("", "Local address, with or without a port (required)")
    ca_list_file: str = option("", "File with the authorities to trust (TLS)")
    ca_list_path: str = option("", "Directory with the authorities to trust (TLS)")
    cert_file: str = option("", "File with our certificate (TLS)")
    cipher: Names = option((), "Ciphers to offer, separated by commas (TLS)")
    cos: Number = option(0, "Class of service of outgoing packets, 0 to 7")
    domain: str = inert("", "Domain this transport belongs to")
    external_media_address: str = inert("", "Address for media behind NAT", "Calls only.")
    external_signaling_address: str = option(
        "",
        "Address that Contact and Via name instead of the local one",
        "Not for registrars inside a local_net.  A host name is looked up.",
    )
    external_signaling_hostname: str = inert(
        "", "Host name to use instead of external_signaling_address", ""
    )
    external_signaling_port: Number = option(
        0, "Port that goes with external_signaling_address", "0: the local one."
    )
    local_net: Networks = option(
        (),
        "Networks reached without NAT",
        "`address/length` or `address/mask`; may be given several times.",
    )
    method: Word = option(
        "unspecified",
        "TLS version",
        "`tlsv1`, `tlsv1_1`, `tlsv1_2`, `tlsv1_3`, `sslv2`, `sslv3` or `sslv23` (any).  Unset,"
        " `default` or `unspecified` offers TLS 1.2 and newer.",
    )
    password: SecretStr = option(NO_SECRET, "Password of the private key (TLS)")
    priv_key_file: str = option("", "File with our private key (TLS)")
    protocol: Word = option("udp", "`udp`, `tcp` or `tls`; `ws` and `wss` are of no use here")
    require_client_cert: Boolean = option(False, "Insist on a client's certificate (TLS server)")
    symmetric_transport: Boolean = inert(False, "Answer by the transport of the request")
    tcp_keepalive_enable: Boolean = option(False, "Let the kernel probe idle connections")
    tcp_keepalive_idle_time: Number = option(30, "Idle seconds before the first probe")
    tcp_keepalive_interval_time: Number = option(1, "Seconds between probes")
    tcp_keepalive_probe_count: Number = option(5, "Probes without answer before closing")
    tos: ServiceClass = option(
        0, "Type of service of outgoing packets", "A number, or a name such as `cs3`, `af31`, `ef`."
    )
    verify_client: Boolean = option(False, "Check a client's certificate (TLS server)")
    verify_server: Boolean = option(False, "Check the registrar's certificate and name (TLS)")
    websocket_write_timeout: Number = inert(100, "Milliseconds a WebSocket write may take")


@frozen
class Global:
    """Options for everything SIP; at most one section."""

    source: str = field(default="", compare=False)
    """`file:line` of the section; empty without one."""
    all_codecs_on_empty_reinvite: Boolean = inert(False, "Calls only")
    allow_sending_180_after_183: Boolean = inert(False, "Calls only")
    contact_expiration_check_interval: Number = inert(30, "For registrars only")
    debug: str = option("no", "Trace SIP from the start", "`yes`, `no` or a host to trace.")
    default_auth_algorithms_uac: Algorithms = option(
        ("MD5",), "Algorithms of auth sections that name none, as client"
    )
    default_auth_algorithms_uas: Algorithms = inert(
        ("MD5",), "Algorithms of auth sections that name none, as server"
    )
    default_from_user: str = inert("asterisk", "Calls only")
    default_outbound_endpoint: str = inert("default_outbound_endpoint", "Calls only")
    default_realm: str = inert("asterisk", "Realm of challenges we send")
    default_voicemail_extension: str = inert("", "Calls only")
    disable_multi_domain: Boolean = inert(False, "Calls only")
    endpoint_identifier_order: str = inert("ip,username,anonymous", "Calls only")
    ignore_uri_user_options: Boolean = inert(False, "Calls only")
    keep_alive_interval: Number = option(
        90,
        "Seconds between keep-alives on TCP and TLS connections",
        "CR LF CR LF, by one clock for all connections; 0 sends none.",
    )
    max_forwards: Number = option(70, "Max-Forwards of our requests")
    max_initial_qualify_time: Number = inert(0, "Calls only")
    mwi_disable_initial_unsolicited: Boolean = inert(False, "Voicemail only")
    mwi_tps_queue_high: Number = inert(500, "Voicemail only")
    mwi_tps_queue_low: Signed = inert(-1, "Voicemail only")
    norefersub: Boolean = inert(True, "Calls only")
    regcontext: str = inert("", "For registrars only")
    send_contact_status_on_update_registration: Boolean = inert(False, "For registrars only")
    taskprocessor_overload_trigger: Word = inert("global", "Of no use here")
    unidentified_request_count: Number = inert(5, "Of no use here")
    unidentified_request_period: Number = inert(5, "Of no use here")
    unidentified_request_prune_interval: Number = inert(30, "Of no use here")
    use_callerid_contact: Boolean = inert(False, "Calls only")
    user_agent: str = option("", "User-Agent of our requests", "Empty: our own name and version.")


@frozen
class System:
    """Options of the SIP stack, read at the start; at most one section."""

    source: str = field(default="", compare=False)
    """`file:line` of the section; empty without one."""
    accept_multiple_sdp_answers: Boolean = inert(False, "Calls only")
    compact_headers: Boolean = option(False, "Write the short forms of header names")
    disable_rport: Boolean = option(False, "Leave `rport` out of Via")
    disable_tcp_switch: Boolean = option(True, "Keep large requests on UDP")
    follow_early_media_fork: Boolean = inert(True, "Calls only")
    taskpool_auto_increment: Number = inert(1, "Of no use here")
    taskpool_idle_timeout: Number = inert(60, "Of no use here")
    taskpool_initial_size: Number = inert(4, "Of no use here")
    taskpool_max_size: Number = inert(50, "Of no use here")
    taskpool_minimum_size: Number = inert(4, "Of no use here")
    threadpool_auto_increment: Number = inert(1, "Of no use here")
    threadpool_idle_timeout: Number = inert(60, "Of no use here")
    threadpool_initial_size: Number = inert(4, "Of no use here")
    threadpool_max_size: Number = inert(50, "Of no use here")
    timer_b: Number = option(
        32000,
        "Milliseconds until an unanswered request has failed",
        "Never less than 64 times timer_t1.",
    )
    timer_t1: Number = option(
        500,
        "Milliseconds until the first retransmission over UDP",
        "At least 100; the gap doubles up to 4 s.",
    )
