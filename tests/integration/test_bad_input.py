"""Bad input: one line with its E-code, what is wrong, where and what to do; exit code 1 or 2; nothing shipped."""

from pathlib import Path

import pytest

from tests.integration.house import House

HEADER = "order_number,name,address_1,city,state,zip,weight,service\n"
GOOD = "1,Ann Lee,1 Main St,Boston,MA,02110,2,Ground\n"


def write(house: House, name: str, content: str | bytes) -> Path:
    path = house.folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(house: House, *arguments: str) -> str:
    """Run tally; what it said on being refused."""
    sold = len(house.shipments())
    done = house.run(*arguments)
    assert done.returncode in {1, 2}, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(house.shipments()) == sold
    return done.stderr


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", "", "E-1003"),
        ("header-only.csv", HEADER, "E-1003"),
        ("twice.csv", "name,zip,zip\nAnn,02110,02110\n", "E-1004"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "E-1005"),
        ("zipped.csv", b"PK\x03\x04\x14\x00\x00\x00", "E-1005"),
        ("no-zip.csv", HEADER + "1,Ann Lee,1 Main St,Boston,MA,,2,Ground\n", "E-2010"),
        ("negative.csv", HEADER + "1,Ann Lee,1 Main St,Boston,MA,02110,-2,Ground\n", "E-2010"),
        ("slipped.csv", HEADER + "1,Ann Lee,1 Main St, Apt 2,Boston,MA,02110,2,Ground\n", "E-2010"),
        ("not-orders.csv", "a,b\n1,2\n", "E-2003"),
    ],
)
@pytest.mark.parametrize("command", ["ship", "preview"])
def test_a_bad_file(house: House, command: str, name: str, content: str | bytes, code: str) -> None:
    path = write(house, name, content)
    arguments = (command, str(path), "--yes") if command == "ship" else (command, str(path))
    first = refused(house, *arguments).splitlines()[0]
    assert first.startswith((f"{code}:", f"{code} ("))


def test_a_missing_file(house: House) -> None:
    assert "E-1001" in refused(house, "ship", "nowhere.csv", "--yes")


def test_a_folder_instead_of_a_file(house: House) -> None:
    (house.folder / "folder.csv").mkdir(exist_ok=True)
    assert "E-1002" in refused(house, "ship", str(house.folder / "folder.csv"), "--yes")


def test_a_relative_path_that_leaves_the_folder(house: House) -> None:
    outside = house.folder.parent / "outside.csv"
    outside.write_text(HEADER + GOOD)
    with_dots = refused(house, "preview", "--json", "nowhere/../../outside.csv")
    assert with_dots == "" or "E-100" in with_dots


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("colour = 'red'", "E-1011"),
        ("state = 'CA'; DROP TABLE orders", "E-1010"),
        ("zip IN (SELECT content FROM read_text('/etc/passwd'))", "E-1010"),
        ("read_csv('/etc/passwd') IS NOT NULL", "E-1010"),
        ("ATTACH 'other.db'", "E-1010"),
        ("COPY orders TO '/tmp/x'", "E-1010"),
        ("PRAGMA version", "E-1010"),
        ("getenv('HOME') = 'x'", "E-1010"),
        ("state =", "E-1010"),
        ("1 = 2", "E-1008"),
    ],
)
def test_a_bad_condition(house: House, where: str, code: str) -> None:
    path = write(house, "where.csv", HEADER + GOOD)
    assert code in refused(house, "preview", str(path), "--where", where)


def test_every_bad_row_is_listed_at_once_with_its_place(house: House) -> None:
    path = write(
        house,
        "rows.csv",
        HEADER
        + GOOD
        + "2,Bob Ray,2 Main St,Boston,MA,,2,Ground\n"
        + "3,Cy Poe,3 Main St,Boston,MA,02110,-1,Ground\n"
        + "4,Di Fox,4 Main St,Boston,ZZ,02110,1,Pigeon\n",
    )
    said = refused(house, "ship", str(path), "--yes")
    assert "E-2010" in said
    assert "3 of 4 rows" in said
    for place in ("row 2", "row 3", "row 4"):
        assert place in said
    assert "postal" in said
    assert "Pigeon" in said


def test_a_mapping_that_names_a_missing_column(house: House) -> None:
    path = write(house, "mapped.csv", HEADER + GOOD)
    mapping = write(
        house,
        "bad.yaml",
        "fields:\n  recipient_name: '{{ row[\"Ship To\"] }}'\n  address_1: '{{ address_1 }}'\n  city: '{{ city }}'\n",
    )
    said = refused(house, "ship", str(path), "--map", str(mapping), "--yes")
    assert "E-2003" in said
    assert "Ship To" in said


def test_a_mapping_that_does_not_exist(house: House) -> None:
    path = write(house, "mapped2.csv", HEADER + GOOD)
    assert "E-2001" in refused(house, "ship", str(path), "--map", "nowhere.yaml", "--yes")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cut-off.xlsx", b"PK\x03\x04", "E-1020"),
        ("renamed.xlsx", b"%PDF-1.7", "E-1020"),
        ("text.parquet", b"order,name\n", "E-1026"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(house: House, name: str, content: bytes, code: str) -> None:
    path = write(house, name, content)
    assert code in refused(house, "ship", str(path), "--yes")
    assert code in refused(house, "preview", str(path))


def test_a_job_that_does_not_exist(house: House) -> None:
    assert "E-4003" in refused(house, "show", "nosuchjob")


def test_a_command_that_does_not_exist_is_a_usage_error(house: House) -> None:
    assert house.run("shipp").returncode == 2


def test_a_bus_that_is_not_there(house: House) -> None:
    done = house.run("jobs", environment={"TALLY_NATS_URL": "nats://127.0.0.1:1"})
    assert done.returncode == 3
    assert "E-4001" in done.stderr
    assert "Traceback" not in done.stderr
