"""Asking the log: which records, in what order, about whom; and what is handed out of it."""

from remit.trail.collecting import Collected, collect
from remit.trail.dates import Dates
from remit.trail.desk import Trail
from remit.trail.exporting import Form, Making
from remit.trail.index import TrailIndex, keep_index, open_index_file, renew_index_file
from remit.trail.question import Answer, Cursor, CursorLostError, Found, Looked, Question
from remit.trail.search import search
from remit.trail.timeline import Story, Subject, story_of, timeline

__all__ = [
    "Answer",
    "Collected",
    "Cursor",
    "CursorLostError",
    "Dates",
    "Form",
    "Found",
    "Looked",
    "Making",
    "Question",
    "Story",
    "Subject",
    "Trail",
    "TrailIndex",
    "collect",
    "keep_index",
    "open_index_file",
    "renew_index_file",
    "search",
    "story_of",
    "timeline",
]
