"""Style, scripts and icons, under one address that changes whenever one of them does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

from ..routing import AdminRoute

FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOLDER = Path(__file__).parent.parent / "static"

router = APIRouter(route_class=AdminRoute)


@dataclass(frozen=True, slots=True)
class Bundle:
    """All static files by name, and the hash of them all."""

    files: dict[str, bytes]
    digest: str


@cache
def bundle() -> Bundle:
    """The files of this version, read once."""
    paths = sorted(path for path in _FOLDER.rglob("*") if path.suffix in MEDIA_TYPES)
    files = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in paths}
    digest = sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Bundle(files, digest.hexdigest()[:16])


@router.get("/dashboard/assets/{digest}/{name:path}", include_in_schema=False)
async def get_asset(digest: str, name: str) -> Response:
    """A static file, to be kept forever under this address."""
    served = bundle()
    if digest != served.digest or name not in served.files:
        raise HTTPException(404, "no such file")
    media_type = MEDIA_TYPES[Path(name).suffix]
    return Response(served.files[name], media_type=media_type, headers={"Cache-Control": FOREVER})
