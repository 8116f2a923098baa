"""Every mistake in a config ends in one line: the key or file, what was found, what is allowed."""

import pytest
import yaml

from glasspipe.errors import ConfigError
from glasspipe.settings.point import point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.study import load_study, study_from


def study(text):
    return study_from({"study": "test", **yaml.safe_load(text)})


BAD = [
    # a wrong key, at every level
    ("freez: {}", r"^freez: unknown key; did you mean freeze\?"),
    ("zzz: 1", r"^zzz: unknown key; allowed: study, seed, material, "),
    ("freeze: {sweep: 10}", r"^freeze\.sweep: unknown key; did you mean sweeps.*\?"),
    ("medium: {density: 1, c_l: 2, c_t: 1, c_x: 1}", r"^medium\.c_x: unknown key; did you mean c_"),
    ("sample: {source: {path: a.nc}}", r"^sample\.source\.path: unknown key; allowed: file$"),
    ('"a\\nb": 1', r"^a\?b: unknown key"),
    ("17: 1", r"^17: unknown key"),
    # a wrong type
    (
        "medium: KBR",
        r"^medium: found the text 'KBR'; allowed: KBr, KCl, silica, KBr_cubic, KCl_cubic or a m",
    ),
    ("medium: {density: 1, c_l: 2}", r"^medium\.c_t: missing; allowed: a number > 0 \(km/s\)$"),
    (
        "medium: {density: 1, c11: 2, c12: 1}",
        r"^medium\.c44: missing; allowed: a number > 0 \(GPa\)$",
    ),
    ("medium: {density: 1, c11: 2, c12: 1, c44: 1, c_t: 1}", r"^medium\.c_t: unknown key; "),
    ("medium: {density: 1, c11: 2, c12: 1, c44: -1}", r"^medium\.c44: found -1; .*> 0 \(GPa\)$"),
    ("lattice: fcc", r"^lattice: found the text 'fcc'; allowed: a mapping with the keys type, "),
    ("freeze:", r"^freeze: found nothing; allowed: a mapping with the keys method, "),
    (
        "lattice: {type: fc}",
        r"^lattice\.type: found the text 'fc'; allowed: simple_cubic, bcc, fcc",
    ),
    ("lattice: {size: 2.5}", r"^lattice\.size: found 2\.5; allowed: auto or an integer ≥ 1"),
    ("defects: {axes: 111}", r'^defects\.axes: found 111, write "111"; allowed: "100", "110"'),
    (
        "defects: {gamma: true}",
        r"^defects\.gamma: found True; allowed: a number or \{dis.*eV\)$",
    ),
    (
        "defects: {gamma: .nan}",
        r"^defects\.gamma: found nan; allowed: a number or \{dis.*eV\)$",
    ),
    (
        "defects: {gamma: {distribution: norm, parameters: {true: 1, loc: 2}}}",
        r"^defects\.gamma: parameters of norm are True, loc; allowed are loc, scale$",
    ),
    ("defects: {eta: -.inf}", r"^defects\.eta: found -inf; allowed: a number or \{dis.*eV\)$"),
    (f"defects: {{zeta: 1{'0' * 400}}}", r"^defects\.zeta: found 10{56}\.\.\.; allowed"),
    ("seed: [1]", r"^seed: found a list; allowed: an integer ≥ 0"),
    ("defects: {gamma: 2008-01-01}", r"^defects\.gamma: found datetime.*; allowed: a number"),
    # text where a number belongs
    ("freeze: {t_end: 1e-3}", r"^freeze\.t_end: found the text '1e-3', write 1\.0e-3; allowed"),
    ("defects: {gamma: 2.5e3}", r"found the text '2\.5e3', write 2\.5e\+3; allowed"),
    ("lattice: {size: '12'}", r"^lattice\.size: found the text '12', write 12; allowed"),
    ("defects: {gamma: one}", r"^defects\.gamma: found the text 'one'; allowed"),
    ("defects: {gamma: nan}", r"^defects\.gamma: found the text 'nan'; allowed"),
    ("sweep: {defects.gamma: {values: [1e-3]}}", r"^sweep\.defects\.gamma: .*write 1\.0e-3"),
    # values out of bounds
    ("defects: {concentration: 0}", r"^defects\.concentration: found 0; .*\(per site\)$"),
    ("defects: {concentration: -0.1}", r"^defects\.concentration: found -0\.1; allowed"),
    ("defects: {concentration: 1.5}", r"^defects\.concentration: found 1\.5; allowed.* ≤ 1 "),
    ("medium: {density: -1, c_l: 2, c_t: 1}", r"^medium\.density: found -1; .*> 0 \(g/cm³\)$"),
    ("realisations: 0", r"^realisations: found 0; allowed: an integer ≥ 1"),
    (
        "realisations_per_job: none",
        r"^realisations_per_job: found the text 'none'; allowed: auto, all or",
    ),
    ("seed: -1", r"^seed: found -1; allowed: an integer ≥ 0"),
    ("seed: 9223372036854775808", r"^seed: found 9223372036854775808; allowed"),
    ("boundary: stressed", r"^boundary: found the text 'stressed'; allowed: clamped, sph"),
    ("formula: printed", r"^formula: found the text 'printed'; allowed: derived, as_printed$"),
    ("freeze: {steps: 1}", r"^freeze\.steps: found 1; allowed: auto or an integer ≥ 2"),
    ("freeze: {steps: some}", r"^freeze\.steps: found the text 'some'; allowed: auto or an int"),
    (
        "freeze: {method: tempering, swap_rate: 1}",
        r"^freeze\.swap_rate: found 1; allowed: a number > 0 and < 1$",
    ),
    ("freeze: {method: tempering, swap_rate: 0.0}", r"^freeze\.swap_rate: found 0\.0; allowed"),
    ("study: a/b", r"^study: found the text 'a/b'; allowed: letters, digits, _ and -"),
    ("study: .hidden", r"^study: found the text '\.hidden'; allowed"),
    ('study: "a\\n"', r"^study: found the text 'a\\n'; allowed"),
    (f"study: {'a' * 61}", r"^study: found the text 'a{50,}\.\.\.; allowed"),
    ("study: 2008", r'^study: found 2008, write "2008"; allowed'),
    ("study: 2008-01-01", r'^study: found datetime.*, write "2008-01-01"; allowed'),
    ("study:", r"^study: found nothing; allowed: letters"),
    ("study: no", r"^study: found False; allowed: letters"),
    # sweeps
    ("sweep: {}", r"^sweep: found an empty mapping; allowed: dotted keys"),
    ("sweep:", r"^sweep: found nothing; allowed: dotted keys"),
    ("sweep: {defects.eta: {values: []}}", r"^sweep\.defects\.eta\.values: found an empty list"),
    ("sweep: {defects.eta: {}}", r"^sweep\.defects\.eta: found an empty mapping; allowed: one of"),
    ("sweep: {defects.eta: [1, 2]}", r"^sweep\.defects\.eta: found a list; allowed: one of"),
    ("sweep: {defects.eta: {value: [1]}}", r"^sweep\.defects\.eta\.value: unknown key; .*values"),
    (
        "sweep: {defects.eta: {values: [1], log: {start: 1, stop: 2, number: 2}}}",
        r"^sweep\.defects\.eta: found a mapping; allowed: one of",
    ),
    (
        "sweep: {defects.eta: {log: {start: 0, stop: 1, number: 3}}}",
        r"^sweep\.defects\.eta\.log\.start: found 0; allowed: a number > 0$",
    ),
    (
        "sweep: {defects.eta: {linear: {start: 0, stop: 1}}}",
        r"^sweep\.defects\.eta\.linear\.number: missing; allowed: an integer ≥ 2",
    ),
    (
        "sweep: {defects.eta: {linear: {start: 0, stop: 1, number: 1}}}",
        r"^sweep\.defects\.eta\.linear\.number: found 1; allowed: an integer ≥ 2",
    ),
    (
        "sweep: {lattice.size: {linear: {start: 5, stop: 8, number: 3}}}",
        r"^sweep\.lattice\.size: found 6\.5; allowed: auto or an integer",
    ),
    (
        "sweep: {defects.concentraton: {values: [0.1]}}",
        r"^sweep\.defects\.concentraton: not a key that can be swept; did you mean defects\.conc",
    ),
    ("sweep: {1: {values: [1]}}", r"^sweep\.1: not a key that can be swept; allowed: seed"),
    ("sweep: {defects: {values: [1]}}", r"^sweep\.defects: not a key that can be swept"),
    ("sweep: {realisations: {values: [1]}}", r"^sweep\.realisations: not a key that can be swept"),
    ("sweep: {aggregate.bootstrap: {values: [9]}}", r"^sweep\.aggregate\.bootstrap: not a key"),
    ("sweep: {defects.eta: {values: [1, x]}}", r"^sweep\.defects\.eta: found the text 'x'"),
    ("sweep: {defects.axes: {values: [111]}}", r'^sweep\.defects\.axes: found 111, write "111"'),
    (
        "sweep: {medium.c44: {values: [3]}}",
        r"^medium\.c44: found with medium\.preset KBr; allowed: density, c_l, c_t \(at the point ",
    ),
    (
        "sweep: {medium: {values: [KBr]}, medium.c_l: {values: [3]}}",
        r"^sweep\.medium\.c_l: found beside sweep\.medium; allowed: one of the two$",
    ),
    (
        "{lattice: {size: 6}, sweep: {defects.concentration: {values: [0.01, 0.03, 0.0102]}}}",
        r"^sweep: found the same point twice \(.*0\.01; .*0\.0102\), of 9 defects; allowed: points",
    ),
    (
        "sweep: {defects.eta: {values: [1, 1.0]}}",
        r"^sweep: found the same point twice \(defects\.eta = 1\.0; .*allowed",
    ),
    (
        "{defects: {species: plaquette}, sweep: {defects.axes: {values: ['100', '111']}}}",
        r"^sweep: found the same point twice \(defects\.axes = 100; .*something that has an effect",
    ),
    (
        "{defects: {species: gaussian}, sweep: {defects.frame_spread: {values: [0, 9]}}}",
        r"^sweep: found the same point twice \(defects\.frame_spread = 0\.0; .*allowed",
    ),
    (
        "{defects: {mixture: {a: {share: 0.5, eta: 1}, b: {share: 0.5, eta: 2}}},"
        " sweep: {defects.eta: {values: [1, 2]}}}",
        r"^sweep: found the same point twice \(defects\.eta = 1\.0; .*allowed",
    ),
    (
        "{sweep: {lattice.type: {values: [rock_salt, fcc]}}}",
        r"^sweep: found the same point twice \(lattice\.type = rock_salt; .*allowed",
    ),
    (
        "{sweep: {defects.eta: {values: [1, 2]}, defects.gamma: {values: [1]}}, sweep_mode: zip}",
        r"^sweep: found 2 for defects\.eta, 1 for defects\.gamma values; allowed by .*zip",
    ),
    (
        "sweep: {defects.eta: {linear: {start: 0, stop: 1, number: 1000}},"
        " defects.zeta: {linear: {start: 0, stop: 1, number: 1000}}}",
        r"^sweep: found 1000000 points; allowed: at most 100000$",
    ),
    (
        "sweep: {defects.gamma.parameters.scale: {values: [1]}}",
        r"^sweep\.defects\.gamma\.parameters\.scale: found with defects\.gamma: 1\.0; allowed: a ",
    ),
    (
        "{defects: {mixture: {A: {share: 1}}}, sweep: {defects.mixture.B.share: {values: [1]}}}",
        r"^sweep\.defects\.mixture\.B\.share: found without defects\.mixture\.B; allowed: A$",
    ),
    # strengths and mixtures
    (
        "defects: {gamma: {distribution: gauss}}",
        r"^defects\.gamma: distribution is 'gauss'; allowed are the continuous distributions of",
    ),
    ("defects: {gamma: {parameters: {}}}", r"^defects\.gamma\.distribution: missing; allowed"),
    (
        "defects: {D: {distribution: loguniform, parameters: {a: 1.0e-8}}}",
        r"^defects\.D: parameters of loguniform are a; allowed are a, b, loc, scale, of which",
    ),
    (
        "defects: {eta: {distribution: norm, parameters: {scale: -1}}}",
        r"^defects\.eta: parameters of norm are scale = -1\.0; allowed: scale > 0$",
    ),
    (
        "defects: {gamma: {distribution: norm, parameters: {scale: 0}}}",
        r"^defects\.gamma: parameters of norm are scale = 0\.0; allowed: scale > 0$",
    ),
    (
        "defects: {gamma: {distribution: lognorm, parameters: {s: -1}}}",
        r"^defects\.gamma: parameters of lognorm are s = -1\.0; allowed: shape parameters for ",
    ),
    (
        "defects: {gamma: {distribution: lognorm, parameters: {s: 30}}}",
        r"^defects\.gamma: found lognorm with the variance inf; allowed: .* is finite",
    ),
    (
        "defects: {gamma: {distribution: beta, parameters: {a: 1.0e-300, b: 1.0e-300}}}",
        r"^defects\.gamma: found beta with the variance nan; allowed: .* is finite",
    ),
    (
        "defects: {gamma: {distribution: uniform, parameters: {scale: 1.0e-320}}}",
        r"^defects\.gamma: found uniform with the variance 0\.0; allowed: .* a number for one of ",
    ),
    (
        "defects: {eta: {distribution: cauchy}}",
        r"^defects\.eta: found cauchy with the variance nan; allowed: a .* variance is finite",
    ),
    (
        "defects: {Delta: {distribution: norm}}",
        r"^defects\.Delta: found values down to -inf; allowed: not negative \(eV\)$",
    ),
    ("defects: {D: -1.0e-3}", r"^defects\.D: found values down to -0\.001; allowed: not negative"),
    ("defects: {mixture: some}", r"^defects\.mixture: found the text 'some'; allowed: none or com"),
    ("defects: {mixture: {}}", r"^defects\.mixture: found an empty mapping; allowed: none or comp"),
    (
        "defects: {mixture: {CN: {}}}",
        r"^defects\.mixture\.CN\.share: missing; allowed: a num",
    ),
    (
        "defects: {mixture: {a.b: {share: 1}}}",
        r"^defects\.mixture: found the text 'a\.b'; allowed: names of at most 30 letters",
    ),
    (
        "defects: {mixture: {CN: {share: 0.5}, Li: {share: 0.4}}}",
        r"^defects\.mixture: found shares that add up to 0\.9; allowed: 1$",
    ),
    (
        "defects: {mixture: {CN: {share: 1, species: rotor, axes: isotropic}}}",
        r"^defects\.mixture\.CN\.axes: found isotropic with species rotor",
    ),
    (
        "{lattice: {type: rock_salt}, defects: {concentration: 0.7,"
        " mixture: {A: {share: 0.8}, B: {share: 0.2, sublattice: cation}}}}",
        r"^defects\.concentration: found 0\.7, .* anion sites; .* well below 0\.625, or stoich",
    ),
    (
        "defects: {sublattice: cation}",
        r"^defects\.sublattice: found cation with lattice\.type fcc, .*; allowed: anion .*salt$",
    ),
    (
        "{lattice: {type: bcc}, defects: {mixture: {A: {share: 0.8},"
        " B: {share: 0.2, sublattice: cation}}}}",
        r"^defects\.mixture\.B\.sublattice: found cation with lattice\.type bcc, all of whose ",
    ),
    (
        "{defects: {sublattice: cation}, sweep: {lattice.type: {values: [rock_salt, fcc]}}}",
        r"^defects\.sublattice: found cation .* \(at the point lattice\.type = fcc\)$",
    ),
    # values that contradict each other
    (
        "medium: {density: 1, c11: 2, c12: 3, c44: 1}",
        r"^medium\.c11 .* Born stability needs c11 > ",
    ),
    (
        "medium: {density: 1, c_l: 1, c_t: 2}",
        r"^medium\.c_l is 1\.0 and medium\.c_t 2\.0 km/s; c_l may not be below c_t",
    ),
    (
        "{medium: {density: 1, c_l: 1.1547006, c_t: 1}, boundary: stress_free}",
        r"^boundary: found stress_free with a bulk modulus K of .* 1e-06 of C11, or another bound",
    ),
    (
        "{medium: {density: 1, c11: 2, c12: -0.9999999, c44: 1}, boundary: stress_free}",
        r"^boundary: found stress_free with a bulk modulus K of 6\.66667e-08 GPa; allowed: K > 2e",
    ),
    (
        "medium: {density: 1, c11: 10, c12: 9.99, c44: 30}",
        r"^medium: found Zener's ratio 2 c44/\(c11 − c12\) = 6000 and K = 0\.3331 c44, .* 0\.25 to",
    ),
    (
        "medium: {density: 1, c11: 10, c12: 9.7, c44: 2.25}",
        r"^medium: found Zener's ratio 2 c44/\(c11 − c12\) = 15 and K = 4\.356 c44, for which per",
    ),
    (
        "medium: {density: 1, c11: 10000, c12: 9999, c44: 0.5}",
        r"^medium: found Zener's ratio .* = 1 and K = 2e\+04 c44, .* ≤ 50 c44, up to about 12 wh",
    ),
    (
        "{lattice: {size: 3}, defects: {concentration: 0.01}}",
        r"^defects\.concentration: found 0\.01 with lattice\.size 3, which puts 1 defects on 108"
        r" sites; allowed: at least 2 defects, that is lattice\.size ≥ 4$",
    ),
    (
        "{defects: {number: 1000000}, sweep: {defects.concentration: {values: [1.0e-12]}}}",
        r"^lattice\.size: auto needs 629961 .* at most 100000 \(at the point defects\.conc",
    ),
    (
        "{boundary: minimum_image, lattice: {type: simple_cubic, size: 2},"
        " defects: {concentration: 1}}",
        r"^lattice\.size: found 2 with boundary minimum_image, whose cutoff .*"
        r" 6\.585 Å; allowed: lattice\.size ≥ 3$",
    ),
    ("defects: {species: rotor, axes: isotropic}", r"^defects\.axes: found isotropic with species"),
    ("freeze: {t_start: 1, t_end: 1}", r"^freeze\.t_end: found 1\.0 with freeze\.t_start 1\.0"),
    (
        "freeze: {swap_rate: 0.3}",
        r"^freeze\.swap_rate: found 0\.3 with freeze\.method annealing, .* only with tempering$",
    ),
    (
        "freeze: {method: tempering, swap_rate: 0.9999999}",
        r"^freeze\.swap_rate: found 0\.9999999, which needs \d+ temperatures; .* at most 1000000$",
    ),
    ("freeze: {sweeps: 150}", r"^freeze\.sweeps: found 150 with .*steps 100; .*such as 200$"),
    ("sample: {source: {file: none.nc}}", r"^sample\.source\.file: found 'none\.nc'; allowed: a f"),
    ('sample: {source: {file: "a\\0b"}}', r"^sample\.source\.file: found the text 'a\\x00b'"),
    (
        "{freeze: {t_end: 5}, sweep: {freeze.t_start: {values: [10, 4, 3]}}}",
        r"^freeze\.t_end: found 5\.0 .* \(at the point freeze\.t_start = 4\.0\)$",
    ),
]


