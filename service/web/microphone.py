"""`POST /api/microphone/<room>`: the sound of a phone, with the index of its samples, and what the page knows of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from monitord.faults import Fault
from service.capture.page import PageSource, Post, page_fault, samples_of
from service.web.access import RefusedError


class _Query(BaseModel):
    """What stands behind the path."""

    model_config = ConfigDict(extra="forbid")

    session: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{0,64}$")] = ""
    start: Annotated[int, Field(ge=0, lt=2**53)] = 0
    """Index of the first sample; 2**53 is where JavaScript's whole numbers end."""
    rate: Annotated[int, Field(ge=8_000, le=192_000)] = 48_000
    """Hertz: what browsers record at."""
    says: Annotated[str, AfterValidator(page_fault)] = "ok"


class Microphone:
    """Takes the sound of phones.

    Args:
        phones: By room.
    """

    def __init__(self, phones: Mapping[str, PageSource]) -> None:
        self._phones = phones

    async def take(self, request: web.Request) -> web.Response:
        """Takes int16 samples, little-endian, at `rate`, the first with the index `start` in this `session`.

        200: `have` is the index up to which the page need not keep its sound. 404: the room has no phone (yet: the
        daemon begins anew with it). 409: `over` says why this session is over, `displaced` or `hole`.
        """
        phone = self._phones.get(request.match_info["room"])
        if phone is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "this room has no phone as its microphone")
        try:
            asked = _Query.model_validate(dict(request.query))
            samples = samples_of(await request.read())
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{wrong['loc'][0]}: {wrong['msg']}") from None
        except ValueError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
        says: Fault = page_fault(asked.says)
        answer = phone.take(Post(asked.session, asked.start, asked.rate, samples, says))
        if isinstance(answer, str):
            return web.json_response({"over": answer}, status=HTTPStatus.CONFLICT)
        return web.json_response({"have": answer})
