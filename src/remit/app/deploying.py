"""What bringing a bundle into force needs of the other rooms."""

from pathlib import Path

from remit.app.parts import Parts
from remit.canonical import MalformedJsonError, parse_object
from remit.deployment import BadSignatureError, DeploymentDeps
from remit.deployment.judging import Court, judge_by
from remit.deployment.sealing import PublisherKeys, publisher_keys
from remit.settings import Policies

__all__ = ["deployment_of"]


def deployment_of(parts: Parts) -> DeploymentDeps:
    """Made of what is open.

    Raises:
        BadSignatureError: the file of keys that bundles need cannot be used.
    """
    stores, settings = parts.stores, parts.settings
    court = Court(
        source=stores.source,
        data=stores.folder.path,
        record_keys=stores.custody.record_keys,
        clock=parts.clock,
    )
    return DeploymentDeps(
        database=stores.database,
        key=parts.policy_key,
        publishers=_publishers(settings.bundle_keys),
        judge=judge_by(court),
        load=parts.shelf.load,
        refresh=parts.book.refresh,
        clock=parts.clock,
        stage=settings.stage or "",
        url=settings.issuer,
        folder_decides=settings.policies is Policies.FOLDER,
    )


def _publishers(path: Path | None) -> PublisherKeys:
    if path is None:
        return PublisherKeys()
    try:
        return publisher_keys(parse_object(path.read_bytes()))
    except (OSError, MalformedJsonError) as error:
        raise BadSignatureError(f"the keys in `{path}` cannot be read", cause=error) from error
