from remit.documents import Problem, parse_yaml, render_problems


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    document = parse_yaml(b"owner: me\nopration: read\n", file="servers/crm.yaml")
    problem = document.problem(
        ("opration",), "unknown key `opration`", expected="`operation`", at_key=True
    )
    assert render_problems([problem]).plain == (
        "servers/crm.yaml:2:1  unknown key `opration`\n"
        "  2 │ opration: read\n"
        "    │ ^^^^^^^^\n"
        "    expected `operation`\n"
        "\n"
        "1 mistake in 1 file"
    )


def test_a_problem_without_a_line_to_show_has_no_caret() -> None:
    text = render_problems(
        [Problem(file="x.yaml", line=1, column=1, message="the file is too large")]
    ).plain
    assert text == "x.yaml:1:1  the file is too large\n\n1 mistake in 1 file"


def test_the_caret_of_a_long_line_stays_under_its_column() -> None:
    line = "k: " + "x" * 300 + "HERE" + "y" * 300
    problem = Problem(file="x", line=7, column=304, message="wrong", excerpt=line, width=4)
    shown, carets = render_problems([problem]).plain.splitlines()[1:3]
    assert len(shown) < 130
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_markup_in_a_file_is_shown_and_not_obeyed() -> None:
    problem = Problem(file="x", line=1, column=1, message="m", excerpt="[bold red]x[/]")
    assert "[bold red]x[/]" in render_problems([problem]).plain


def test_problems_are_counted_over_files() -> None:
    problems = [Problem(file=name, line=1, column=1, message="m") for name in ("b", "a", "a")]
    assert render_problems(problems).plain.endswith("3 mistakes in 2 files")
    assert render_problems([]).plain == "no mistakes"
