#!/bin/sh
# Install the Debian packages that the tests use, if we may; say so if we may not.
set -u

missing=
for pair in kamailio:kamailio sipp:sip-tester tshark:tshark ip:iproute2 nft:nftables tmux:tmux \
    openssl:openssl zsh:zsh fish:fish groff:groff-base systemd-analyze:systemd; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
ls /usr/lib/*/kamailio/modules/tls.so >/dev/null 2>&1 || missing="$missing kamailio-tls-modules"
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "Not installed, and not a Debian system:$missing. The tests that need them are skipped."
elif [ "$(id -u)" -ne 0 ]; then
    echo "Not installed, and only root may:$missing. The tests that need them are skipped;"
    echo "to have them run: apt-get install$missing"
else
    echo "Installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } >/dev/null ||
        echo "apt-get failed:$missing. The tests that need them are skipped."
fi
exit 0
