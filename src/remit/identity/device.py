"""Words for a browser that its person will recognise, from what it says of itself.

Nothing is decided by them: a `User-Agent` is whatever its sender likes.
"""

__all__ = ["device_words"]

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str | None) -> str:
    """Such as `Firefox on Linux`; the first sign that is there counts."""
    text = user_agent or ""
    browser = next((word for sign, word in _BROWSERS if sign in text), None)
    system = next((word for sign, word in _SYSTEMS if sign in text), None)
    if browser is None:
        return "Unknown browser" if system is None else f"Unknown browser on {system}"
    return browser if system is None else f"{browser} on {system}"
