"""What a process knows of the secrets, without asking the database."""

import pytest

from remit.secrets import KnownSecrets, MasterKey, SecretBox, SecretNotFoundError


def _sealed(box, **values):
    return {name: box.seal(f"stored:{name}", value.encode()) for name, value in values.items()}


def test_every_kind_of_reference_is_read(tmp_path, box):
    (tmp_path / "secret").write_text("from-the-file\n")
    known = KnownSecrets(env={"CRM": "from-outside"})
    assert known.publish(_sealed(box, crm="from-within"), box) == ()
    assert known("env:CRM") == "from-outside"
    assert known(f"file:{tmp_path / 'secret'}") == "from-the-file"
    assert known("stored:crm") == "from-within"


@pytest.mark.parametrize("reference", ["stored:other", "stored:", "env:OTHER", "hunter2", ""])
def test_what_names_nothing_is_refused_without_repeating_it(box, reference):
    known = KnownSecrets(env={})
    known.publish(_sealed(box, crm="x"), box)
    with pytest.raises(SecretNotFoundError) as refused:
        known(reference)
    assert "hunter2" not in refused.value.detail


def test_the_version_changes_with_the_values_and_with_nothing_else(box):
    known = KnownSecrets(env={})
    known.publish(_sealed(box, crm="a"), box)
    first = known.version
    known.publish(_sealed(box, crm="a"), box)
    assert known.version == first
    known.publish(_sealed(box, crm="b"), box)
    assert known.version != first
    known.publish({}, box)
    with pytest.raises(SecretNotFoundError):
        known("stored:crm")


def test_one_that_does_not_open_is_missing_and_the_others_are_there(box):
    other = SecretBox(MasterKey(bytes(range(1, 33))))
    known = KnownSecrets(env={})
    broken = known.publish({**_sealed(box, good="a"), **_sealed(other, bad="b")}, box)
    assert broken == ("bad",)
    assert known("stored:good") == "a"
    with pytest.raises(SecretNotFoundError):
        known("stored:bad")


def test_nothing_secret_is_printed(box):
    known = KnownSecrets(env={"CRM": "hunter2"})
    known.publish(_sealed(box, crm="hunter3"), box)
    assert "hunter" not in repr(known)
