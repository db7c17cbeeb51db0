import pytest

from .conftest import Repository

KEY = "witness.acme.example+7f3d4a21+BEdqO0v0mJ1m7bqGrcJxq1l8zv9a5k8m3m2nKq0s1t2u"


def sink(written: str) -> str:
    return f"sinks: {{one: {{{written}}}}}\n"


@pytest.mark.parametrize(
    "written",
    [
        "kind: webhook, url: 'https://hooks.acme.example/a?b=c', secret: 'stored:hook'",
        "kind: syslog, url: 'tcp://127.0.0.1:514'",
        "kind: syslog, url: 'syslog://localhost'",
        "kind: elastic, url: 'http://[::1]:9200/'",
        "kind: archive, url: 's3://bucket/prefix'",
        "kind: archive, url: 'file:///var/lib/remit/archive'",
        "kind: our-own",
        "kind: our-own, options: {a: 1, b: false, c: text}",
    ],
)
def test_a_sink_that_can_be_reached_safely_is_admitted(
    repository: Repository, written: str
) -> None:
    assert repository.write("audit.yaml", sink(written)).said() == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("url: 'https://a.example/'", "`kind` is missing"),
        ("kind: Syslog", "is no name"),
        ("kind: syslog, form: leef", "`leef` is not known here"),
        ("kind: webhook, url: 'http://siem.acme.example/'", "in the clear"),
        ("kind: syslog, url: 'tcp://siem.acme.example:514'", "in the clear"),
        ("kind: syslog, url: 'udp://10.0.0.1:514'", "in the clear"),
        ("kind: webhook, url: 'https://'", "no URL of a sink"),
        ("kind: webhook, url: 'https:///path'", "no URL of a sink"),
        ("kind: webhook, url: 'https://a.example:port/'", "no URL of a sink"),
        ("kind: webhook, url: 'https://[::1/'", "no URL of a sink"),
        ("kind: webhook, url: siem", "no URL of a sink"),
        ('kind: webhook, url: "https://a.example/\\n"', "no URL of a sink"),
        ("kind: webhook, secret: hunter2", "a secret stands in the repository"),
        ("kind: webhook, secret: ", "the secret is left blank"),
        ("kind: webhook, kinds: ['*']", "`*` is no kind of event"),
        ("kind: kafka, options: {A: b}", "`A` is no name of an option"),
        ('kind: kafka, options: {a: "b\\nc"}', "is no value of an option"),
        ("kind: kafka, options: {a: ''}", "is no value of an option"),
        ("kind: webhook, alert_after: 2d", "out of bounds"),
        ("kind: webhook, tenants: [nobody]", "unknown tenant `nobody`"),
    ],
)
def test_a_sink_that_would_tell_strangers_or_nobody_is_refused(
    repository: Repository, written: str, said: str
) -> None:
    found = repository.write("audit.yaml", sink(written)).said()
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize("url", ["https://me:hunter2@a.example/", "tls://hunter2@a.example:6514"])
def test_a_password_in_a_url_is_refused_and_not_repeated(repository: Repository, url: str) -> None:
    repository.write("audit.yaml", sink(f"kind: webhook, url: '{url}'"))
    (problem,) = repository.problems()
    assert problem.message == "the URL holds a user name or a password"
    assert "hunter2" not in repr(problem)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("witnesses: {one: {url: 'https://w.example', key: hello}}\n", "no verifier key"),
        ("witnesses: {one: {url: 'https://w.example'}}\n", "`key` is missing"),
        (f"witnesses: {{one: {{url: w.example, key: {KEY}}}}}\n", "is no URL"),
        ("timestamps: {url: 'https://tsa.example'}\n", "`roots` is missing"),
        ("timestamps: {url: 'https://tsa.example', roots: tsa.pem}\n", "no path of a file"),
        ("timestamps: {url: 'https://tsa.example', roots: /a, every: 1s}\n", "out of bounds"),
        (sink("kind: webhook") + "remote_copy: {sink: one}\n", "`max_lag` is missing"),
        (
            sink("kind: webhook") + "remote_copy: {sink: one, max_lag: 1m, sensitivity: odd}\n",
            "`odd` is not known here",
        ),
    ],
)
def test_who_vouches_has_to_be_known(repository: Repository, written: str, said: str) -> None:
    found = repository.write("audit.yaml", written).said()
    assert len(found) == 1, found
    assert said in found[0]
