import json

from miscope_panel.shown.plotlyjs import constants, directory


def test_every_chart_shares_both_themes_and_uploads_nothing():
    shared = constants()
    assert shared["config"]["showSendToCloud"] is False
    assert shared["config"]["displaylogo"] is False
    assert set(shared["templates"]) == {"light", "dark"}
    json.dumps(shared)


def test_the_bundle_is_there():
    assert (directory() / "plotly.min.js").is_file()
