"""What the page can be asked, and who answers it. Names are those of the commands."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from jobs.errors import MultitrainError
from jobs.secrets import hidden
from jobs.workspace.files import modified
from jobs.workspace.requests import Order
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.serving import orders
from multitrain.serving.bodies import Refused, json_of, nothing_else, number_in, take
from multitrain.serving.clips import Clip, Clips, clip_of
from multitrain.serving.events import Streams
from multitrain.serving.guard import cookie_name
from multitrain.serving.highlights import Highlights, step_near, weights_of
from multitrain.serving.job_facts import cuts_of, facts_of, job_of, layers_of, log_of
from multitrain.serving.job_list import MOST_ROWS, MOST_TEXT, page_of
from multitrain.serving.keys import Keys, Tries, same
from multitrain.serving.media import TYPES, find
from multitrain.serving.night import Night, overview
from multitrain.serving.programs import Programs
from multitrain.serving.shared import Shared
from multitrain.serving.sheets import Sheets
from multitrain.serving.stars import Stars

STATIC = Path(__file__).parent / "static"
COOKIE_SECONDS = 30 * 86_400
MOST_START = 10**9

Answering = Callable[[Request], Awaitable[Response]]


class Json(JSONResponse):
    """JSON in ASCII: names of files may hold what is no text."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Page:
    """Answers requests that the guard has let through."""

    night: Night
    keys: Keys
    port: int
    programs: Programs
    sheets: Sheets
    stars: Stars
    highlights: Highlights
    clips: Clips
    streams: Streams
    tries: Tries
    tables: Shared
    version: str

    # --- looking -------------------------------------------------------------------------------

    async def index(self, _: Request) -> Response:
        """The page itself."""
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def session(self, _: Request) -> Response:
        """Whose page it is."""
        return Json({"workspace": str(self.night.workspace.root), "version": self.version})

    async def events(self, _: Request) -> Response:
        """The stream of events."""
        if self.streams.is_full:
            raise Refused(503, "too many pages are open")
        return EventSourceResponse(self.streams.events(), ping=15)

    async def overview(self, _: Request) -> Response:
        """What a stream tells, once."""
        return Json(await run_in_threadpool(overview, self.night))

    async def status(self, request: Request) -> Response:
        """A page of the table of jobs."""
        query = request.query_params
        states = [each for each in query.get("state", "").split(",") if each]
        if not {*states} <= {str(each) for each in State}:
            raise Refused(400, "there is no such state")
        text = query.get("text", "")
        if len(text) > MOST_TEXT:
            raise Refused(400, "that is too long to be searched for")
        start = number_in(query.get("start"), 0, MOST_START, 0)
        count = number_in(query.get("count"), 1, MOST_ROWS, 100)

        def look() -> bytes:
            stars = self.stars.names()
            page = page_of(
                self.night,
                states=states,
                text=text,
                only=stars if query.get("starred") else None,
                newest="newest" in query,
                start=start,
                count=count,
            )
            for job in page["jobs"]:
                job["is_starred"] = job["name"] in stars
            return bytes(Json(page).body)

        await run_in_threadpool(self.night.jobs)
        state = self.night.version, modified(self.night.workspace.stars), str(query)
        body = self.tables.get(state)
        if body is None:
            body = await run_in_threadpool(look)
            self.tables.keep(state, body)
        return Response(body, media_type="application/json")

    async def job(self, request: Request) -> Response:
        """All of one job but its layers, timecuts and log."""
        row = await self._row(request)

        def look() -> dict[str, Any]:
            return {**facts_of(self.night, row), "is_starred": row.name in self.stars.names()}

        return Json(await run_in_threadpool(look))

    async def layers(self, request: Request) -> Response:
        """The layers of a job's networks."""
        return Json(await run_in_threadpool(layers_of, self.night, await self._row(request)))

    async def cuts(self, request: Request) -> Response:
        """The timecuts of a job, by frames and steps."""
        return Json(await run_in_threadpool(cuts_of, self.night, await self._row(request)))

    async def moments(self, request: Request) -> Response:
        """The moments of a job's film that are most worth seeing, and loops that were made here."""
        row = await self._row(request)

        def look() -> dict[str, Any]:
            clips = self.clips.of(self.night.workspace.job(row.name))
            return {**self.highlights.of(row), "clips": clips}

        return Json(await run_in_threadpool(look))

    async def logs(self, request: Request) -> Response:
        """The end of a job's log."""
        row = await self._row(request)
        text = await run_in_threadpool(log_of, self.night.workspace.job(row.name))
        return PlainTextResponse(text.encode(errors="replace"))

    async def media(self, request: Request) -> Response:
        """A film, timecut, loop, poster, preview or the like."""
        query = request.query_params
        job = query.get("job", "")
        path = await run_in_threadpool(find, self.night, job, query)
        if path is None:
            raise Refused(404, "there is no such file")
        is_fixed = "v" in query
        cache = "private, max-age=31536000, immutable" if is_fixed else "no-cache"
        return FileResponse(
            path,
            media_type=TYPES[path.suffix],
            filename=path.name if "download" in query else None,
            headers={"Cache-Control": cache},
        )

    # --- changing ------------------------------------------------------------------------------

    async def enter(self, request: Request) -> Response:
        """Exchange the token of the link for the cookie and the key."""
        fields = await json_of(request)
        token = take(fields, "token", str)
        nothing_else(fields)
        address = request.client.host if request.client else ""
        if wait := self.tries.seconds_to_wait(address):
            seconds = str(int(wait) + 1)
            answer: Response = Json({"error": f"wrong too often; wait {seconds} seconds"}, 429)
            answer.headers["Retry-After"] = seconds
            return answer
        if not same(token, self.keys.token):
            self.tries.was_wrong(address)
            raise Refused(401, "this is not the link that `multitrain serve` has printed")
        answer = Json({"key": self.keys.key})
        answer.set_cookie(
            cookie_name(self.port),
            self.keys.cookie,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def check(self, request: Request) -> Response:
        """What a sheet would make, or every mistake in it."""
        return Json(await self.sheets.check(await json_of(request)))

    async def submit(self, request: Request) -> Response:
        """Put the jobs of a sheet into the queue."""
        return Json(await self.sheets.submit(await json_of(request)))

    async def star(self, request: Request) -> Response:
        """Give a film a star, or take it away."""
        fields = await json_of(request)
        name, starred = take(fields, "name", str), take(fields, "starred", bool)
        nothing_else(fields)
        jobs = await run_in_threadpool(self.night.jobs)
        if name not in jobs.by_name:
            raise Refused(404, "there is no such job")

        def give() -> None:
            self.stars.give(name, starred=starred)

        await run_in_threadpool(give)
        return Json({"name": name, "is_starred": starred})

    async def find_moments(self, request: Request) -> Response:
        """Have the moments of a job's film looked for, where they are not kept."""
        fields = await json_of(request)
        name = take(fields, "name", str)
        nothing_else(fields)
        return Json({"is_looking": self.highlights.look(await self._row_of(name))})

    async def loop(self, request: Request) -> Response:
        """Have a loop made of a moment of a job's film."""
        name, mode, seconds, frame = clip_of(await json_of(request))
        row = await self._row_of(name)
        paths = self.night.workspace.job(row.name)
        job, trouble = await run_in_threadpool(job_of, self.night, paths)
        if job is None or frame >= job.frames_total:
            raise Refused(404, hidden(trouble) or "there is no such frame")
        at: float | None = frame / job.spec.fps
        if mode == "walk":
            steps = await run_in_threadpool(weights_of, paths, job)
            at = step_near(frame, job, steps)
        if at is None:
            raise Refused(404, "no weights are kept near this moment; see keep_checkpoints")
        clip = Clip(name, mode, seconds, round(at, 2))
        said = self.clips.make(clip, job.frames_total / job.spec.fps)
        return Json({"done": [said], "refused": []})

    def steering(self, order: Order) -> Answering:
        """Carries out an order of this kind."""

        async def carry_out(request: Request) -> Response:
            fields = await json_of(request)
            what = await run_in_threadpool(orders.request_of, order, fields, self.night)
            return Json(await orders.carry_out(what, self.night, self.programs))

        return carry_out

    async def _row(self, request: Request) -> JobRow:
        return await self._row_of(request.query_params.get("name", ""))

    async def _row_of(self, name: str) -> JobRow:
        jobs = await run_in_threadpool(self.night.jobs)
        row = jobs.by_name.get(name)
        if row is None:
            raise Refused(404, "there is no such job")
        return row


def routes_of(page: Page) -> list[BaseRoute]:
    """Every address of the page."""
    looking = {
        "/": page.index,
        "/api/session": page.session,
        "/api/overview": page.overview,
        "/api/status": page.status,
        "/api/show": page.job,
        "/api/layers": page.layers,
        "/api/cuts": page.cuts,
        "/api/moments": page.moments,
        "/api/logs": page.logs,
        "/api/events": page.events,
        "/media": page.media,
    }
    changing = {
        "/api/enter": page.enter,
        "/api/check": page.check,
        "/api/submit": page.submit,
        "/api/star": page.star,
        "/api/find-moments": page.find_moments,
        "/api/loop": page.loop,
        **{f"/api/{order}": page.steering(order) for order in orders.FORMS},
    }
    return [
        *(Route(path, _in_words(answer)) for path, answer in looking.items()),
        *(Route(path, _in_words(answer), methods=["POST"]) for path, answer in changing.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _in_words(answer: Answering) -> Answering:
    """`answer`, with errors as JSON: a message for people, no traceback."""

    @wraps(answer)
    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except Refused as refused:
            return Json({"error": refused.why}, refused.status)
        except (MultitrainError, OSError) as error:
            return Json({"error": hidden(str(error))}, 503)

    return answered
