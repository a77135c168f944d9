"""Secrets are planted, and everything that a program can let out is searched for them."""

from __future__ import annotations

import base64
import hashlib
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pjreg_cli.config.load import load
from tests.support.background import in_background
from tests.support.certificates import self_signed
from tests.support.instance import PROGRAM, Instance, environment, run
from tests.support.ports import free_port
from tests.support.registrar import REALM, Registrar, protected
from tests.support.terminal import Terminal
from tests.support.waiting import becomes

SECRETS = {
    "password": "S3cretAuthPw77",
    "password that was changed": "ChangedAuthPw78",
    "md5_cred": hashlib.md5(b"u2:realm:xx").hexdigest(),
    "password_digest": hashlib.sha256(b"u3:realm:yy").hexdigest(),
    "oauth_secret": "OAuthSecr88",
    "refresh_token": "RefrTok99Zz",
    "password of a key": "TlsKeyPw66",
    "password of a wizard": "WizPw5544x",
    "secret of AMI": "MgrSecret321",
    "other secret of AMI": "MgrOther654",
    "behind a semicolon": "RestOfPw12x",
    "misspelt option": "TypoPw4242x",
    "line without equals sign": "NoEqualsPw13",
    "digest that is none": "zz" + "11" * 15,
    "appended": "AppendPw25x",
    "template": "TmplPw23xyz",
    "misspelt option of a wizard": "WizUnk24xyz",
    "password in a URI": "UriPw26client",
    "password in the URI of a proxy": "UriPw27proxy",
    "password of a file": "FilePw28xyz",
    "password of metrics": "PromPw29xyz",
    "misspelt password of metrics": "PromUnk30xyz",
    "password of a database": "DbPw31xyz",
}


@dataclass
class Let:
    """All that came out, by what let it out."""

    out: dict[str, bytes] = field(default_factory=dict)

    def note(self, what: str, text: str | bytes) -> None:
        """Keep it."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        self.out[what] = self.out.get(what, b"") + data

    def leaks(self) -> list[str]:
        """Which secret was let out by what, in any of the usual spellings."""
        found = []
        secrets = dict(SECRETS)
        plain = f"u1:{REALM}:{SECRETS['password']}"
        secrets["HA1 of the password"] = hashlib.md5(plain.encode()).hexdigest()
        for name, secret in secrets.items():
            coded = base64.b64encode(secret.encode()).rstrip(b"=")
            forms = (
                secret.encode(),
                coded,
                secret.encode().hex().encode(),
                secret.upper().encode(),
            )
            found += [
                f"{name}: {what}"
                for what, data in self.out.items()
                if any(form in data for form in forms)
            ]
        return found


def pjsip_conf(registrar: int, folder: Path) -> str:
    made = self_signed(folder, "tls", "IP:127.0.0.1")
    server = f"sip:127.0.0.1:{registrar}"
    return f"""\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{free_port()}
[tls]
type=transport
protocol=tls
bind=127.0.0.1:{free_port()}
cert_file={made.certificate}
priv_key_file={made.key}
password={SECRETS["password of a key"]}
[a1]
type=auth
username=u1
password={SECRETS["password"]}
[a2]
type=auth
auth_type=md5
username=u2
realm=realm
md5_cred={SECRETS["md5_cred"]}
[a3]
type=auth
auth_type=digest
username=u3
password=x
password_digest=SHA-256:{SECRETS["password_digest"]}
[a4]
type=auth
auth_type=google_oauth
oauth_clientid=cid
oauth_secret={SECRETS["oauth_secret"]}
refresh_token={SECRETS["refresh_token"]}
[a5]
type=auth
username=u5
password=first;{SECRETS["behind a semicolon"]}
[a6]
type=auth
username=u6
pasword={SECRETS["misspelt option"]}
[a7]
type=auth
username=u7
password=x
{SECRETS["line without equals sign"]}
[a8]
type=auth
username=u8
password_digest=SHA-256:{SECRETS["digest that is none"]}
[t](!)
type=auth
password={SECRETS["template"]}
[a9](t)
usernam=u9
[a10]
type=auth
username=u10
password=ab
password+={SECRETS["appended"]}
[u1]
type=registration
server_uri={server}
client_uri=sip:u1@example.com
outbound_auth=a1
max_random_initial_delay=0
[gone]
type=registration
server_uri=sip:nowhere.invalid:5060
client_uri=sip:gone@example.com
outbound_auth=a2,nosuch
max_random_initial_delay=0
[a11]
type=auth
username=u11
#tryinclude pjreg_secrets.conf
[u2]
type=registration
server_uri=sip:x:{SECRETS["password in a URI"]}@127.0.0.1:{registrar}
client_uri=sip:u2:{SECRETS["password in a URI"]}@example.com
outbound_proxy=sip:px:{SECRETS["password in the URI of a proxy"]}@127.0.0.1:{registrar}\\;lr
max_random_initial_delay=0
"""


def other_files(ami: int, folder: Path, http: int = 9, form: str = "text") -> dict[str, str]:
    return {
        "pjreg_secrets.conf": "[a11](+)\npassword_file=office.secret\n",
        "office.secret": SECRETS["password of a file"] + "\n",
        "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={http}\n",
        "prometheus.conf": f"""\
