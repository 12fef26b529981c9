"""`tidegate verify --prove`, `--since` and `--proof`: others can check what is printed, and nothing else holds."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tidegate import Store
from tidegate.evidence.merkle import verify_consistency, verify_inclusion

from .conftest import Demo, typed


def some_id(demo: Demo) -> str:
    listed = typed("decisions", "--store", demo.store, "--alarms", "--limit", "1", "--json").stdout
    return str(json.loads(listed)["id"])


def head_of(store: Path) -> str:
    return str(json.loads(typed("verify", "--store", store, "--json").stdout)["head"])


@pytest.fixture
def printed(demo: Demo, tmp_path: Path) -> Path:
    """A file with both proofs."""
    result = typed("verify", "--store", demo.store, "--prove", some_id(demo), "--since", "100")
    assert result.exit_code == 0, result.output
    path = tmp_path / "proof.json"
    path.write_text(result.stdout)
    return path


def test_both_proofs_are_of_one_tree_head_and_hold_by_the_rfc(demo: Demo, printed: Path) -> None:
    told = json.loads(printed.read_text())
    one, both = told["inclusion"], told["consistency"]
    size, root = head_of(demo.store).split(":")
    assert one["id"] == some_id(demo)
    assert (one["size"], one["root"]) == (both["second"], both["second_root"]) == (int(size), root)
    steps = [bytes.fromhex(step) for step in one["proof"]]
    assert verify_inclusion(bytes.fromhex(one["leaf"]), one["index"], int(size), steps, bytes.fromhex(root))
    steps = [bytes.fromhex(step) for step in both["proof"]]
    assert verify_consistency(100, bytes.fromhex(both["first_root"]), int(size), bytes.fromhex(root), steps)


def test_what_was_printed_is_checked_without_the_store(demo: Demo, printed: Path) -> None:
    head = head_of(demo.store)
    result = typed("verify", "--proof", printed, "--head", head)
    assert result.exit_code == 0
    assert result.stdout.count("Proven:") == 2
    told = typed("verify", "--proof", printed, "--head", head, "--json").stdout
    assert json.loads(told) == {"ok": True, "inclusion": True, "consistency": True}
    assert "--head SIZE:ROOT" in typed("verify", "--proof", printed).stderr
    for wrong in (head[:-1] + ("0" if head[-1] != "0" else "1"), f"1{head}"):
        result = typed("verify", "--proof", printed, "--head", wrong)
        assert result.exit_code == 1
        assert "Not proven" in result.stdout


@pytest.mark.parametrize("part", ["inclusion", "consistency"])
def test_a_proof_that_was_touched_is_not_proven(printed: Path, part: str) -> None:
    told = json.loads(printed.read_text())
    steps = told[part]["proof"]
    steps[0] = steps[0][:-1] + ("0" if steps[0][-1] != "0" else "1")
    printed.write_text(json.dumps(told))
    result = typed("verify", "--proof", printed, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[part] is False


def test_each_may_be_asked_for_alone(demo: Demo, tmp_path: Path) -> None:
    assert set(json.loads(typed("verify", "--store", demo.store, "--prove", some_id(demo)).stdout)) == {"inclusion"}
    grown = typed("verify", "--store", demo.store, "--since", head_of(demo.store)).stdout
    assert json.loads(grown)["consistency"]["proof"] == []
    path = tmp_path / "p.json"
    path.write_text(grown)
    assert typed("verify", "--proof", path).exit_code == 0


def test_what_cannot_be_proven_is_told(demo: Demo, tmp_path: Path) -> None:
    head = head_of(demo.store)
    for words, said in (
        (("--prove", "nobody"), "holds no record of 'nobody'"),
        (("--since", "99999999"), "does not begin with the 99999999 records"),
        (("--since", f"100:{'0' * 64}"), "does not begin with the 100 records"),
        (("--since", "soon"), "SIZE:ROOT"),
        (("--since", f"-1:{head.split(':')[1]}"), "SIZE:ROOT"),
    ):
        result = typed("verify", "--store", demo.store, *words)
        assert result.exit_code == 2, words
        assert said in result.stderr
        assert result.stdout == ""
    path = tmp_path / "none.json"
    assert "cannot be read" in typed("verify", "--proof", path).stderr
    for content in (b"", b"[]", b"{}", b'{"other": {}}', b'{"inclusion": 1}', b"\xff\xfe"):
        path.write_bytes(content)
        result = typed("verify", "--proof", path)
        assert result.exit_code == 2
        assert "holds no proof" in result.stderr


def test_a_record_that_was_touched_is_not_proven(demo: Demo, tmp_path: Path) -> None:
    path, id = tmp_path / "t.db", some_id(demo)
    shutil.copy(demo.store, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET answer = x'00' WHERE id = ?", (id,))
    connection.close()
    result = typed("verify", "--store", path, "--prove", id)
    assert result.exit_code == 2
    assert "cannot be proven" in result.stderr


def test_a_proof_is_made_while_others_write(tmp_path: Path) -> None:
    from tests.connectors.entries import entries

    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 300))
        told = json.loads(typed("verify", "--store", path, "--prove", "e300", "--since", "300").stdout)
        assert (told["inclusion"]["size"], told["consistency"]["second"]) == (300, 300)
        store.append(entries(301, 310))
        told = json.loads(typed("verify", "--store", path, "--prove", "e300", "--since", "300").stdout)
        assert (told["inclusion"]["size"], told["consistency"]["second"]) == (310, 310)
