"""The README says what is so: its code runs and its commands stand where CI reads them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_blocks_run(code, capsys):
    space = {}
    exec(compile(code, "README.md", "exec"), space)
    printed = capsys.readouterr().out
    assert printed in re.findall(r"```text\n(.*?)```", README, re.DOTALL) or not printed


@pytest.mark.parametrize("marker", ["run-command", "test-command"])
def test_commands_make_an_environment_and_pin_torch(marker):
    block = re.search(rf"<!-- {marker} -->\n```bash\n(.*?)```\n<!-- end -->", README, re.DOTALL)
    command = block.group(1)
    assert command.startswith("python3 -m venv ")
    assert "--constraint constraints.txt" in command
    for path in re.findall(r"\bexamples/\S+", command):
        assert (ROOT / path).exists(), path


def test_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_links_lead_somewhere():
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_table_of_estimators_names_them_all():
    import sknn

    for name in (n for n in sknn.__all__ if n[0].isupper()):
        assert f"`{name}`" in README


def test_page_on_speed_says_which_activations_go_through_autograd():
    from sknn.activations import TRAINABLE
    from sknn.engine.backprop._mlp import IN_PLACE

    text = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    by_hand, by_autograd = re.search(r"\| activation \| (.*?) \| (.*?) \|", text).groups()
    assert set(by_hand.split(", ")) == set(IN_PLACE)
    assert set(by_autograd.split(", ")) == set(TRAINABLE) - set(IN_PLACE)