@pytest.mark.parametrize(("text", "line"), BAD, ids=[text[:50] for text, _ in BAD])
def test_a_mistake_is_one_line_that_names_the_key(text, line):
    with pytest.raises(ConfigError, match=line) as caught:
        study(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("study: a\nstudy: b\n", r"bad\.yaml: line 2: the key 'study' is there twice$"),
        ("lattice:\n  size: 1\n  size: 2\n", r"line 3: the key 'size' is there twice$"),
        ('{"study": "a", "seed": 1, "seed": 2}', r"the key 'seed' is there twice$"),
        ("study: [a\n", r"bad\.yaml: line 2: expected ',' or '\]'"),
        ("study: a\n\tseed: 1\n", r"bad\.yaml: line 2: "),
        ("study: a\n---\nseed: 1\n", r"line 2: expected a single document .* but found another"),
        ("- a\n- b\n", r"bad\.yaml: found a list; allowed: a mapping"),
        ("", r"bad\.yaml: found nothing; allowed: a mapping"),
        ("just a text", r"bad\.yaml: found a str; allowed: a mapping"),
        ("seed: 1\n", r"^study: missing; allowed: letters"),
        ("study: !!python/object/apply:os.getcwd []\n", r"bad\.yaml: line 1: could not determine"),
        ("study: 2008-13-45\n", r"bad\.yaml: month must be in 1\.\.12"),
        ("[" * 100_000, r"bad\.yaml: nested too deeply$"),
        ("study: \x00", r"bad\.yaml: "),
    ],
)
def test_a_file_that_is_no_config_is_one_line(tmp_path, text, line):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=line) as caught:
        load_study(path)
    assert str(caught.value).isprintable()


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_study(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        point_from(read_mapping(tmp_path))
    (tmp_path / "binary").write_bytes(b"\x89HDF\r\n\x1a\n\xff")
    with pytest.raises(ConfigError, match="binary: not a text file"):
        point_from(read_mapping(tmp_path / "binary"))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("seed: 0123", "found 0123, which YAML takes for 83; write 123"),
        ("realisations: 010", "found 010, which YAML takes for 8; write 10"),
        (
            "seed: 20:26",
            'found 20:26, which YAML takes for 1226; write 1226 or, for a text, "20:26"',
        ),
        ("seed: 0x10", 'found 0x10, which YAML takes for 16; write 16 or, for a text, "0x10"'),
        ("seed: 0b11", 'found 0b11, which YAML takes for 3; write 3 or, for a text, "0b11"'),
        (
            "defects: {mixture: {off: {share: 1.0}}}",
            'found off, which YAML takes for false; write false or, for a text, "off"',
        ),
        ("report: {vector: Yes}", "found Yes, which YAML takes for true; write true"),
        ("seed: 1_000", "found 1_000, which YAML takes for 1000; write 1000"),
        ("defects: {eta: 1:30.5}", "which YAML takes for 90.5; write 90.5"),
        ("defects: {eta: 1_0.5}", "which YAML takes for 10.5; write 10.5"),
        ("seed: 09", "seed: found the text '09', write 9;"),
        ("defects: {eta: -.5}", "defects.eta: found the text '-.5', write -0.5;"),
        ("defects: {eta: 007e3}", "defects.eta: found the text '007e3', write 7.0e+3;"),
    ],
)
def test_numbers_that_old_yaml_misreads_are_refused(tmp_path, written, message):
    path = tmp_path / "study.yaml"
    path.write_text(f"study: s\n{written}\n")
    with pytest.raises(ConfigError) as error:
        load_study(path)
    assert message in str(error.value)


def test_the_advice_about_a_number_works(tmp_path):
    path = tmp_path / "study.yaml"
    for number in ("9", "-0.5", "7.0e+3", "+5", "0", "1.", "1.0e-3"):
        path.write_text(f"study: s\ndefects: {{eta: {number}}}\n")
        assert load_study(path).config["defects"]["eta"] == float(number)


def test_aliases_without_end_are_refused(tmp_path):
    """Fourteen lines would be 4¹⁴ values, each of which an error would show."""
    value = "{a: 1}"
    for depth in range(14):
        value = f"{{a: &a{depth} {value}, b: *a{depth}, c: *a{depth}, d: *a{depth}}}"
    for text in (f"sample: {{source: {{file: {value}}}}}", "sample: &itself [*itself]"):
        (tmp_path / "study.yaml").write_text(f"study: s\n{text}\n", "utf-8")
        with pytest.raises(ConfigError, match="more than 1000000 values, those of aliases incl"):
            load_study(tmp_path / "study.yaml")
