import json

import jsonschema

from remit.cli.exits import ExitCode
from remit.cli.sarif import sarif_of
from remit.documents import Problem
from remit.repository.kinds import KINDS


def closed(required: tuple[str, ...] = (), **properties: object) -> dict[str, object]:
    """An object of those properties and no others, which is how SARIF §3 defines each of its own."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
MESSAGE = closed(("text",), text=TEXT, markdown=TEXT)
AT_LEAST_1 = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# What we write of SARIF 2.1.0, with its required members and sorts of values (§3.13-3.52).
SARIF = closed(
    ("version", "runs"),
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "minItems": 1,
        "items": closed(
            ("tool",),
            tool=closed(
                ("driver",),
                driver=closed(
                    ("name",),
                    name=TEXT,
                    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ("id",),
                            id=TEXT,
                            name=TEXT,
                            shortDescription=MESSAGE,
                            fullDescription=MESSAGE,
                            help=MESSAGE,
                            defaultConfiguration=closed((), level=LEVEL, enabled={"type": "boolean"}),
                            properties={"type": "object", "properties": {"tags": {"type": "array", "items": TEXT}}},
                        ),
                    },
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            originalUriBaseIds={
                "type": "object",
                "additionalProperties": closed((), uri=TEXT, uriBaseId=TEXT, description=MESSAGE),
            },
            results={
                "type": "array",
                "items": closed(
                    ("message",),
                    ruleId=TEXT,
                    ruleIndex={"type": "integer", "minimum": -1},
                    level=LEVEL,
                    message=MESSAGE,
                    locations={
                        "type": "array",
                        "items": closed(
                            (),
                            physicalLocation=closed(
                                ("artifactLocation",),
                                artifactLocation=closed(
                                    ("uri",),
                                    uri={"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=@%-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*$"},
                                    uriBaseId=TEXT,
                                ),
                                region=closed(
                                    (), startLine=AT_LEAST_1, startColumn=AT_LEAST_1, endLine=AT_LEAST_1, endColumn=AT_LEAST_1
                                ),
                            ),
                        ),
                    },
                    partialFingerprints={"type": "object", "additionalProperties": TEXT},
                ),
            },
        ),
    },
)  # fmt: skip


def test_sarif_is_valid_and_points_at_the_lines(cli, folder):
    (folder / ".git").mkdir()
    (folder / "policy" / "agents" / "billing-job.yaml").write_text("nam: 'ä'\nownr: y\n")
    with (folder / "policy" / "scopes.yaml").open("a") as stream:
        stream.write("\n'crm:fax': {title: F, description: D}\n")
    done = cli("check", "--format", "sarif")
    assert done.code == ExitCode.FOUND_WRONG
    log = json.loads(done.out)
    jsonschema.Draft7Validator(SARIF).validate(log)
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({one["id"] for one in rules}) == len(rules)
    found = {(one["ruleId"], one["level"]) for one in run["results"]}
    assert {("schema", "error"), ("scope-name", "warning")} <= found
    for one in run["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith("policy/")
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        region = place["region"]
        assert region["startLine"] >= 1
        assert region["endColumn"] > region["startColumn"] >= 1


def test_nothing_found_is_a_valid_log_without_results(cli, folder):
    done = cli("check", "--format", "sarif")
    assert done.code == 0
    log = json.loads(done.out)
    jsonschema.Draft7Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def log_of(*problems: Problem) -> dict:
    return json.loads(json.dumps(sarif_of(problems, (), folder="a b/policy")))


def test_a_path_is_a_uri_and_a_column_ends_after_what_is_meant():
    found = Problem(
        file="servers/ä b.yaml", line=3, column=5, message="wrong", width=4, code="schema"
    )
    log = log_of(found)
    jsonschema.Draft7Validator(SARIF).validate(log)
    [result] = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/policy/servers/%C3%A4%20b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9}


def test_a_fingerprint_outlives_lines_that_are_added_above():
    def fingerprint(**changes):
        given = {"file": "a.yaml", "line": 3, "column": 1, "message": "wrong", "excerpt": " x: 1", "code": "schema"}  # fmt: skip
        [result] = log_of(Problem(**(given | changes)))["runs"][0]["results"]
        return result["partialFingerprints"]["remit/v1"]

    assert fingerprint() == fingerprint(line=30, excerpt="x: 1 ")
    others = [{"file": "b.yaml"}, {"message": "other"}, {"code": "reference"}, {"excerpt": "y"}]
    assert len({fingerprint(), *(fingerprint(**one) for one in others)}) == 5


def test_a_problem_of_no_known_kind_has_a_rule_all_the_same():
    [run] = log_of(Problem(file="a", line=1, column=1, message="m", code="from-elsewhere"))["runs"]
    [result] = run["results"]
    assert result["ruleId"] in KINDS
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
