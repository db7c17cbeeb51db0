"""Mail over real sockets: a server that is good, slow, silent, lying, or somebody else."""

import asyncio
import base64
import ssl
from dataclasses import replace
from email import message_from_string, policy
from ipaddress import ip_address

import pytest

from remit.approvals.notification import NotSentError
from remit.approvals.notification_mail import Mailer, MailServer, mail_of, mail_server_of
from remit.errors import NotFoundError
from tests.approvals.notified import AT, MAIL, MailHost
from tests.engines.doubles import certificate

TEXT = "Something waits\n.a line with a dot\nLog in: https://remit.example/approvals/apr_1"


async def _loopback(host, port):
    return (ip_address("127.0.0.1"),)


@pytest.fixture
def tls(tmp_path):
    return certificate(tmp_path, "mail.example")


@pytest.fixture
def mailer(tls):
    """Believes the certificate of the test, and takes every name for this machine."""
    made = Mailer(
        resolve=_loopback, trust=lambda: ssl.create_default_context(cafile=tls[1]), timeout=10
    )
    yield made
    made.close()


def _mail():
    return mail_of(MAIL, "Something waits", TEXT, message_id="ntf_1", at=AT)


def _server(host, **changes):
    return replace(MailServer(tls=False, host="mail.example", port=host.port), **changes)


async def _fails(mailer, host, **changes):
    with pytest.raises(NotSentError) as refused:
        await mailer.send(_server(host, **changes), _mail(), private=True)
    return refused.value


async def test_a_mail_is_handed_over_as_it_was_written(mailer):
    async with MailHost() as host:
        assert await mailer.send(_server(host), _mail(), private=True) == ""
    (raw,) = host.mails
    mail = message_from_string(raw.replace("\r\n..", "\r\n."), policy=policy.default)
    assert mail["From"] == "Remit <remit@acme.example>"
    assert mail["To"] == "ann@acme.example, bob@acme.example"
    assert mail["Subject"] == "Something waits"
    assert mail["Message-ID"] == "<ntf_1@acme.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip().replace("\r\n", "\n") == TEXT
    assert host.said[1].upper().startswith("MAIL FROM:<REMIT@ACME.EXAMPLE>")
    assert [one for one in host.said if one.upper().startswith("RCPT")] == [
        "rcpt TO:<ann@acme.example>",
        "rcpt TO:<bob@acme.example>",
    ]


