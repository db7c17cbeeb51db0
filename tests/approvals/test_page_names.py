"""Names that could be taken for another agent's."""

from types import SimpleNamespace

import pytest

from remit.approvals.page_names import doubtful_letters, look_alike_of, skeleton

AGENTS = {
    "support-assistant": SimpleNamespace(id="support-assistant", name="Support assistant"),
    "billing-job": SimpleNamespace(id="billing-job", name="Billing job"),
}


@pytest.mark.parametrize(
    "name",
    [
        "Supp\u043ert assistant",
        "SUPPORT ASSISTANT",
        "Support-Assistant",
        "Support\u200b assistant",
        "\u0405u\u0440\u0440\u043ert \u0430ss\u0456st\u0430nt",
        "\uff33upport assistant",
        "Supp0rt assistant",
        "support assista\u0578t",
    ],
    ids=ascii,
)
def test_a_name_that_looks_like_another_agents_is_found(name):
    assert look_alike_of(name, "other", AGENTS).id == "support-assistant"


@pytest.mark.parametrize("name", ["Bi11ing job", "BiIIing job", "billing-job"])
def test_strokes_are_taken_for_one_another(name):
    assert look_alike_of(name, "other", AGENTS).id == "billing-job"


@pytest.mark.parametrize("name", ["Support", "Support assistant 2", "Invoice reader", ""])
def test_another_name_is_another_name(name):
    assert look_alike_of(name, "other", AGENTS) is None


def test_no_agent_looks_like_itself():
    assert look_alike_of("Support assistant", "support-assistant", AGENTS) is None


@pytest.mark.parametrize("name", ["Supp\u043ert", "p\u0430yments bot", "\u0391pple"], ids=ascii)
def test_a_word_of_several_alphabets_is_doubtful(name):
    assert doubtful_letters(name)


@pytest.mark.parametrize(
    "name",
    [
        "Support",
        "\u041f\u043e\u0434\u0434\u0435\u0440\u0436\u043a\u0430 Bot",
        "\u6771\u4eacBot",
        "Zo\u00eb 2",
        "",
        "\u65e5\u672c\u8a9e\u30a2\u30b7\u30b9\u30bf\u30f3\u30c8",
    ],
    ids=ascii,
)
def test_words_of_one_alphabet_each_are_not(name):
    assert not doubtful_letters(name)


def test_what_is_compared_has_no_marks_no_case_and_no_punctuation():
    assert skeleton("Zo\u00eb-2!") == skeleton("zoe 2")
