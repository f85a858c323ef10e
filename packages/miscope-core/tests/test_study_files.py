"""A study's file: what it may say, in YAML 1.2, and where it is wrong when it says something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.settings import settings_of
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import parsed
from miscope.studies.resolving import read_study
from miscope.studies.study import Study
from miscope.testing import tables
from miscope.workspace import open_workspace

Write = Callable[..., Study]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """read(text, **files): the study of `sweep.yaml` with that text, beside other files by name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, **others: str) -> Study:
        for name, content in {"sweep": text, **others}.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        return read_study(open_workspace(tmp_path / "ws", tables()), Path("sweep.yaml"))

    return write


def said(read: Write, text: str, **others: str) -> str:
    with pytest.raises(BadStudy) as refused:
        read(text, **others)
    return str(refused.value)


# --- YAML ------------------------------------------------------------------------------------------------------------


def test_numbers_and_words_are_those_of_yaml_1_2() -> None:
    values = parsed("a: 1e-8\nb: yes\nc: 2024-01-01\nd: .inf\ne: ~\nf: [1, 2.5]\n", "f.yaml").values
    assert values == {"a": 1e-8, "b": "yes", "c": "2024-01-01", "d": float("inf"), "e": None, "f": [1, 2.5]}


def test_every_value_has_the_line_on_which_it_stands() -> None:
    document = parsed("a: 1\nb:\n  - x: 2\n  - y:\n      3\n", "f.yaml")
    assert [str(document.place(*path)) for path in (("a",), ("b", 0, "x"), ("b", 1, "y"), ("b", 7), ("none",))] == [
        "f.yaml, line 1",
        "f.yaml, line 3",
        "f.yaml, line 4",
        "f.yaml, line 2",
        "f.yaml, line 1",
    ]


def test_a_key_that_is_there_twice_is_refused_with_both_places(read: Write) -> None:
    assert said(read, "family: toy.sum\nbase:\n  width: 8\n  width: 16\n") == (
        "sweep.yaml, line 4: The key 'width' is there twice.\nIt has a value on line 3 already.\nLeave one of them out."
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("family: [toy.sum\n", "sweep.yaml, line 2: This is no YAML: expected ',' or ']', but got '<stream end>'."),
        ("", "sweep.yaml, line 1: There is no mapping at the top."),
        ("- family\n", "sweep.yaml, line 1: There is no mapping at the top."),
        ("1: 2\n", "sweep.yaml, line 1: '1' is no name."),
        ("family: &a [*a]\n", "sweep.yaml, line 1: An alias stands inside of what it names."),
        ("a: \x00", "sweep.yaml: This is no YAML: unacceptable character #x0000: special characters are not allowed."),
        (
            "family: !!python/object:os.system {}\n",
            "sweep.yaml, line 1: This is no YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object:os.system'.",
        ),
        ("family: toy.sum\n---\nfamily: toy.sum\n", "sweep.yaml, line 2: This is no YAML: but found another document."),
    ],
    ids=["unclosed", "empty", "list", "number", "circle", "binary", "object", "two"],
)
def test_what_is_no_mapping_in_yaml_is_refused(read: Write, text: str, first: str) -> None:
    assert said(read, text).split("\n")[0] == first


def test_aliases_of_aliases_are_counted_before_they_are_made() -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9))
    with pytest.raises(BadStudy, match="It holds more than 400000 values"):
        parsed(f"l0: &l0 [1]\n{levels}\n", "f.yaml")


def test_a_file_that_is_not_there_is_no_study(read: Write, tmp_path: Path) -> None:
    with pytest.raises(BadStudy) as refused:
        read_study(open_workspace(tmp_path / "ws", tables()), Path("other.yaml"))
    assert str(refused.value) == (
        "other.yaml: It cannot be read: No such file or directory.\n"
        "A study is a file in YAML.\n"
        "Name a file that is one; docs/studies.md shows some."
    )


# --- keys ------------------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_refused_with_the_one_it_is_like(read: Write) -> None:
    assert said(read, "family: toy.sum\nmatrx: {width: [8]}\n") == (
        "sweep.yaml, line 2: There is no key 'matrx' in a study.\n"
        "Did you mean 'matrix'?\n"
        "The keys of a study are: name, description, family, base, matrix, zip, exclude, include, run_name, train, "
        "analyze."
    )
    assert said(read, "family: toy.sum\ntrain:\n  thread: 1\n") == (
        "sweep.yaml, line 3: There is no key 'thread' in `train`.\n"
        "Did you mean 'threads'?\n"
        "The keys of `train` are: steps, device, threads, compile, watch, log_every, label."
    )


def test_an_unknown_field_is_refused_where_it_stands_with_the_one_it_is_like(read: Write) -> None:
    listing = "toy.sum takes values, seed, width; training: optimizer, learning_rate"
    for text, line in (
        ("family: toy.sum\nbase:\n  widht: 8\n", 3),
        ("family: toy.sum\nmatrix:\n  seed: [1]\n  widht: [8]\n", 4),
        ("family: toy.sum\nzip: {widht: [8]}\n", 2),
        ("family: toy.sum\ninclude:\n- {name: a}\n- {widht: 8}\n", 4),
        ("family: toy.sum\nmatrix: {width: [8, 9]}\nexclude:\n- {widht: 8}\n", 4),
    ):
        first, second, third = said(read, text).split("\n")
        assert first == f"sweep.yaml, line {line}: There is no field named 'widht'."
        assert second == "Did you mean 'width'?"
        assert third.startswith(listing)


def test_a_field_by_its_short_name_is_told_its_long_one(read: Write) -> None:
    assert "Did you mean 'learning_rate'?" in said(read, "family: toy.sum\nbase: {lr: 1e-3}\n")


