"""Templates over HTTP: kept, changed, copied, used, exchanged; and what is refused of them."""

from __future__ import annotations

import pytest

from miscope_panel.http.problem import PREFIX

STUDY = {"family": "toy.sum", "base": {"steps": 20}, "matrix": {"seed": [0, 1]}, "run_name": "s{seed}"}


@pytest.fixture
def api(asked_in):
    return asked_in()


def kept(api, name="Small", **more):
    answer = api.post("training-templates", name=name, study=STUDY, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(api, **query):
    return [one["name"] for one in api.get("training-templates", **query).json()["templates"]]


def asked(api, method, path, **body):
    return api.client.request(method, f"{PREFIX}/training-templates/{path}", json=body)


def test_a_template_is_kept_and_found_by_its_id(api):
    seen = kept(api, "Small Ones!", description="of two", tags=["a"])
    assert (seen["id"], seen["favourite"], seen["uses"], seen["last_used"]) == ("small-ones", False, 0, None)
    assert (seen["study"], seen["created"]) == (STUDY, seen["updated"])
    assert api.get("training-templates/small-ones").json() == seen
    assert api.get("training-templates/Small Ones!").status_code == 404


def test_the_settings_of_a_variant_are_kept_as_a_template(api):
    api.workspace.store.save_variant(api.workspace.variant("toy.sum", seed=7))
    seen = api.post("training-templates", name="Seven", variant="toy.sum/v5-seed7-width16").json()
    assert (seen["study"]["family"], seen["study"]["base"]["seed"]) == ("toy.sum", 7)


def test_an_id_stays_whatever_a_template_is_called_and_whatever_another_is_called(api):
    first = kept(api, "One")["id"]
    renamed = asked(api, "PATCH", first, name="Two").json()
    assert (renamed["id"], renamed["name"]) == ("one", "Two")
    second = kept(api, "One")["id"]
    assert (second, api.get("training-templates/one").json()["name"]) == ("one-2", "Two")


def test_a_template_is_changed_in_part_or_whole(api):
    kept(api, tags=["a"], description="first")
    assert asked(api, "PATCH", "small", tags=["b"]).json()["description"] == "first"
    whole = asked(api, "PUT", "small", name="Small", study={**STUDY, "base": {"steps": 30}}).json()
    assert (whole["tags"], whole["description"], whole["study"]["base"]) == ([], "", {"steps": 30})
    assert asked(api, "PUT", "small", name="Small").json()["error"]["fields"][0]["name"] == "study"


def test_who_changes_what_another_changed_meanwhile_is_told_so_where_they_say_what_they_read(api):
    kept(api)
    address, whole = f"{PREFIX}/training-templates/small", {"name": "Small", "study": STUDY}
    read = api.client.get(address).headers["etag"]
    assert read == api.client.get(address).headers["etag"]
    first = api.client.put(address, json={**whole, "tags": ["a"]}, headers={"if-match": f'"no", {read}'})
    assert (first.status_code, first.headers["etag"] != read) == (200, True)
    late_ones = {"PUT": {**whole, "tags": ["b"]}, "PATCH": {"tags": ["b"]}, "DELETE": {}, "POST": {"favourite": True}}
    for method, body in late_ones.items():
        where = f"{address}/favorite" if method == "POST" else address
        late = api.client.request(method, where, json=body, headers={"if-match": read})
        assert (late.status_code, late.json()["error"]["code"]) == (412, "Changed")
        assert late.json()["error"]["message"].split("\n") == [
            "The template 'small' is another by now.",
            "Somebody changed it after it was read.",
            "Read it again, and send what it is to be with the `etag` that it has then.",
        ]
    assert api.get("training-templates/small").json()["tags"] == ["a"]
    for headers in ({"if-match": api.client.get(address).headers["etag"]}, {"if-match": "*"}, {}):
        assert api.client.put(address, json=whole, headers=headers).status_code == 200


def test_favourites_come_first_and_a_listing_is_of_what_is_asked_for(api):
    kept(api, "A", tags=["x"])
    kept(api, "B", description="wide")
    assert api.post("training-templates/b/favorite").json()["favourite"]
    assert names(api) == ["B", "A"]
    assert (names(api, tag="x"), names(api, q="WIDE"), names(api, favourite=False)) == (["A"], ["B"], ["A"])
    assert (names(api, family="toy.fourier"), names(api, family="toy.sum")) == ([], ["B", "A"])
    assert not api.post("training-templates/b/favorite", favourite=False).json()["favourite"]


def test_a_copy_says_that_it_is_one_and_was_never_used(api):
    kept(api, favourite=True, tags=["a"])
    answer = api.post("training-templates/small/duplicate")
    copy = answer.json()
    assert (answer.status_code, copy["id"], copy["name"]) == (201, "small-copy", "Small (copy)")
    assert (copy["favourite"], copy["tags"], copy["study"]) == (False, ["a"], STUDY)


def test_a_study_started_from_a_template_counts_as_a_use_and_a_dry_run_does_not(api):
    kept(api)
    api.post("studies", template="small", dry_run=True)
    assert api.get("training-templates/small").json()["uses"] == 0
    answer = api.post("studies", template="Small", name="again")
    assert (answer.json()["name"], [run["training"] for run in answer.json()["runs"]]) == ("again", [1, 2])
    assert api.get("training-templates/small").json()["uses"] == 1


def test_a_template_that_is_deleted_is_gone_and_its_answer_keeps_it_again(api):
    kept(api)
    api.post("studies", template="small")
    gone = api.delete("training-templates/small").json()
    assert (api.get("training-templates/small").status_code, len(api.queue.runs())) == (404, 2)
    assert kept(api, gone["name"])["study"] == gone["study"]


def test_what_is_exported_is_imported_with_a_report_for_each_and_each_policy(api):
    kept(api)
    kept(api, "Other")
    whole = api.post("training-templates/export", ids=["small"]).json()
    assert [set(each) for each in whole["templates"]] == [{"name", "description", "favourite", "tags", "study"}]
    assert len(api.post("training-templates/export").json()["templates"]) == 2
    assert api.post("training-templates/export", ids=[]).json()["templates"] == []
    whole["templates"] += [{"name": "Odd", "study": {"family": "toy.smu"}}, {"name": "New", "study": STUDY}]

    def imported(**query):
        url = f"{PREFIX}/training-templates/import"
        results = api.client.post(url, json=whole, params=query).json()["results"]
        return [(each["action"], each["kept_as"]) for each in results]

    dry = [("renamed", "Small (copy)"), ("invalid", None), ("created", "New")]
    assert imported(conflict="rename", dry_run=True) == dry
    assert names(api) == ["Other", "Small"]
    assert imported() == [("skipped", None), ("invalid", None), ("created", "New")]
    assert imported(conflict="overwrite") == [("updated", "Small"), ("invalid", None), ("updated", "New")]
    assert imported(conflict="rename") == [("renamed", "Small (copy)"), ("invalid", None), ("renamed", "New (copy)")]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"name": "small", "study": STUDY}, "name", "There is a template named 'Small' already."),
        ({"name": " ", "study": STUDY}, "name", "A template does not take name=' '"),
        ({"name": "X"}, "study", "What is to be kept?"),
        ({"name": "X", "study": {**STUDY, "metrix": 1}}, "study.metrix", "study.metrix: There is no key 'metrix'"),
        ({"name": "X", "variant": "toy.sum/none"}, "variant", "There is no variant named 'toy.sum/none'"),
        ({"name": "X", "study": STUDY, "uses": 7}, "uses", "there is no such field"),
    ],
)
def test_what_no_template_could_be_is_refused_and_the_field_is_named(api, body, field, message):
    kept(api)
    answer = api.post("training-templates", **body)
    (problem,) = answer.json()["error"]["fields"]
    assert (answer.status_code, problem["name"], len(names(api))) == (422, field, 1)
    assert problem["message"].startswith(message)


def test_another_name_is_refused_where_it_is_taken_and_nothing_is_changed(api):
    kept(api)
    kept(api, "Other")
    assert asked(api, "PATCH", "other", name="SMALL").json()["error"]["fields"][0]["name"] == "name"
    assert names(api) == ["Other", "Small"]


def test_a_file_that_is_no_template_is_told_and_keeps_no_other_back(api):
    kept(api)
    api.workspace.store.layout.templates.joinpath("torn.yaml").write_text("family: [")
    assert names(api) == ["Small"]
    assert list(api.get("training-templates").json()["broken"]) == ["torn"]
    assert api.get("training-templates/torn").json()["error"]["code"] == "BadStudy"
