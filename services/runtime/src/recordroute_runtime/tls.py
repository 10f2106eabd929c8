"""TLS of servers and of the calls that services make to one another; mTLS where both have certificates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from recordroute_runtime.settings import CommonSettings, ServerSettings, SettingsError


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from error


def server_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """Returns what a server proves itself with, or None where it serves without TLS.

    With `tls_ca` clients must show a certificate that one of these authorities has signed. The files are read again
    for each new connection once they have changed: certificates are renewed without a restart, and what can't be read
    then leaves the ones before in force. Raises SettingsError.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    paths = [settings.tls_cert, settings.tls_key, *([settings.tls_ca] if settings.tls_ca else [])]

    def versions() -> list[tuple[int, int]]:
        return [(path.stat().st_mtime_ns, path.stat().st_ino) for path in paths]

    def configuration() -> grpc.ServerCertificateConfiguration:
        certificate, key, *authorities = (_read(path) for path in paths)
        return grpc.ssl_server_certificate_configuration(
            [(key, certificate)], root_certificates=authorities[0] if authorities else None
        )

    try:
        known = versions()
    except OSError as error:
        raise SettingsError(f"{error.filename} can't be read: {error.strerror}") from error
    first = configuration()

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal known
        try:
            now = versions()
            if now == known:
                return None
            fresh = configuration()
        except (OSError, SettingsError):
            # In the middle of being replaced: the next connection looks again.
            return None
        known = now
        return fresh

    return grpc.dynamic_ssl_server_credentials(
        first,
        renewed,  # type: ignore[arg-type] # None, for "as before", is missing in the stubs
        require_client_authentication=settings.tls_ca is not None,
    )


@dataclass(frozen=True)
class ClientTls:
    """What a client trusts (`authorities`, PEM; None: the system's) and shows (`certificate` and `key`, PEM)."""

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Returns them for a channel."""
        return grpc.ssl_channel_credentials(self.authorities, self.key, self.certificate)


def peer_tls(common: CommonSettings) -> ClientTls | None:
    """Returns the TLS of calls to other services, or None where they are made without. Raises SettingsError."""
    if common.peer_tls_ca is None:
        return None
    certificate, key = common.peer_tls_cert, common.peer_tls_key
    return ClientTls(
        authorities=_read(common.peer_tls_ca),
        certificate=_read(certificate) if certificate else None,
        key=_read(key) if key else None,
    )
