"""HTTP and HTML, said safely: parameters, pages, cookies, forms, headers. No business.

Refuses: repeated or malformed parameters, forms from elsewhere, and any script in a page.
"""

from remit.web.body import (
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    read_body,
    read_form,
    read_json_object,
)
from remit.web.content_security import redirect_source
from remit.web.cookies import clear_cookie, cookie_name, read_cookie, set_cookie
from remit.web.csrf import (
    Browser,
    CrossSiteRequestError,
    browser_of,
    check_form_post,
    csrf_token,
    remember_browser,
)
from remit.web.headers import Cors, SecurityHeaders, cors_route
from remit.web.page import error_page, page, render
from remit.web.params import (
    MalformedParametersError,
    Params,
    RepeatedParameterError,
    parse_form,
    parse_query,
)
from remit.web.peer import Peer, peer_of
from remit.web.respond import json_response, problem, redirect
from remit.web.site import IpNetwork, Site, UnusablePublicUrlError, site_at
from remit.web.static_files import static_routes, static_url

__all__ = [
    "BodyTooLargeError",
    "Browser",
    "Cors",
    "CrossSiteRequestError",
    "IpNetwork",
    "MalformedParametersError",
    "Params",
    "Peer",
    "RepeatedParameterError",
    "SecurityHeaders",
    "Site",
    "UnsupportedMediaTypeError",
    "UnusablePublicUrlError",
    "browser_of",
    "check_form_post",
    "clear_cookie",
    "cookie_name",
    "cors_route",
    "csrf_token",
    "error_page",
    "json_response",
    "page",
    "parse_form",
    "parse_query",
    "peer_of",
    "problem",
    "read_body",
    "read_cookie",
    "read_form",
    "read_json_object",
    "redirect",
    "redirect_source",
    "remember_browser",
    "render",
    "set_cookie",
    "site_at",
    "static_routes",
    "static_url",
]
