"""Where the documentation is, as the installed distribution says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata


def documentation(distribution: str = "fastapi-taskflow-admin") -> str | None:
    """Its address; None where nobody said: of a checkout, and of a folder that was copied.

    A release is built with the links that `hatch run bump` writes, so no address stands here.
    """
    try:
        links = metadata(distribution).get_all("Project-URL") or ()
    except PackageNotFoundError:
        return None
    named = (link.partition(", ") for link in links)
    found = (address for name, _, address in named if name == "Documentation")
    return next((address for address in found if address.startswith("https://")), None)
