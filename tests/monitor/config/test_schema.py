"""The schema and the reference page are made from the shapes, and are fresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from alerts.channels.registry import TYPES
from monitor.config import schema
from monitor.config.shape import FileShape

ROOT = Path(__file__).parents[3]
DATA = Path(__file__).parents[2] / "data" / "config"


def read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("path", [ROOT / "config.yaml", DATA / "whole.yaml"], ids=lambda path: path.name)
def test_the_described_file_takes_the_examples(path: Path) -> None:
    schema.WholeFile.model_validate(read(path))


def test_the_described_file_refuses_the_broken_example() -> None:
    with pytest.raises(ValidationError) as caught:
        schema.WholeFile.model_validate(read(DATA / "seven-faults.yaml"))
    assert len(caught.value.errors()) == 4


def test_the_schema_file_is_fresh() -> None:
    written = (ROOT / "storywatch.schema.json").read_text(encoding="utf-8")
    assert written == schema.schema_text(), "run: storywatch schema > storywatch.schema.json"


def test_the_reference_page_is_fresh() -> None:
    written = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert written == schema.reference_page(), "run: storywatch schema --markdown > docs/config.md"


def test_secrets_are_write_only() -> None:
    token = schema.json_schema()["$defs"]["Slack"]["properties"]["token"]
    assert token["writeOnly"] is True
    assert token["format"] == "password"


def test_unknown_keys_are_refused_everywhere() -> None:
    described = schema.json_schema()
    holders = [described, *described["$defs"].values()]
    assert all(holder["additionalProperties"] is not True for holder in holders if "properties" in holder)


def test_every_key_says_what_it_means() -> None:
    for shape in schema.shapes():
        assert schema.sentences(shape).keys() == shape.model_fields.keys(), shape.__name__


def test_every_reference_leads_somewhere() -> None:
    text = schema.schema_text()
    described = json.loads(text)
    for part in text.split('"$ref": "#/$defs/')[1:]:
        assert part.split('"')[0] in described["$defs"]


def test_defaults_are_written_as_the_file_writes_them() -> None:
    assert schema.json_schema()["$defs"]["Limits"]["properties"]["host_gap"]["default"] == "5s"


def test_the_described_file_has_the_keys_the_check_knows() -> None:
    assert set(schema.WholeFile.model_fields) == set(FileShape.model_fields)


def test_every_type_of_channel_is_described() -> None:
    (channel,) = schema.json_schema()["properties"]["channels"]["patternProperties"].values()
    assert set(channel["discriminator"]["mapping"]) == set(TYPES)
