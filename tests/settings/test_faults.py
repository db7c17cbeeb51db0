from remit.settings.faults import Fault, Origin, SettingsInvalidError


def test_a_fault_says_where_what_and_how_to_mend_it() -> None:
    assert str(Fault(Origin.in_file("a.yaml", 3, 7), "wrong", "right it")) == (
        "a.yaml:3:7: wrong; right it"
    )
    assert str(Fault(Origin.of_flag("public_url"), "wrong")) == "--public-url: wrong"
    assert str(Fault(Origin.of_variable("REMIT_PORT"), "wrong")) == "REMIT_PORT: wrong"


def test_the_error_counts_what_is_wrong() -> None:
    fault = Fault(Origin.of_flag("port"), "wrong")
    assert SettingsInvalidError((fault, fault)).detail == "2 settings cannot be used"
    assert SettingsInvalidError((fault,)).detail == "one setting cannot be used"
