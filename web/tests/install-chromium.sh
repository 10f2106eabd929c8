#!/bin/sh
# Installs Debian's Chromium where there is none, for Playwright's tests; CHROMIUM names another.
set -eu
command -v "${CHROMIUM:-chromium}" >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The browser tests need Chromium: apt-get install chromium fonts-noto-cjk, or CHROMIUM=/path/to/chromium" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null