[general]
enabled=yes
auth_username=p
auth_password={SECRETS["password of metrics"]}
auth_pasword={SECRETS["misspelt password of metrics"]}
""",
        "pjsip_wizard.conf": f"""\
[w]
type=wizard
sends_auth=yes
sends_registrations=yes
remote_hosts=127.0.0.1:9
outbound_auth/username=wu
outbound_auth/password={SECRETS["password of a wizard"]}
outbound_auth/pasword={SECRETS["misspelt option of a wizard"]}
""",
        "manager.conf": f"""\
[general]
enabled=yes
bindaddr=127.0.0.1
port={ami}
[admin]
secret={SECRETS["secret of AMI"]}
read=all
write=all
[bob]
sekret={SECRETS["other secret of AMI"]}
secret={SECRETS["other secret of AMI"]}
read=all
""",
        "pjreg.conf": f"""\
[general]
log_file={folder / "debug.log"}
log_level=debug
log_format={form}
registry_detail=yes
keep_nonce=yes
resume=yes
[hooks]
on_change=sh -c "env >> {folder}/hooked"
""",
    }


def commands(instance: Instance) -> list[str]:
    """All commands that show something, with what they may be asked about."""
    helped = instance.ask("core show help").out.splitlines()
    known = [line.partition(" -- ")[0].strip() for line in helped if " -- " in line]
    harmless = [
        line for line in known if not any(word in line for word in ("stop", "restart", "{", "["))
    ]
    names = [f"pjsip show auth a{number}" for number in range(1, 12)]
    names += [
        "pjreg explain u1", "pjreg explain u2", "pjreg history u1", "pjreg ladder u1",
        "pjreg health", "pjsip show registration u2", "pjreg status u2", "pjreg check",
        "pjsip show auth a11", "config show help res_pjsip auth password",
        "pjsip show registration u1", "pjsip show registration gone", "pjreg status u1",
        "pjreg status gone", "pjreg explain gone", "pjsip show transport tls", "pjsip show history",
        "manager show user admin", "manager show user bob", "pjreg reload plan",
    ]  # fmt: skip
    entries = [f"pjsip show history entry {number}" for number in range(12)]
    return [*harmless, *names, *entries]


def ask_ami(port: int) -> bytes:
    """Log in, ask for everything."""
    heard = b""
    actions = (
        f"Login\r\nUsername: admin\r\nSecret: {SECRETS['secret of AMI']}",
        "Login\r\nUsername: bob\r\nSecret: wrong",
        "PJSIPShowRegistrationsOutbound", "PJSIPShowAuths", "ListCommands", "CoreSettings",
        "CoreStatus", "PJSIPRegister\r\nRegistration: u1",
        *(f"Command\r\nCommand: pjsip show auth a{number}" for number in range(1, 12)),
        "Command\r\nCommand: manager show user admin", "GetConfig\r\nFilename: pjsip.conf",
        "Logoff",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", port)) as made:
        made.settimeout(30)
        for action in actions:
            made.sendall(f"Action: {action}\r\n\r\n".encode())
        while data := made.recv(65_536):
            heard += data
    assert b"Goodbye" in heard
    return heard


BROKEN = (
    "[x\npassword={}\n", "[{}\n", "password={}\n[a]\n",
    "[a]\ntype=auth\nusername=u\npassword {}\n", "[a]\ntype=auth\nusername=u\npassword: {}\n",
    "[a]\ntype=auth\nusername=x\npassword=" + "x" * 8200 + "{}\n",
    "[a]\ntype=auth\nusername=u\nauth_type=md5\nmd5_cred={}\n",
)  # fmt: skip


def ask_metrics(port: int) -> bytes:
    """With and without the right to them."""
    heard = b""
    pair = base64.b64encode(f"p:{SECRETS['password of metrics']}".encode()).decode()
    for right in ("", f"Authorization: Basic {pair}\r\n", "Authorization: Basic eDp5\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as made:
            made.settimeout(30)
            made.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{right}\r\n".encode())
            while data := made.recv(65_536):
                heard += data
    assert b"200 OK" in heard
    return heard


def looked_at(instance: Instance) -> bytes:
    """What a console and the screen of `pjreg watch` show while something happens."""
    command = [*PROGRAM, "-s", str(instance.socket)]
    own = environment(instance.home)
    with (
        Terminal([*command, "-rvvvvv"], environment=own, columns=200) as console,
        Terminal([*command, "pjreg", "watch"], environment=own, columns=200) as watch,
    ):
        console.until("*CLI>")
        watch.until("gone")
        console.type(f"pjreg set nobody password={SECRETS['password']}\r")
        console.type("pjsip show auth a1\r")
        console.until("nonce_lifetime")
        console.type("pjsip send register u1\r")
        console.until("sip:u1@example.com")
        watch.type("\r")
        watch.until("is Rejected")
        # what was typed is shown where it was typed
        typed = SECRETS["password"].encode()
        return console.raw.replace(b"password=" + typed, b"") + watch.raw


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_that_comes_out_holds_a_secret(home: Path, form: str) -> None:
    let = Let()
    ami, http = free_port(), free_port()
    with in_background(Registrar.open()) as registrar:
        registrar.script("u1", protected(SECRETS["password"], username="u1"))
        text = pjsip_conf(registrar.port, home)
        instance = Instance(home, text, fresh=True)
        for name, content in other_files(ami, home, http, form).items():
            (instance.etc / name).write_text(content)
        instance.start("-vvvvv", "-ddddd")
        try:
            for line in ("pjsip set logger on", "pjsip set history on",
                         f"pjsip set logger pcap {home / 'x.pcap'}"):  # fmt: skip
                instance.ask(line)
            becomes(instance, "u1", "Registered")
            becomes(instance, "gone", "Rejected")
            instance.ask("pjsip send unregister u1")
            becomes(instance, "u1", "Unregistered")
            instance.ask("pjsip send register u1")
            becomes(instance, "u1", "Registered")
            for more in ((), ("--json",)):
                asked = [word for line in commands(instance) for word in ("-x", line)]
                done = run("-r", *more, *asked, home=home)
                let.note(" ".join(("commands", *more)), done.out + done.err)
            let.note("AMI", ask_ami(ami))
            let.note("metrics", ask_metrics(http))
            let.note("screens", looked_at(instance))
            changed = text.replace(SECRETS["password"], SECRETS["password that was changed"])
            instance.configure(changed)
            for more in ((), ("--json",)):
                done = instance.ask("pjreg reload plan", *more)
                let.note("the plan of a reload", done.out + done.err)
            instance.ask("core reload")
            for name in ("cmdline", "environ"):
                let.note(name, Path(f"/proc/{instance.pid}/{name}").read_bytes())
        finally:
            instance.stop()
    let.note("stderr", instance.log())
    let.note("the log file", (home / "debug.log").read_bytes())
    let.note("what hooks were told", (home / "hooked").read_bytes())
    let.note("the capture", (home / "x.pcap").read_bytes())
    for path in (home / "state").rglob("*"):
        if path.is_file():
            let.note(f"state: {path.name}", path.read_bytes())
    for path in (home / ".local").rglob("*"):
        if path.is_file():
            let.note(f"kept at home: {path.name}", path.read_bytes())
    assert b"PJREG_NAME=u1" in let.out["what hooks were told"]
    assert b"REGISTER" in let.out["the capture"]
    assert b"REGISTER" in let.out["stderr"]
    assert let.leaks() == []


def test_nothing_said_of_a_configuration_holds_a_secret(home: Path) -> None:
    let = Let()
    etc = home / "etc"
    etc.mkdir()
    (etc / "pjsip.conf").write_text(pjsip_conf(9, home))
    for name, content in other_files(9, home).items():
        (etc / name).write_text(content)

    def ask(*words: str, lines: str | None = None) -> None:
        done = run("-C", str(etc), "-s", str(home / "none"), *words, stdin=lines, home=home)
        let.note(" ".join(words) or "commands", done.out + done.err)
        assert lines is None or done.out.count("a10") >= 2

    shows = ["auths", "registrations", *(f"auth a{number}" for number in range(1, 12))]
    for more in ((), ("--json",)):
        ask(*more, "check", str(etc))
        ask(*more, lines="".join(f"pjsip show {what}\n" for what in shows))
    settings = load(etc)
    let.note("repr", repr(settings))
    for number, broken in enumerate(BROKEN):
        folder = home / f"broken{number}"
        folder.mkdir()
        (folder / "pjsip.conf").write_text(broken.format(SECRETS["password"]))
        let.note(broken, run("check", str(folder), home=home).out)
        let.note(f"{broken} repr", repr(load(folder)) if "[x" not in broken else "")
    assert let.leaks() == []


def test_a_traceback_holds_no_secret(home: Path) -> None:
    """Errors name what is wrong and not what it was."""
    etc = home / "etc"
    etc.mkdir()
    (etc / "pjsip.conf").write_text(pjsip_conf(9, home))
    settings = load(etc)
    let = Let()
    for auth in settings.auths.values():
        try:
            raise ValueError(auth, vars(type(auth)).keys(), f"{auth}", f"{auth!r}")
        except ValueError as error:
            let.note("traceback", repr(error))
    assert let.leaks() == []


DATABASES = (
    "host=127.0.0.1 port=1 user=me password = {}",
    "host=127.0.0.1 port=1 user=me password='{} x'",
    "host=127.0.0.1 port=1 {}",
    "host=127.0.0.1 port={}",
    "{}",
    "postgresql://me:{}@127.0.0.1:1/x?password={}",
    "postgresql://me:{}",
    "postgresql://me:a@{}@127.0.0.1:1/x",
    "postgresql://127.0.0.1:1/x?pasword={}",
)
MAPPED = {
    "sorcery.conf": "[res_pjsip]\nauth = realtime,ps_auths\n[res_pjsip_outbound_registration]\n"
    "registration = realtime,ps_registrations\n",
    "extconfig.conf": "[settings]\nps_registrations => pgsql,a\nps_auths => pgsql,a\n",
}


@pytest.mark.parametrize("location", DATABASES)
def test_a_database_that_cannot_be_reached_tells_no_password(home: Path, location: str) -> None:
    let = Let()
    secret = SECRETS["password of a database"]
    instance = Instance(
        home, f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"
    )
    for name, text in MAPPED.items():
        (instance.etc / name).write_text(text)
    url = location.replace("{}", secret)
    (instance.etc / "pjreg.conf").write_text(f"[database]\nurl = {url}\n[cluster]\nname = here\n")
    let.note("check", run("check", str(instance.etc), home=home).out)
    (instance.etc / "pjreg.conf").write_text(f"[database]\nurl = {url}\n")
    instance.start("-vvvvv", "-ddddd")
    try:
        for line in ("core reload", "pjreg reload plan", "pjreg check", "core show settings"):
            done = instance.ask(line)
            let.note(line, done.out + done.err)
    finally:
        instance.stop()
    let.note("stderr", instance.log())
    instance.says("cannot be reached")
    assert let.leaks() == []
