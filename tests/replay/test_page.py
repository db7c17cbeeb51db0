"""The page: nothing from outside is more than text, and nothing is fetched or run."""

import base64
import hashlib
import re
from html import unescape

import pytest

from remit.replay import (
    Area,
    Change,
    Day,
    Difference,
    Effect,
    Example,
    FailOn,
    Group,
    Kind,
    Plan,
    ReplayReport,
    Shift,
    plan_of,
)
from remit.replay.chart import chart_of
from remit.replay.markdown import plan_markdown
from remit.replay.page import plan_page
from remit.replay.wording import verdict

EVIL = "<script>alert(1)</script>| [x](http://evil.example) @everyone `code` ```"


def group(shift=Shift.NEWLY_ALLOWED, **changes) -> Group:
    values = {
        "shift": shift, "tenant": "acme", "user": "usr_1", "agent": "assistant", "server": "crm",
        "name": "get_account", "count": 3, "before": "deny forbidden", "after": "allow permitted",
        "rules_before": ("no",), "rules_after": ("yes",), "scopes": ("crm:accounts.read",),
        "examples": (Example(decision_id="dec_1", time="2026-01-05T15:00:00.000Z", input={"a": "tok1.text.x"}),),
    }  # fmt: skip
    return Group(**{**values, **changes})


def plan(groups=None, changes=(), **report) -> Plan:
    groups = (group(),) if groups is None else groups
    counts = {}
    for one in groups:
        counts[one.shift.value] = counts.get(one.shift.value, 0) + one.count
    values = {
        "since": "2026-01-01T00:00:00.000Z", "until": "2026-01-08T00:00:00.000Z", "tenant": None,
        "recorded": 100, "decided": 90, "verified": 80, "other_bundle": 10, "equal": 80,
        "counts": counts, "skipped": {"list": 10}, "groups": groups,
        "days": (Day(day="2026-01-05", decided=90, newly_allowed=3, newly_refused=0),),
    }  # fmt: skip
    return Plan(
        made_at="2026-01-08T00:00:00.000Z", stage="", old="a" * 64, new="b" * 64,
        difference=Difference(old="a" * 64, new="b" * 64, changes=tuple(changes)),
        replay=ReplayReport(**{**values, **report}),
    )  # fmt: skip


def change(**changes) -> Change:
    values = {
        "area": Area.POLICY, "kind": Kind.CHANGED, "name": "limit", "what": "forbid `limit`: other",
        "effect": Effect.MAY_WIDEN, "privileged": True, "lines": ("-old", "+new"),
    }  # fmt: skip
    return Change(**{**values, **changes})


EVIL_PLAN = plan(
    groups=(group(user=EVIL, agent=EVIL, name=EVIL, because=EVIL, scopes=(EVIL,)),),
    changes=(change(name=EVIL, what=EVIL, lines=(f"+{EVIL}", "```", "</pre>")),),
    notes=(EVIL,),
)


def test_nothing_from_outside_is_markup():
    page = plan_page(EVIL_PLAN)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'href="http' not in page
    assert page.count("</pre>") == page.count("<pre")


def test_the_policy_of_the_page_admits_its_own_style_and_nothing_else():
    page = plan_page(plan())
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert not re.search(r"\s(style|on[a-z]+)=|<link|<img|<iframe|src=|url\(", page)


def test_who_gains_and_who_loses_comes_before_what_is_declared():
    page = plan_page(plan(groups=(group(), group(Shift.NEWLY_REFUSED)), changes=(change(),)))
    order = [
        page.index(one) for one in ("Newly allowed: 3", "Newly refused: 3", "What is declared")
    ]
    assert order == sorted(order)


def test_a_chart_says_in_words_what_it_shows():
    page = plan_page(plan())
    assert 'role="img"' in page
    assert "2026-01-05: 3 newly allowed, 0 newly refused" in page
    assert plan_page(plan(groups=(), days=())).count("<svg") == 0


def test_a_chart_has_every_day_between_and_no_more_than_two_months():
    def day(number, allowed):
        return Day(day=f"2026-{number:02}-01", decided=1, newly_allowed=allowed, newly_refused=0)

    chart = chart_of((day(1, 1), day(2, 1)))
    assert [chart.bars[0].day, chart.bars[-1].day, len(chart.bars)] == [
        "2026-01-01",
        "2026-02-01",
        32,
    ]
    assert len(chart_of((day(1, 1), day(12, 1))).bars) == 62
    assert chart_of((day(1, 0),)) is None


