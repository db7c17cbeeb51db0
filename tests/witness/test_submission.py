import pytest

from remit.witness.submission import MalformedSubmissionError, Submission, parse_submission
from tests.witness.conftest import Log

# The example of the specification, with its own numbers.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""


def test_the_example_of_the_specification_is_read_and_written_byte_for_byte():
    read = parse_submission(EXAMPLE.encode())
    assert (read.old, len(read.proof)) == (20852014, 4)
    assert (read.checkpoint.origin, read.checkpoint.size) == (
        "example.com/behind-the-sofa",
        20852163,
    )
    assert read.to_bytes() == EXAMPLE.encode()


def test_a_first_submission_has_no_proof():
    sent = Log().submission(0, 5)
    assert parse_submission(sent.to_bytes()) == sent


GOOD = Log().submission(3, 5).to_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 3",
        GOOD.replace(b"old 3", b"old 03"),
        GOOD.replace(b"old 3", b"old -3"),
        GOOD.replace(b"old 3", b"old  3"),
        GOOD.replace(b"old 3", b"Old 3"),
        GOOD.replace(b"old 3\n", b"old 3\r\n"),
        GOOD.replace(b"old 3\n", b"old 3\nAAAA\n"),
        GOOD.replace(b"old 3\n", b"old 3\n!\n"),
        GOOD.replace(b"old 3\n", b"old 3\n" + b"A" * 43 + b"=\n" + b"A" * 42 + b"B=\n"),
        GOOD.replace(b"old 3\n", b"old 3\n" + (b"A" * 43 + b"=\n") * 63),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD[:-1],
        GOOD + b"\xff",
        b"\xef\xbb\xbf" + GOOD,
    ],
    ids=range(15),
)
def test_what_is_spelt_otherwise_is_no_submission(body):
    with pytest.raises(MalformedSubmissionError):
        parse_submission(body)


def test_sixty_three_hashes_are_a_proof():
    body = Submission(1, (b"\0" * 32,) * 63, Log().note(2)).to_bytes()
    assert len(parse_submission(body).proof) == 63