def test_a_study_without_a_family_or_of_an_unknown_one_is_refused(read: Write) -> None:
    assert said(read, "base: {width: 8}\n") == (
        "sweep.yaml, line 1: It says no 'family'.\n"
        "A study is of one family of models, and all its runs with it.\n"
        "`miscope families` lists them:  family: NAME"
    )
    assert said(read, "\nfamily: toy.som\n").startswith(
        "sweep.yaml, line 2: There is no family named 'toy.som'.\nDid you mean 'toy.sum'?"
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("matrix: {}", "line 2: matrix is not as a study has it: there is nothing in it."),
        ("matrix:", "line 2: matrix is not as a study has it: it is no mapping."),
        ("matrix: {width: []}", "line 2: matrix.width is not as a study has it: there is nothing in it."),
        ("matrix: {width: 8}", "line 2: matrix.width is not as a study has it: it is no list."),
        ("include: []", "line 2: include is not as a study has it: there is nothing in it."),
        ("experiments: []", "line 2: experiments is not as a study has it: there is nothing in it."),
        ("analyze: {analyzers: []}", "line 2: analyze.analyzers is not as a study has it: there is nothing in it."),
        ("analyze: {analyzers: [nroms]}", "line 2: There is no analyzer named 'nroms'."),
        ("analyze: {executor: dsk}", "line 2: There is no executor named 'dsk'."),
        ("analyze: {steps: often}", "line 2: 'often' does not say which checkpoints."),
        ("analyze: {options: {neurons.bands: {bands: -1}}}", "line 2: 'neurons.bands' does not take bands=-1."),
        ("train: {watch: ['nroms:5']}", "line 2: There is no analyzer named 'nroms'."),
        ("train: {threads: 0}", "line 2: train.threads is not as a study has it: it must be 1 or more."),
        ("train: {steps: 5}\nbase: {steps: 6}", "line 2: The number of steps is there twice."),
        ("train: {label: a b}", "line 2: A variant cannot be told apart by the name 'a b'."),
        ("base: {values: 2}", "line 2: toy.sum refuses values=2: it must be 3 or more."),
        ("base: {momentum: 0.5}", "line 2: momentum=0.5 means nothing to a training with optimizer=adamw and"),
        ("matrix: {values: [5, 2]}", "line 2: toy.sum refuses values=2: it must be 3 or more."),
        ("name: a/b", "line 2: It cannot be called 'a/b'."),
    ],
)
def test_what_a_study_does_not_take_is_refused_where_it_stands(read: Write, text: str, first: str) -> None:
    assert said(read, f"family: toy.sum\n{text}\n").startswith(f"sweep.yaml, {first}")


def test_a_key_of_the_wrong_kind_is_shown_as_it_is_written(read: Write) -> None:
    assert said(read, "family: toy.sum\nmatrix:\n  width: 8\n") == (
        "sweep.yaml, line 3: matrix.width is not as a study has it: it is no list.\n"
        "'matrix': Fields with lists of values: a run for each combination, the first key outermost.\n"
        "Write it so:  matrix: {prime: [17, 113], learning_rate: [3e-4, 1e-3]}"
    )


def test_a_study_is_called_as_its_file_unless_it_says_otherwise(read: Write) -> None:
    assert read("family: toy.sum\n").name == "sweep"
    named = read("family: toy.sum\nname: widths\n")
    assert (named.name, named.runs[0].train.group) == ("widths", "widths")


# --- extends ---------------------------------------------------------------------------------------------------------


def test_a_study_has_what_it_extends_with_its_own_in_its_place(read: Write) -> None:
    other = (
        "family: toy.sum\nname: other\nbase: {width: 8, values: 7}\ntrain: {threads: 1}\n"
        "matrix: {seed: [1, 2]}\nanalyze: {}\n"
    )
    study = read("extends: other.yaml\nbase: {width: 4}\nanalyze: null\nmatrix: {seed: [3]}\n", other=other)
    (run,) = study.runs
    settings = settings_of(run.variant)
    assert (study.name, settings["width"], settings["values"], settings["seed"]) == ("sweep", 4, 7, 3)
    assert (run.train.threads, run.analyze) == (1, None)


def test_an_error_in_what_is_extended_names_that_file(read: Write) -> None:
    other = "family: toy.sum\nbase:\n  width: 8\n  values: 7\n  sed: 1\n"
    assert said(read, "extends: other.yaml\nbase: {width: 4}\n", other=other).startswith(
        "other.yaml, line 5: There is no field named 'sed'.\nDid you mean 'seed'?"
    )
    assert said(read, "extends: other.yaml\nbase: {values: 4, sed: 2}\n", other=other).startswith(
        "sweep.yaml, line 2: There is no field named 'sed'."
    )


def test_files_that_extend_each_other_in_a_circle_are_refused(read: Write) -> None:
    assert said(read, "extends: a.yaml\n", a="extends: b.yaml\n", b="family: f\nextends: ./a.yaml\n") == (
        "b.yaml, line 2: The files extend each other in a circle.\n"
        "The way is: sweep.yaml -> a.yaml -> b.yaml -> a.yaml.\n"
        "Leave out one `extends`."
    )
    assert said(read, "extends: sweep.yaml\n").startswith("sweep.yaml, line 1: The files extend each other in a circle")


def test_what_names_no_file_cannot_be_extended(read: Write) -> None:
    assert said(read, "extends: [other.yaml]\n") == (
        "sweep.yaml, line 1: extends: ['other.yaml'] names no file.\n"
        "A study extends one file, named from its own folder.\n"
        "Write it so:  extends: other.yaml"
    )
    assert said(read, "extends: absent.yaml\n").startswith("absent.yaml: It cannot be read: No such file")
