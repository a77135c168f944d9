"""The catalogue: its page, its codes, and a test that provokes each of them."""

from __future__ import annotations

import ast
from pathlib import Path

from pjreg_cli.why.document import codes, document
from pjreg_cli.why.state import CATALOGUE
from tests.support.golden import Golden

ROOT = Path(__file__).parents[3]

#: the codes that scripts may rely on
# fmt: off
STABLE = [
    "fine", "waiting", "under-way", "config-refused", "unknown-name", "auth-section-missing",
    "auth-section-refused", "transport-missing", "transport-not-open", "name-not-found",
    "no-address", "name-server-silent", "name-server-failed", "srv-target-missing", "no-service",
    "refused", "unreachable", "connect-timeout", "silent", "connection-lost",
    "closes-after-answer", "all-targets-failed", "not-sip", "tls-unknown-issuer",
    "tls-self-signed", "tls-expired", "tls-not-yet-valid", "tls-wrong-name", "tls-too-old",
    "tls-client-certificate", "tls-not-spoken", "tls-expected", "no-credentials", "realm-unknown",
    "algorithm-not-allowed", "qop-unsupported", "wrong-password", "nonce-loop",
    "forbidden-at-once", "forbidden-with-credentials", "account-unknown", "not-a-registrar",
    "bad-request", "extension-required", "too-brief", "security-agreement", "busy", "loop",
    "moved", "overloaded", "proxy-failed", "server-error", "refused-otherwise", "granted-nothing",
    "contact-missing", "retries-used-up", "stopped-by-operator", "unregister-refused",
    "contact-rewritten", "behind-nat", "shorter-grant", "other-bindings", "answer-from-elsewhere",
    "first-target-down", "same-account-twice", "certificate-ends-soon", "retransmissions", "slow",
    "flapping", "owned-elsewhere", "holding",
]
# fmt: on


def test_troubleshooting_page_is_generated_and_not_stale(golden: Golden) -> None:
    golden.check(Path("docs/troubleshooting.md"), document())


def test_codes_are_stable() -> None:
    assert sorted(codes()) == sorted(STABLE)


def test_every_cause_is_explained() -> None:
    for row in CATALOGUE:
        assert row.when.__doc__
        assert row.says.__doc__
        assert row.fix.__doc__


def provoked() -> set[str]:
    """The codes that tests with real servers ask for by `found` and `noted`."""
    found: set[str] = set()
    for test in sorted((ROOT / "tests/loop").glob("test_why_*.py")):
        for node in ast.walk(ast.parse(test.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = node.func.id in ("found", "noted")
                code = node.args[1] if called and len(node.args) > 1 else None
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
            elif isinstance(node, ast.Tuple):
                # rows of a parametrised test
                found |= {str(one.value) for one in node.elts if isinstance(one, ast.Constant)}
    return found


def test_every_code_is_provoked_for_real() -> None:
    assert sorted(set(codes()) - provoked()) == []
