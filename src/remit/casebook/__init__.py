"""Decision tables: who, through which agent, calls what with which arguments, and what is to be decided.

Decides nothing itself; every case goes through the steps that take every other decision.
"""

from remit.casebook.case import Asked, Case, Expected, Outcome, Question, Table
from remit.casebook.coverage import Coverage, PolicyCoverage, ThingCoverage
from remit.casebook.report import Difference, Found, Report, Result, Status
from remit.casebook.running import run_tables, run_tables_live
from remit.casebook.tables import tables_of

__all__ = [
    "Asked",
    "Case",
    "Coverage",
    "Difference",
    "Expected",
    "Found",
    "Outcome",
    "PolicyCoverage",
    "Question",
    "Report",
    "Result",
    "Status",
    "Table",
    "ThingCoverage",
    "run_tables",
    "run_tables_live",
    "tables_of",
]
