"""Why no answer came, in words: nobody listens, it took too long, a certificate is not trusted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from miscope.remote.remote_errors import Unreachable

if TYPE_CHECKING:
    import httpx

    from miscope.remote.address import Address

__all__ = ["unreachable"]

_TRUST = "Have the certificate trusted here (the variable SSL_CERT_FILE names a file of those that are)."
_NO_TLS = "Does it answer to https:// at all? `miscope serve` itself answers to http://."


def unreachable(address: Address, error: httpx.RequestError, *, unsure: bool = False) -> Unreachable:
    """The error for a request that nothing came back of; unsure: as of `Unreachable`."""
    import httpx

    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        reason = f"It did not come within {address.seconds:g} seconds"
        return Unreachable(address.url, reason, unsure=unsure)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"Its certificate is not trusted: {cause.verify_message}"
            return Unreachable(address.url, reason, advice=_TRUST, unsure=unsure)
        if isinstance(cause, ssl.SSLError):
            return Unreachable(address.url, str(error).rstrip("."), advice=_NO_TLS, unsure=unsure)
    reason = str(error).rstrip(".") or ("Nobody listens there" if isinstance(error, httpx.ConnectTimeout) else "")
    return Unreachable(address.url, reason, unsure=unsure)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
