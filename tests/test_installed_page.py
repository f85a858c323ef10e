"""The page of what is installed, of the packages that come with miscope."""

import re

from miscope.plugins.plugins import Plugins
from miscope_panel.page.installed import written
from miscope_panel.page.pages import found_pages


def test_the_installed_page_says_in_words_what_each_package_provides():
    plugins = Plugins.installed()
    html = written(plugins, found_pages(plugins))
    offers = dict(re.findall("<tr><td><code>(miscope-[a-z]+)</code></td><td>[^<]*</td><td>([^<]*)</td></tr>", html))
    assert offers["miscope-panel"] == "2 lenses, commands"
    assert "miscope_" not in "".join(offers.values())
    lenses = html.partition("<h3>Lenses (9)</h3>")[2].partition("</table>")[0]
    assert re.findall(r"<code>([a-z-]+)</code></td><td>[^<]*</td><td>miscope-panel ", lenses) == [
        "one-head",
        "one-neuron",
    ]
