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
from tests.support.instance import Instance, run
from tests.support.ports import free_port
from tests.support.registrar import REALM, Registrar, protected
from tests.support.waiting import becomes

pytestmark = pytest.mark.timeout(120)

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
"""


def other_files(ami: int, folder: Path) -> dict[str, str]:
    return {
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
registry_detail=yes
keep_nonce=yes
resume=yes
""",
    }


def commands(instance: Instance) -> list[str]:
    """All commands that show something, with what they may be asked about."""
    helped = instance.ask("core show help").out.splitlines()
    known = [line.partition(" -- ")[0].strip() for line in helped if " -- " in line]
    harmless = [
        line for line in known if not any(word in line for word in ("stop", "restart", "{", "["))
    ]
    names = [f"pjsip show auth a{number}" for number in range(1, 11)]
    names += [
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
        *(f"Command\r\nCommand: pjsip show auth a{number}" for number in range(1, 11)),
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


def test_nothing_that_comes_out_holds_a_secret(home: Path) -> None:
    let = Let()
    ami = free_port()
    with in_background(Registrar.open()) as registrar:
        registrar.script("u1", protected(SECRETS["password"], username="u1"))
        text = pjsip_conf(registrar.port, home)
        instance = Instance(home, text)
        for name, content in other_files(ami, home).items():
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
            for line in commands(instance):
                for more in ((), ("--json",)):
                    done = instance.ask(line, *more)
                    let.note(f"{line} {' '.join(more)}", done.out + done.err)
            let.note("AMI", ask_ami(ami))
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
    let.note("the capture", (home / "x.pcap").read_bytes())
    for path in (home / "state").rglob("*"):
        if path.is_file():
            let.note(f"state: {path.name}", path.read_bytes())
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

    shows = ["auths", "registrations", *(f"auth a{number}" for number in range(1, 11))]
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
