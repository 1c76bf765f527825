"""The content security policy of the frame in which a visitor's page is replayed.

Pure: no Django. The page comes from a visitor's browser, which may be hostile. Its inner frame is
sandboxed without scripts; it inherits this policy, so that nothing is executed or fetched even if
the sandbox had a hole.
"""

from __future__ import annotations

from collections.abc import Sequence


def policy_of(*, scripts: Sequence[str], styles: Sequence[str], pictures: Sequence[str]) -> str:
    """``scripts`` and ``styles`` are the exact addresses of ours; ``pictures`` are the hosts from
    which the website lets agents load pictures, fonts and styles."""
    fetched = [" ".join([name, *sources, *pictures]) for name, sources in _FETCHED.items()]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src", *scripts]),
            " ".join(["style-src", "'unsafe-inline'", *styles, *pictures]),
            *fetched,
            "connect-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        ]
    )


_FETCHED = {"img-src": ["data:"], "font-src": ["data:"]}
