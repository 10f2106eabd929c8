"""Addresses to listen on, and who reaches them."""

from __future__ import annotations

import ipaddress


def host_of(listen: str) -> str:
    """Returns the host of `host:port`, without the brackets of an IPv6 address; empty for a unix socket."""
    if listen.startswith(("unix:", "unix-abstract:")):
        return ""
    return listen.rpartition(":")[0].removeprefix("[").removesuffix("]")


def is_local(listen: str) -> bool:
    """Whether only processes of this machine reach the address: a unix socket, or loopback.

    Names other than `localhost` are not looked up: they may lead elsewhere tomorrow.
    """
    if listen.startswith(("unix:", "unix-abstract:")):
        return True
    host = host_of(listen)
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
