import structlog
from structlog.testing import capture_logs

from remit.app.missing_secrets import warn_of_missing_secrets
from remit.repository import load_repository
from remit.secrets import resolve_secret


def test_each_missing_secret_is_a_warning_with_its_mend(settings):
    def resolve(reference: str) -> str:
        return resolve_secret(reference, env={"REMIT_BILLING_JOB_SECRET": "hunter2"})

    structlog.reset_defaults()
    with capture_logs() as lines:
        warn_of_missing_secrets(load_repository(settings.repo).catalog, resolve)
    assert lines == [
        {
            "log_level": "warning",
            "event": "not_usable",
            "what": "server crm",
            "detail": "the environment variable `CRM_GATEWAY_TOKEN` is not set",
            "mend": "set CRM_GATEWAY_TOKEN in the environment of `remit serve`, and start it again",
        }
    ]


def test_a_server_that_starts_without_a_secret_says_so_and_serves(remit):
    with remit.serving(environ={"CRM_GATEWAY_TOKEN": ""}) as server:
        assert server.get("/healthz").status_code == 200
        log = server.log.read_text()
        assert server.stop() == 0
    (line,) = [one for one in log.splitlines() if "not_usable" in one]
    assert "server crm" in line
    assert "set CRM_GATEWAY_TOKEN in the environment" in line
    assert remit.environ["REMIT_BILLING_JOB_SECRET"] not in log