def test_markdown_means_nothing_but_its_words():
    text = plan_markdown(EVIL_PLAN)
    outside = re.sub(r"```diff\n.*?\n```", "", text, flags=re.DOTALL)
    assert "<script" not in outside
    assert "](http" not in outside
    assert not re.search(r"(?<!\\)@everyone", outside)
    assert text.count("\n```") == 2
    rows = [line for line in outside.splitlines() if line.startswith("| 3 |")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)


CALLS = "@octocat #12 https://evil.example/x www.evil.example a@b.example"
TURNED = "get\u202eelif\u2066_\u200baccount\x1b[31m"


def test_nobody_is_called_and_nothing_is_linked_once_the_escapes_are_gone():
    """A forge looks for mentions and addresses in what the Markdown has become."""
    made = plan(groups=(group(name=CALLS),), changes=(change(name=CALLS, what=CALLS, lines=("+x",)),))  # fmt: skip
    text = re.sub(r"```diff\n.*?\n```", "", plan_markdown(made), flags=re.DOTALL)
    become = unescape(re.sub(r"\\(?=[^\w\s])", "", text))
    assert become.count("octocat") == 3
    assert not re.search(r"[@#]\w|://\w|www\.\w", become)


def test_what_stands_inside_of_a_tag_has_no_escapes_of_markdown():
    text = plan_markdown(plan(changes=(change(name="refund-limit & <b>it's</b>"),)))
    assert "<summary>refund-limit &#38; &#60;b&#62;it's&#60;/b&#62;</summary>" in text


@pytest.mark.parametrize("form", [plan_page, plan_markdown], ids=["page", "markdown"])
def test_nothing_turns_the_writing_around(form):
    shown = form(
        plan(
            groups=(group(name=TURNED, agent=TURNED, tenant=TURNED, because=TURNED, scopes=(TURNED,),
                examples=(Example(decision_id="dec_1", time="2026-01-05T15:00:00.000Z", input={"a": TURNED}),)),),
            changes=(change(name=TURNED, what=f"`{TURNED}`", lines=(f"+// {TURNED}",)),),
            notes=(TURNED,),
        )
    )  # fmt: skip
    assert "account" in shown
    assert [one for one in shown if not one.isprintable() and one != "\n"] == []


def test_markdown_fits_into_a_comment_and_closes_what_it_opened():
    groups = tuple(
        group(shift, user=f"usr_{n}" * 20, name="x" * 200) for n in range(15) for shift in Shift
    )
    changes = tuple(
        change(name=f"p{n}", lines=tuple("+line of text" for _ in range(200))) for n in range(40)
    )
    text = plan_markdown(plan(groups=groups, changes=changes))
    assert len(text) < 65_536
    assert text.count("<details") == text.count("</details>")
    assert text.count("\n```") % 2 == 0
    assert "Cut here" in text


@pytest.mark.parametrize(
    ("made", "level"),
    [
        (plan(groups=(), changes=()), "fine"),
        (plan(groups=(group(Shift.RULES),)), "fine"),
        (plan(groups=(group(),)), "care"),
        (plan(groups=(group(),), privileged_newly_allowed=1), "danger"),
        (plan(groups=(group(Shift.NEWLY_REFUSED),)), "care"),
        (plan(groups=(group(Shift.UNDECIDED),)), "care"),
        (plan(groups=(group(Shift.DRIFT),)), "care"),
        (plan(groups=(), changes=(change(),)), "danger"),
        (plan(groups=(), changes=(change(privileged=False),)), "care"),
    ],
)
def test_how_careful_a_reviewer_should_be(made, level):
    assert verdict(made)[0] == level


@pytest.mark.parametrize(
    ("fail_on", "made", "fails"),
    [
        (FailOn.NEWLY_ALLOWED, plan(), True),
        (FailOn.NEWLY_ALLOWED, plan(groups=(group(Shift.NEWLY_REFUSED),)), False),
        (FailOn.NEWLY_REFUSED, plan(groups=(group(Shift.NEWLY_REFUSED),)), True),
        (FailOn.WIDENING, plan(groups=(), changes=(change(privileged=False),)), True),
        (FailOn.WIDENING, plan(groups=(), changes=(change(effect=Effect.NARROWS),)), False),
        (FailOn.PRIVILEGED, plan(groups=(), changes=(change(),)), True),
        (FailOn.PRIVILEGED, plan(groups=(), changes=(change(privileged=False),)), False),
        (FailOn.ANY, plan(groups=(group(Shift.UNDECIDED),)), True),
        (FailOn.ANY, plan(groups=()), False),
    ],
)
def test_what_a_pipeline_stops_at(fail_on, made, fails):
    assert bool(made.reasons(fail_on)) is fails


def test_a_plan_is_read_back_from_its_json():
    made = plan(groups=(group(), group(Shift.DRIFT, because="x")), changes=(change(),))
    assert plan_of(made.as_json()) == made
