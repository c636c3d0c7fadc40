"""Pages and routes of files: upload, the template, and the files of releases."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from sootprint.charts.scale import MASS
from sootprint.core.errors import SootprintError
from sootprint.hub import caching, forms
from sootprint.hub.files import dumps, uploads
from sootprint.hub.files.uploads import Uploaded
from sootprint.hub.problems import NotFoundError, status_of
from sootprint.hub.rendering import form_page
from sootprint.hub.requests import NotAllowedError, caller, hub_of
from sootprint.importers import FORMATS, SAYS
from sootprint.importers.template import COLUMNS, empty
from sootprint.report import figures

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
}
MEDIA |= {"json": "application/json"}


@router.get("/upload")
def upload_page(request: Request) -> Response:
    """The form that takes files."""
    return _page(request, {}, [])


@router.post("/upload")
async def upload(request: Request) -> Response:
    """Look at files, or publish what they hold."""
    hub = hub_of(request)
    given, files = await uploads.parts_of(request)
    if not forms.is_sealed(hub, request, given):
        raise NotAllowedError("this form is not of this browser: load its page and send it again", 403)
    try:
        actor = None
        if given.get("do") == "publish":
            actor = await run_in_threadpool(forms.actor_of, request, given)
        async with hub.at_work.held(sum(len(content) for _, content in files), caller(request.scope)):
            found = await run_in_threadpool(uploads.taken, hub, given, files, actor=actor)
    except SootprintError as err:
        return await run_in_threadpool(
            _page, request, given, [], problem=err.elsewhere, status=status_of(err)
        )
    status = 400 if all(one.problem for one in found) else 200
    return await run_in_threadpool(_page, request, given, found, status=status)


@router.get("/template.csv")
def template() -> Response:
    """The empty table with an example."""
    headers = {"content-disposition": 'attachment; filename="sootprint-template.csv"'}
    return Response(empty(), media_type=MEDIA["csv"], headers=headers)


@router.get("/releases/{tag}/{name}")
def release_file(request: Request, tag: str, name: str) -> Response:
    """A file of a release."""
    path = dumps.file_of(hub_of(request).releases, tag, name)
    if path is None:
        raise NotFoundError(f"there is no file {name[:60]!r} of a release {tag[:40]!r}")
    kind = MEDIA.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
    made = FileResponse(path, media_type=kind, filename=f"sootprint-{tag}-{name}")
    told = path.stat()
    return caching.kept(request, made, caching.HOUR, tag=f"{tag}-{told.st_size:x}-{told.st_mtime_ns:x}")


@api.get("/releases")
def releases(request: Request) -> dict[str, Any]:
    """Dated releases of all records, the newest first, with the addresses and sizes of their files."""
    hub = hub_of(request)
    return {
        "items": [
            {
                **one.about,
                "files": [
                    {"name": name, "bytes": size, "url": f"{hub.address}/releases/{one.tag}/{name}"}
                    for name, size in one.sizes.items()
                ],
            }
            for one in dumps.listed(hub.releases)
        ]
    }


def _page(
    request: Request,
    given: dict[str, str],
    found: list[Uploaded],
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    return form_page(
        request,
        "upload.html",
        status=status,
        given=given,
        problem=problem,
        found=[(one, _rows(one)) for one in found],
        most=uploads.MOST_SHOWN,
        most_files=uploads.MOST_FILES,
        formats={name: SAYS[name] for name in FORMATS},
        columns=COLUMNS,
    )


def _rows(found: Uploaded) -> list[dict[str, Any]]:
    """The first records as a page lists them."""
    listed = []
    for record, said in zip(found.records, found.previews, strict=False):
        claimed, ratio = record.emissions_kg, said["emissions_ratio"]
        listed.append(
            {
                "id": record.id,
                "title": record.name or f"Run {record.id[-8:]}",
                "claimed": figures.amount(claimed, MASS) if claimed else figures.NOT_KNOWN,
                "ratio": figures.NOT_KNOWN if ratio is None else f"{figures.number(ratio)} ×",
                "grade": said["grade_counted"],
                "notes": [*said["marks"], *record.warnings],
            }
        )
    return listed
