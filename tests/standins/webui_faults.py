"""What can go wrong with a paint request."""

from enum import StrEnum

from aiohttp import web

from tests.standins.webui_kin import Kin, crashed, refused


class Fault(StrEnum):
    """What goes wrong with a paint request."""

    CUT_BEFORE = "the connection breaks before it begins"
    CUT_AFTER = "it paints, then the connection breaks"
    CUT_MIDWAY = "the connection breaks in the middle of the answer"
    STALL = "it begins and never moves again"
    HANG = "nothing is ever answered, not even a GET"
    AUTH = "401"
    FORBIDDEN = "403"
    NOT_ENABLED = "404"
    INVALID = "422"
    BUSY = "429"
    OUT_OF_MEMORY = "500 OutOfMemoryError"
    CUDA = "500 CUDA out of memory"
    NAN = "500 NaN"
    CRASH = "500 with a reason"
    SILENT = "500 without a reason"
    GATEWAY = "502 of a proxy"
    HTML = "a web page"
    TRUNCATED_JSON = "JSON that ends too early"
    BROKEN_BASE64 = "base64 that is none"
    NO_IMAGES = "no images"
    NOT_A_PICTURE = "base64 of something else"
    WRONG_TYPE = "the right answer as text/plain"
    LIE = "another sampler than asked"
    GRID = "a grid before the pictures"
    SMALLER = "a smaller size than asked"
    BARE = "no info and no infotext"


_CRASHES = {
    Fault.OUT_OF_MEMORY: ("OutOfMemoryError", "Tried to allocate 9.00 GiB"),
    Fault.CUDA: ("RuntimeError", "CUDA out of memory. GPU 0 has 8 GiB"),
    Fault.NAN: ("NansException", "A tensor with NaNs was produced in Unet."),
    Fault.CRASH: ("AssertionError", "bad file /srv/models/x/y.ckpt"),
}
_PAGES = {
    Fault.SILENT: (500, "Internal Server Error"),
    Fault.GATEWAY: (502, "<html>Bad Gateway</html>"),
    Fault.HTML: (200, "<!DOCTYPE html><html><body>Gradio</body></html>"),
}
_DETAILS = {
    Fault.FORBIDDEN: (403, "Forbidden"),
    Fault.NOT_ENABLED: (404, "Not Found"),
    Fault.BUSY: (429, "Too Many Requests"),
    Fault.INVALID: (
        422,
        [{"loc": ["body", "steps"], "msg": "value is not a valid integer", "type": "type_error"}],
    ),
}


def failure(fault: Fault | None, kin: Kin) -> web.Response | None:
    """Return the answer that ``fault`` is, worded as ``kin`` would; ``None`` if it is no answer."""
    if fault is Fault.AUTH:
        return refused(kin, 401, "Not authenticated")
    if fault in _CRASHES:
        return crashed(kin, *_CRASHES[fault])
    if fault in _DETAILS:
        status, detail = _DETAILS[fault]
        return web.json_response({"detail": detail}, status=status)
    if fault in _PAGES:
        status, text = _PAGES[fault]
        kind = "text/html" if text.startswith("<") else "text/plain"
        return web.Response(status=status, text=text, content_type=kind)
    return None
