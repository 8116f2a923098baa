"""Materials: what they fill in, what overrides them, and that every number has its source."""

import pytest
from workbench import part

from glasspipe.elastic.medium import PRESETS, CubicMedium, Medium
from glasspipe.errors import ConfigError
from glasspipe.settings.materials import listing, materials
from glasspipe.settings.point import point_from
from glasspipe.settings.schema import find, is_section, schema
from glasspipe.settings.study import study_from


@pytest.mark.parametrize("name", materials())
def test_a_material_is_a_study(name):
    (point,) = study_from({"study": "s", "material": name}).points
    for key, setting in materials()[name].settings.items():
        section, _, leaf = key.partition(".")
        found = point.sections[section][leaf] if leaf else point.sections[section]
        assert found == setting["value"]
        assert setting["source"]
        assert find(schema(), key) is not None
        assert not is_section(find(schema(), key))


def test_numbers_are_typical_or_have_a_source():
    for material in materials().values():
        for key, setting in material.settings.items():
            if isinstance(setting["value"], float | dict):
                said = setting["source"]
                assert "check before publishing" in said or "paper" in said or "g/cm³" in said, key


def test_every_key_can_be_overridden():
    point = point_from(
        {
            "material": "silica",
            "lattice": {"constant": 4.0},
            "defects": {"species": "uniaxial", "Delta": 1e-5, "concentration": 0.1},
        }
    )
    assert point.model.lattice.type == "simple_cubic"
    assert point.model.lattice.constant == 4.0
    (component,) = point.model.components
    assert (component.species, component.Delta, component.D) == ("uniaxial", 1e-5, 1e-4)
    assert point.model.medium == PRESETS["silica"].medium


def test_one_number_of_a_medium():
    kept = PRESETS["KBr"].medium
    changed = Medium(kept.density, kept.c_l, 1.5)
    assert point_from({"medium": {"preset": "KBr", "c_t": 1.5}}).model.medium == changed
    assert point_from({"material": "KBr:CN", "medium": {"c_t": 1.5}}).model.medium == changed
    own = {"density": 1.0, "c_l": 3.0, "c_t": 1.0}
    assert point_from({"material": "KBr:CN", "medium": own}).model.medium == Medium(**own)
    crystal = point_from({"material": "KBr:CN", "medium": "KBr_cubic"})
    assert crystal.model.medium == PRESETS["KBr_cubic"].medium
    generic = point_from({"material": "generic", "medium": {"c_t": 1.5}}).model.medium
    assert generic == Medium(3.0, 4.0, 1.5)


@pytest.mark.parametrize(
    ("material", "given", "medium"),
    [
        ("KBr:CN", {"density": 3.0}, Medium(3.0, 3.07, 1.69)),
        ("KBr:CN", {"density": 3.0, "c_t": 1.5}, Medium(3.0, 3.07, 1.5)),
        ("KBr:CN", {"c_l": 3.0, "c_t": 1.5}, Medium(2.75, 3.0, 1.5)),
        ("generic", {"density": 1.0}, Medium(1.0, 4.0, 2.3)),
        ("generic", {"c_l": 3.0, "c_t": 1.5}, Medium(3.0, 3.0, 1.5)),
        ("KBr:CN", {"c11": 5, "c12": 2, "c44": 1}, CubicMedium(2.75, 5.0, 2.0, 1.0)),
        ("KBr:CN", {"density": 1, "c11": 5, "c12": 2, "c44": 1}, CubicMedium(1.0, 5.0, 2.0, 1.0)),
        ("KBr:CN", {"preset": "KCl", "c_t": 2.0}, Medium(1.99, 3.94, 2.0)),
        ("KBr:CN", {"preset": "KBr_cubic", "c44": 6}, CubicMedium(2.75, 34.7, 5.8, 6.0)),
    ],
)
def test_a_medium_is_ones_own_where_it_is_whole(material, given, medium):
    assert point_from({"material": material, "medium": given}).model.medium == medium


@pytest.mark.parametrize("how", [{"material": "KBr:CN"}, {"medium": "KBr"}, {}], ids=str)
def test_one_number_of_a_preset_can_be_swept(how):
    swept = study_from({"study": "s", **how, "sweep": {"medium.c_t": {"values": [1.5, 1.69]}}})
    assert [point.model.medium for point in swept.points] == [
        Medium(2.75, 3.07, c) for c in (1.5, 1.69)
    ]
    assert [point.swept for point in swept.points] == [{"medium.c_t": 1.5}, {"medium.c_t": 1.69}]
    unswept = point_from(how)
    assert part(swept.points[1], "fields").hash == part(unswept, "fields").hash


def test_a_material_leaves_no_trace_but_its_values():
    config = materials()["KBr:CN"].config
    written = point_from(config)
    assert part(point_from({"material": "KBr:CN"}), "fields").hash == part(written, "fields").hash


def test_mistakes():
    with pytest.raises(ConfigError, match=r"^material: found the text 'KBr'; allowed: none, KBr"):
        point_from({"material": "KBr"})
    with pytest.raises(ConfigError, match=r"^medium\.c11: found with medium\.preset KBr; all"):
        point_from({"medium": {"preset": "KBr", "c11": 3.0}})
    with pytest.raises(ConfigError, match=r"^lattice: found the text 'fcc'; allowed: a mapping"):
        point_from({"material": "KBr:CN", "lattice": "fcc"})


def test_the_list_shows_everything():
    text = listing()
    for name, material in materials().items():
        assert f"  {name}: {material.about}" in text
    for name, preset in PRESETS.items():
        assert f"  {name} (" in text
        assert preset.source.split(";")[0].split()[0] in text
    assert "c11 34.7 GPa" in text
    hill = PRESETS["KBr_cubic"].medium.hill_average
    assert f"Zener's ratio 0.3509, Hill average c_l {hill.c_l:.4g} km/s, c_t {hill.c_t:.4g}" in text
    assert text.count("Zener") == 2
    assert "check before publishing" in text
