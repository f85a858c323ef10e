from miscope_panel.page.card import Card
from miscope_panel.page.errands import Errands
from miscope_panel.shown.picture import Picture, Request


def renderer(made):
    def render(request):
        made.append(request.step)
        return Picture(state="figure", figure="{}", step=request.step)

    return render


def at(step):
    return Request(view="a.b", variant="f/v", step=step)


def test_the_picture_and_its_controls_change_together(at_once):
    card = Card(view="a.b")
    card.ask(at(5), renderer([]), Errands(at_once))
    assert (card.picture["state"], card.picture["badge"], card.pending) == ("figure", "step 5", False)


def test_a_picture_and_that_it_is_the_latest_are_one_change(when_told):
    card, changes = Card(view="a.b"), []
    card.param.watch(lambda *events: changes.append([event.name for event in events]), ["picture", "pending"])
    card.ask(at(1), renderer([]), Errands(when_told))
    when_told.go()
    assert changes == [["pending"], ["picture", "pending"]]


def test_while_a_picture_is_made_the_old_one_stays_and_is_marked(when_told):
    card, errands = Card(view="a.b"), Errands(when_told)
    card.ask(at(1), renderer([]), errands)
    when_told.go()
    card.ask(at(2), renderer([]), errands)
    assert (card.picture["badge"], card.pending) == ("step 1", True)
    when_told.go()
    assert (card.picture["badge"], card.pending) == ("step 2", False)


def test_of_a_burst_only_the_latest_is_drawn(when_told):
    card, errands, made = Card(view="a.b"), Errands(when_told), []
    for step in range(10):
        card.ask(at(step), renderer(made), errands)
    when_told.go()
    assert made == [9]
    assert card.picture["badge"] == "step 9"


def test_a_picture_that_comes_after_the_selection_moved_on_is_dropped(when_told):
    card, errands = Card(view="a.b"), Errands(when_told)

    def slow(request):
        if request.step == 1:
            card.ask(at(2), slow, errands)
        return Picture(state="figure", step=request.step)

    card.ask(at(1), slow, errands)
    when_told.waiting.pop(0)()
    assert (card.picture, card.pending) == ({}, True)
    when_told.go()
    assert card.picture["badge"] == "step 2"


def test_there_and_back_again_draws_what_is_wanted_now(when_told):
    card, errands = Card(view="a.b"), Errands(when_told)
    for step in (1, 2, 1):
        card.ask(at(step), renderer([]), errands)
    when_told.go()
    assert (card.picture["badge"], card.pending) == ("step 1", False)


def test_the_same_request_is_not_drawn_again(at_once):
    card, errands, made = Card(view="a.b"), Errands(at_once), []
    for _ in range(3):
        card.ask(at(1), renderer(made), errands)
    assert made == [1]


def test_what_was_being_made_when_the_card_was_to_be_made_anew_is_dropped(when_told):
    card, errands, shown = Card(view="a.b"), Errands(when_told), []
    card.on_shown = lambda request, made: shown.append(made.badge)
    answers = iter(["old", "new"])

    def slow(request):
        if (badge := next(answers)) == "old":
            # A run ends while it is made.
            card.again()
        return Picture(state="missing", words=(badge,))

    card.ask(at(1), slow, errands)
    when_told.waiting.pop(0)()
    assert (card.picture, card.pending) == ({}, True)
    when_told.go()
    assert (card.picture["words"], card.pending, len(shown)) == (["new"], False, 1)


def test_a_picture_made_before_the_card_was_forgotten_off_screen_is_not_taken_for_the_latest(when_told):
    card, errands = Card(view="a.b"), Errands(when_told)

    def slow(request):
        card.in_sight = False
        card.again()
        return Picture(state="figure", step=request.step)

    card.ask(at(1), slow, errands)
    when_told.go()
    assert (card.picture, card.pending) == ({}, True)


def test_what_cannot_be_told_of_a_card_is_said(at_once):
    card = Card(view="a.b", title="Norms")

    def tell(request):
        raise OSError("no such disk")

    card.tell = tell
    card.ask(at(1), renderer([]), Errands(at_once))
    card._handle_msg({"kind": "about"})
    (section,) = card.about["sections"]
    assert section["title"] == "It cannot be said"
    assert section["lines"] == ({"label": "Why", "text": "OSError: no such disk", "code": False},)


def test_what_is_told_is_of_the_step_that_is_shown(at_once):
    card, errands = Card(view="a.b"), Errands(at_once)
    card.tell = lambda request: {"sections": [], "text": f"step {request.step}"}

    def earlier(request):
        return Picture(state="figure", step=request.step // 10 * 10)

    card.ask(at(15), earlier, errands)
    card._handle_msg({"kind": "about"})
    assert card.about["text"] == "step 10"
    card.ask(at(15), earlier, errands)
    card._handle_msg({"kind": "about"})
    assert card.about["text"] == "step 10"
    card.ask(at(27), earlier, errands)
    assert card.about == {}
    card._handle_msg({"kind": "about"})
    assert card.about["text"] == "step 20"


def test_only_what_is_still_asked_about_is_read(when_told):
    card, errands, read = Card(view="a.b"), Errands(when_told), []
    card.tell = lambda request: read.append(request.step) or {"sections": [], "text": "it"}
    for step in (1, 2, 3):
        card.ask(at(step), renderer([]), errands)
        card._handle_msg({"kind": "about"})
        card._handle_msg({"kind": "about"})
    when_told.go()
    assert read == [3]
    assert card.about["text"] == "it"


def test_off_screen_nothing_is_drawn_until_the_card_is_seen(at_once):
    card, errands, made = Card(view="a.b", in_sight=False), Errands(at_once), []
    card.ask(at(1), renderer(made), errands)
    card.ask(at(2), renderer(made), errands)
    assert (made, card.pending) == ([], True)
    card.in_sight = True
    assert (made, card.pending) == ([2], False)


def test_a_card_that_was_scrolled_past_before_its_turn_is_not_drawn_until_it_is_seen_again(when_told):
    card, errands, made = Card(view="a.b"), Errands(when_told), []
    card.ask(at(1), renderer(made), errands)
    card.in_sight = False
    when_told.go()
    assert (made, card.pending) == ([], True)
    card.in_sight = True
    when_told.go()
    assert (made, card.pending) == ([1], False)


def test_a_card_seen_again_just_as_it_was_passed_over_is_drawn_after_all(when_told):
    card, errands, made = Card(view="a.b"), Errands(when_told), []

    card.ask(at(1), renderer(made), errands)
    when_told.waiting.clear()
    card._show(at(1), card._serial, errands, None)
    when_told.go()
    assert (made, card.pending) == ([1], False)


def test_what_the_browser_says_reaches_who_listens():
    card, heard = Card(view="a.b"), []
    card.on_message = heard.append
    card._handle_msg({"kind": "close"})
    assert heard == [{"kind": "close"}]


def test_no_card_is_told_from_one_that_is_gone_by_what_is_used_again():
    assert len({Card(view="a.b").tag for _ in range(20)}) == 20


def test_a_redraw_that_overtakes_what_was_asked_for_ends_the_waiting(when_told):
    card, errands = Card(view="a.b"), Errands(when_told)

    def lacking(request):
        return Picture(state="missing", words=("It was never computed.",))

    card.ask(at(1), lacking, errands)
    when_told.go()
    card.renew(urgent=True)
    card.renew(urgent=True)
    card.ask(at(2), lacking, errands)
    assert card.pending
    when_told.go()
    assert not card.pending
