"""Hardware: names of drivers, kernels, papers and people, defaults that are said, and devices of the user."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.catalogue import hardware, tables
from sootprint.core.errors import CatalogueError
from sootprint.settings.tables import UserHardware


@pytest.mark.parametrize(
    ("name", "canonical", "power_w"),
    [
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 SXM5 80GB", 700),
        ("NVIDIA H100 PCIe", "NVIDIA H100 PCIe 80GB", 350),
        ("Tesla V100-SXM2-16GB", "NVIDIA Tesla V100 SXM2 16GB", 300),
        ("Tesla V100-PCIE-32GB", "NVIDIA Tesla V100 PCIe 32GB", 250),
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 SXM4 80GB", 400),
        ("NVIDIA A100 80GB PCIe", "NVIDIA A100 PCIe 80GB", 300),
        ("A100 80G", "NVIDIA A100 SXM4 80GB", 400),
        ("V100", "NVIDIA Tesla V100 SXM2 16GB", 300),
        ("Tesla T4", "NVIDIA T4", 70),
        ("NVIDIA GeForce RTX 2080 Ti", "NVIDIA GeForce RTX 2080 Ti", 250),
        ("GTX 1080", "NVIDIA GeForce GTX 1080", 180),
        ("GeForce RTX 4090 GPU", "NVIDIA GeForce RTX 4090", 450),
        ("M40", "NVIDIA Tesla M40", 250),
        ("TPU v3", "Google TPU v3", 450),
        ("tpu-v3", "Google TPU v3", 450),
        ("AMD Instinct MI250X", "AMD Instinct MI250X", 560),
    ],
)
def test_accelerator_is_found_by_any_of_its_names(name, canonical, power_w):
    """Rated powers as the makers' data sheets and the survey state them."""
    found = hardware.accelerator(name)
    assert (found.name, found.rated_power_w) == (canonical, power_w)
    assert found.rated_power().quantity().value == power_w


@pytest.mark.parametrize(
    ("name", "power_w", "word"),
    [
        ("V100", 300, "PCIe 250 W"),
        ("A100", 400, "PCIe 250-300 W"),
        ("RTX 6000", 260, "Ada"),
        ("P100", 300, "250 W"),
    ],
)
def test_ambiguous_name_takes_the_documented_default_and_says_so(name, power_w, word):
    """Training clusters use the SXM part, and its power is the upper bound; the warning names the other."""
    found = hardware.accelerator(name)
    assert found.rated_power_w == power_w
    assert word in found.warnings[0]


def test_full_name_has_no_remark():
    """A driver's full name leaves nothing to guess."""
    assert hardware.accelerator("Tesla V100-SXM2-16GB").warnings == ()


@pytest.mark.parametrize("name", ["TPU v4", "TPU v5e", "Trainium1"])
def test_unpublished_power_is_unknown(name):
    """No rated power of TPU v4 and later is published: it is None, never 0."""
    found = hardware.accelerator(name)
    assert found.rated_power_w is None
    assert found.rated_power().value is None


def test_measured_power_stands_beside_the_rated_one():
    """Google's documentation: 90, 170 and 192 W for TPU v4."""
    assert hardware.accelerator("TPU v4").measured_w == (90.0, 170.0, 192.0)
    assert hardware.accelerator("H100").measured_w is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("NVIDIA H100 SXM6 90GB", "NVIDIA H100 SXM5 80GB"),
        ("RTX 4091", "NVIDIA GeForce RTX 4090"),
        ("TPU v9", "Google TPU v"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090"),
    ],
)
def test_unknown_accelerator_names_the_three_nearest(name, nearest):
    """The line has three known names and the way to add one; a laptop part is another part."""
    assert hardware.find_accelerator(name) is None
    with pytest.raises(CatalogueError) as caught:
        hardware.accelerator(name)
    message = str(caught.value)
    assert nearest in message
    assert f'[hardware."{name}"]' in message
    assert message.partition("nearest are ")[2].partition(": choose")[0].count(",") == 2


def test_number_before_a_device_is_told_apart():
    """The name is A100, and eight of them is another question."""
    with pytest.raises(
        CatalogueError, match=r": the name is A100; the number of devices \(8\) stands apart$"
    ):
        hardware.accelerator("8 x A100")


def test_device_known_to_be_unknown_says_why():
    """The V100 SXM3 has no row, and is not read as the SXM2."""
    with pytest.raises(CatalogueError, match="SXM3"):
        hardware.accelerator("Tesla V100-SXM3-32GB")


def test_every_alias_leads_to_its_device():
    """Each alias of the table resolves to its row or is known to be unknown."""
    for row in tables.all_rows("accelerator_names"):
        found = hardware.find_accelerator(row["alias"])
        assert (found.name if found else "") == row["name"], row["alias"]


def test_remark_says_what_a_name_leaves_open_and_nothing_where_it_states_it():
    """A form that the name has is not said to be assumed, and no remark is a mark of the gathered list."""
    told = {
        name: hardware.accelerator(name).warnings for name in ("A100", "A100 SXM4", "H100 SXM5", "V100 32GB")
    }
    assert [("assumed" in " ".join(said)) for said in told.values()] == [True, False, False, True]
    assert "the memory is not stated" in told["A100 SXM4"][0]
    for row in tables.all_rows("accelerator_names"):
        assert not row["note"].startswith("DEFAULT"), row["alias"]
        assert "SXM" not in row["alias"] or "form is assumed" not in row["note"], row["alias"]