async def test_a_server_that_can_is_spoken_to_in_tls_and_only_then_told_the_password(mailer, tls):
    async with MailHost(tls=tls[0]) as host:
        server = _server(host, user="remit", password="s3cret")
        await mailer.send(server, _mail(), private=True)
    assert host.secured == [True]
    words = [one.split()[0].upper() for one in host.said]
    assert words[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert base64.b64decode(host.said[3].split()[2]) == b"\0remit\0s3cret"


async def test_tls_from_the_beginning(mailer, tls):
    async with MailHost(tls=tls[0], at_once=True) as host:
        await mailer.send(_server(host, tls=True), _mail(), private=True)
    assert host.secured == [True]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_server_that_is_somebody_else_is_told_nothing(tmp_path, at_once):
    other = certificate(tmp_path, "other.example")
    mailer = Mailer(
        resolve=_loopback, trust=lambda: ssl.create_default_context(cafile=other[1]), timeout=10
    )
    async with MailHost(tls=other[0], at_once=at_once) as host:
        error = await _fails(mailer, host, tls=at_once, user="remit", password="s3cret")
    mailer.close()
    assert error.told == "certificate"
    assert host.mails == []
    assert not any("AUTH" in one.upper() for one in host.said)


async def test_a_password_is_never_said_in_the_clear(mailer):
    async with MailHost() as host:
        error = await _fails(mailer, host, user="remit", password="s3cret")
    assert (error.told, error.for_good) == ("password_in_the_clear", True)
    assert [one.split()[0] for one in host.said] == ["ehlo"]


async def test_what_was_said_before_tls_counts_for_nothing(mailer, tls):
    async with MailHost(tls=tls[0], extensions=()) as host:
        # Attack: a word put behind the answer to STARTTLS, to be taken for one said in TLS.
        host.answers["STARTTLS"] = b"220 go on\r\n250-mail.example\r\n250 AUTH PLAIN\r\n"
        error = await _fails(mailer, host, user="remit", password="s3cret")
    assert error.told in {"smtp_not_supported", "certificate"}
    assert host.mails == []


async def test_elsewhere_than_on_this_machine_a_server_without_tls_is_told_nothing(
    mailer, monkeypatch
):
    async with MailHost() as host:
        monkeypatch.setattr(
            "remit.approvals.notification_mail._Talk._may_be_plain", lambda _self: False
        )
        host.answers["STARTTLS"] = b"454 not now\r\n"
        error = await _fails(mailer, host)
    assert error.told == "no_starttls"
    assert host.mails == []


@pytest.mark.parametrize(
    ("word", "answer", "told", "for_good"),
    [
        ("EHLO", b"421 later\r\n", "smtp_421", False),
        ("MAIL", b"550 not you\r\n", "smtp_550", True),
        ("RCPT", b"450 busy\r\n", "smtp_450", False),
        ("RCPT", b"550 nobody\r\n", "smtp_550", True),
        ("DATA", b"451 later\r\n", "smtp_451", False),
        ("END", b"554 spam\r\n", "smtp_554", True),
    ],
)
async def test_a_refusal_says_its_number_and_no_word(mailer, word, answer, told, for_good):
    async with MailHost() as host:
        host.answers[word] = answer
        if word == "EHLO":
            host.answers["HELO"] = answer
        error = await _fails(mailer, host)
    assert (error.told, error.for_good) == (told, for_good)


async def test_a_password_that_is_refused_is_tried_once(mailer, tls):
    async with MailHost(tls=tls[0]) as host:
        host.answers["AUTH"] = b"535 s3cret is wrong\r\n"
        error = await _fails(mailer, host, user="remit", password="s3cret")
    assert (error.told, error.for_good) == ("smtp_535", True)
    assert "s3cret" not in str(error)
    assert host.mails == []


async def test_one_recipient_refused_keeps_nobody_else_from_it(mailer):
    async with MailHost() as host:
        usual = host._usual
        host._usual = lambda word: (
            b"550 nobody\r\n" if "bob@" in host.said[-1] and word == "RCPT" else usual(word)
        )
        assert await mailer.send(_server(host), _mail(), private=True) == "some_recipients_refused"
    assert len(host.mails) == 1


@pytest.mark.parametrize("silent_at", ["greeting", "EHLO", "DATA", "END"])
async def test_a_silent_server_is_hung_up_on(silent_at):
    mailer = Mailer(resolve=_loopback, timeout=0.3)
    async with MailHost() as host:
        if silent_at == "greeting":
            host.greeting = None
        else:
            host.answers[silent_at] = b"" if silent_at == "END" else None
        assert (await _fails(mailer, host)).told == "silent"
    mailer.close()


@pytest.mark.parametrize(
    "said",
    [b"250-x\r\n" * 20_000, b"250-" + b"x" * 200_000 + b"\r\n", b"hello\r\n" * 3, b"\x00\xff\r\n"],
    ids=["for-ever", "one-line", "no-number", "noise"],
)
async def test_a_server_that_talks_nonsense_is_hung_up_on(mailer, said):
    async with MailHost() as host:
        host.answers |= {"EHLO": said, "HELO": said}
        error = await _fails(mailer, host)
    assert error.told.startswith(("smtp_", "unreachable"))
    assert host.mails == []


async def test_a_server_that_dribbles_is_hung_up_on():
    mailer = Mailer(resolve=_loopback, timeout=0.5)

    hung_up = asyncio.Event()

    async def dribble(_reader, writer):
        try:
            while True:
                writer.write(b"220-x\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            hung_up.set()
        finally:
            writer.close()

    async with await asyncio.start_server(dribble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NotSentError) as refused:
            await mailer.send(
                MailServer(tls=False, host="mail.example", port=port), _mail(), private=True
            )
        async with asyncio.timeout(30):
            await hung_up.wait()
    mailer.close()
    assert refused.value.told == "silent"


async def test_nobody_there(mailer):
    async with MailHost() as host:
        pass
    assert (await _fails(mailer, host)).told == "unreachable"


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"])
async def test_a_private_address_is_dialled_only_where_the_repository_says_so(address):
    async def resolve(host, port):
        return (ip_address("93.184.215.14"), ip_address(address))

    mailer = Mailer(resolve=resolve)
    async with MailHost() as host:
        with pytest.raises(NotSentError) as refused:
            await mailer.send(_server(host), _mail(), private=False)
    mailer.close()
    assert refused.value.told == "refused"


async def test_metadata_addresses_are_dialled_never():
    async def resolve(host, port):
        return (ip_address("169.254.169.254"),)

    mailer = Mailer(resolve=resolve)
    with pytest.raises(NotSentError, match="refused"):
        await mailer.send(MailServer(tls=False, host="x", port=25), _mail(), private=True)
    mailer.close()


async def test_a_name_that_does_not_resolve_is_told():
    async def resolve(host, port):
        raise OSError("no such name")

    mailer = Mailer(resolve=resolve)
    with pytest.raises(NotSentError, match="no_such_host"):
        await mailer.send(MailServer(tls=False, host="x", port=25), _mail(), private=True)
    mailer.close()


@pytest.mark.parametrize(
    ("url", "secret", "found"),
    [
        ("smtp://mail.example", None, MailServer(tls=False, host="mail.example", port=587)),
        ("smtps://mail.example", None, MailServer(tls=True, host="mail.example", port=465)),
        ("smtps://a%40b@mail.example:2465", "p",
         MailServer(tls=True, host="mail.example", port=2465, user="a@b", password="p")),
        (None, "smtps://a:p%2Fw@mail.example",
         MailServer(tls=True, host="mail.example", port=465, user="a", password="p/w")),
    ],
)  # fmt: skip
def test_where_mail_goes_out_is_read_from_url_and_secret(url, secret, found):
    notifier = replace(MAIL, url=url, secret=None if secret is None else "env:MAIL")
    assert mail_server_of(notifier, lambda _: secret) == found
    assert "p/w" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:x",
        "smtp://h/path",
    ],
)
def test_what_is_no_mail_server_is_refused(url):
    with pytest.raises(NotSentError, match="url_unfit"):
        mail_server_of(replace(MAIL, url=url), lambda _: "")


def test_a_secret_that_is_not_there_is_told_by_its_code_alone():
    def missing(_):
        raise NotFoundError("no secret is stored as `mail`")

    with pytest.raises(NotSentError) as refused:
        mail_server_of(replace(MAIL, secret="stored:mail"), missing)
    assert refused.value.told == "not_found"


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": None},
        {"recipients": ()},
        {"sender": "a@b\r\nBcc: c@d"},
        {"recipients": ("a@b\nBcc: c@d",)},
    ],
)
def test_nobody_is_written_to_who_was_not_named(changes):
    with pytest.raises(NotSentError, match="nobody_to_write_to"):
        mail_of(replace(MAIL, **changes), "x", "y", message_id="ntf_1", at=AT)