def test_every_accelerator_is_found_by_its_own_name():
    """The canonical name is an alias too."""
    for row in tables.all_rows("accelerators"):
        assert hardware.accelerator(row["name"]).name == row["name"]


@given(st.sampled_from(["Tesla V100-SXM2-16GB", "A100 80G", "TPU v3"]), st.data())
def test_case_and_punctuation_do_not_matter(name, data):
    """Letters and digits decide."""
    filled = "".join(
        data.draw(st.sampled_from([letter.upper(), letter.lower()]))
        + data.draw(st.sampled_from(["", "-", " ", "_"]))
        for letter in name
    )
    assert hardware.accelerator(filled).name == hardware.accelerator(name).name


@pytest.mark.parametrize(
    ("name", "canonical", "power_w", "cores"),
    [
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "Intel Xeon Platinum 8259CL", 210, 24),
        ("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", "Intel Xeon Gold 6248", 150, 20),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "Intel Xeon E5-2680 v4", 120, 14),
        ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", "Intel Core i7-9750H", 45, 6),
        ("12th Gen Intel(R) Core(TM) i7-12700K", "Intel Core i7-12700K", 125, None),
        ("AMD EPYC 7742 64-Core Processor", "AMD EPYC 7742", 225, 64),
        ("AMD Ryzen 9 5950X 16-Core Processor", "AMD Ryzen 9 5950X", 105, 16),
        ("AMD Ryzen Threadripper 3970X 32-Core Processor", "AMD Ryzen Threadripper 3970X", 280, 32),
        ("AMD Ryzen 7 5800H with Radeon Graphics", "AMD Ryzen 7 5800H", 45, 8),
        ("EPYC 7763", "AMD EPYC 7763", 280, 64),
        ("xeon gold 6130", "Intel Xeon Gold 6130", 125, 16),
        ("Gold 6248", "Intel Xeon Gold 6248", 150, 20),
        ("i9-9900K", "Intel Core i9-9900K", 95, 8),
    ],
)
def test_processor_is_found_by_any_of_its_names(name, canonical, power_w, cores):
    """Powers and cores as Intel's and AMD's pages state them."""
    found = hardware.cpu(name)
    assert (found.name, found.rated_power_w, found.cores) == (canonical, power_w, cores)


@pytest.mark.parametrize(
    "name",
    ["Intel Xeon Processor (Skylake, IBRS)", "AMD EPYC Processor", "QEMU Virtual CPU version 2.5+", "", "@"],
)
def test_name_of_a_virtual_machine_is_no_processor(name):
    """A hypervisor that hides the model leaves the processor unknown."""
    assert hardware.find_cpu(name) is None


def test_unknown_processor_names_the_three_nearest():
    """A digit is wrong: the true one is among the three."""
    with pytest.raises(CatalogueError, match="AMD EPYC 7742") as caught:
        hardware.cpu("AMD EPYC 7743 64-Core Processor")
    assert str(caught.value).partition("nearest are ")[2].partition(": choose")[0].count(",") == 2


def test_refusal_travels_between_processes():
    """A worker's error reaches its parent with the same text."""
    with pytest.raises(CatalogueError) as caught:
        hardware.accelerator("RTX 4091")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


USER = {
    "Lab card": UserHardware(
        name="Lab card", kind="gpu", rated_power_w=310.0, aliases=("LC-1",), embodied_kg=90.0
    ),
    "NVIDIA T4": UserHardware(name="NVIDIA T4", kind="gpu", rated_power_w=65.0),
    "Lab chip": UserHardware(name="Lab chip", kind="cpu", rated_power_w=88.0, cores=12),
}


@pytest.mark.parametrize(
    ("name", "power_w"), [("lab CARD", 310), ("lc1", 310), ("NVIDIA T4", 65), ("nvidia-t4", 65)]
)
def test_device_of_the_user_wins(name, power_w):
    """The settings know their own machine better than a table."""
    found = hardware.accelerator(name, user=USER)
    assert (found.rated_power_w, found.source) == (power_w, "settings of the user")


def test_processor_of_the_user_is_a_processor():
    """A device of one kind is not found as the other."""
    assert hardware.cpu("lab chip", user=USER).cores == 12
    assert hardware.find_accelerator("lab chip", user=USER) is None
    assert hardware.find_cpu("Lab card", user=USER) is None


def test_packaged_device_stays_beside_those_of_the_user():
    """Only the same name is replaced."""
    assert hardware.accelerator("V100", user=USER).rated_power_w == 300


@pytest.mark.parametrize(("name", "like"), [("H800", "H100"), ("NVIDIA A800", "A100")])
def test_chip_with_slower_links_counts_as_the_other(name, like):
    """An H800 computes as an H100, and the warning says that its rated power is not confirmed."""
    found = hardware.accelerator(name)
    assert like in found.name
    assert any("not confirmed" in text for text in found.warnings)
