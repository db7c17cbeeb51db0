"""The verifier in a fresh environment, without network and without the server; and somebody else's tree beside ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remit_audit_verify.tree import inclusion_proof, leaf_hash, root_hash

PACKAGE = Path(__file__).parents[1]
GUARDED = """
import sys
def refuse(event, arguments):
    if event.startswith("socket.") or event in ("urllib.Request", "ftplib.connect"):
        raise RuntimeError("the verifier asked for the network")
sys.addaudithook(refuse)
from remit_audit_verify.command import main
status = main(sys.argv[1:])
ours = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
strangers = ours - set(sys.stdlib_module_names) - {"__main__", "remit_audit_verify", "cryptography", "_cffi_backend", "sitecustomize"}
assert not {name for name in strangers if not name.startswith("_")}, strangers
sys.exit(status)
"""
ORACLE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pymerkle import InmemoryTree
asked = json.load(sys.stdin)
tree = InmemoryTree(algorithm="sha256")
for entry in asked["entries"]:
    tree.append_entry(entry.encode())
print(json.dumps({
    "roots": [tree.get_state(size).hex() for size in asked["sizes"]],
    "inclusion": [tree.prove_inclusion(n + 1, size).serialize()["path"] for n, size in asked["inclusion"]],
}))
"""


def environment(folder: Path, *wanted: str) -> Path:
    """A Python with `wanted` and nothing else; without a registry, the test is passed over."""
    uv = os.environ.get("UV") or shutil.which("uv")
    python = folder / "bin" / "python"
    if uv is not None:
        commands = [
            [uv, "venv", "-q", "-p", sys.executable, str(folder)],
            [uv, "pip", "install", "-q", "--python", str(python), *wanted],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "-q", *wanted],
        ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no environment can be made here: {done.stderr[-300:]}")
    return python


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    return environment(tmp_path_factory.mktemp("alone") / "env", str(PACKAGE))


def run(python: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", "-c", GUARDED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_a_log_is_checked_offline_by_the_verifier_alone(alone, make_log, policy, tmp_path):
    log = make_log(3_000)
    folder = log.write([1_000, 3_000], witnessed={3_000: 3_000}, segments=(0, 1_500))
    trusted = tmp_path / "auditor.policy"
    trusted.write_text(f"log {log.verifier}\nwitness w {policy.witnesses['w']}\nquorum w\n")
    done = run(alone, folder, "--policy", trusted, "--full", "--workers", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3,000 records" in done.stdout
    (path,) = folder.glob("*1500.jsonl")
    path.write_bytes(path.read_bytes().replace(b"because 2000", b"because 2001"))
    assert run(alone, folder, "--policy", trusted).returncode == 1


def test_a_proof_is_made_and_checked_by_the_verifier_alone(alone, make_log, tmp_path):
    log = make_log(300)
    proof = tmp_path / "17.tlog-proof"
    assert run(alone, "prove", log.write(), 17, "-o", proof).returncode == 0
    assert run(alone, "check", proof, "--key", log.verifier).returncode == 0


def test_the_environment_has_nothing_of_the_server(alone):
    code = "import importlib.util as u; print(u.find_spec('remit'), u.find_spec('orjson'))"
    done = subprocess.run(
        [str(alone), "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "None None\n"


def test_pymerkle_has_the_same_roots_and_the_same_audit_paths(tmp_path):
    """Code that we did not write (GPL: in an environment of its own, and nowhere else)."""
    oracle = environment(tmp_path / "env", "pymerkle==7.0.0")
    entries = [f"entry {n}" for n in range(300)]
    sizes = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 127, 128, 129, 255, 256, 257, 300]
    inclusion = [(n, size) for size in sizes for n in sorted({0, size // 2, size - 1})]
    asked = {"entries": entries, "sizes": sizes, "inclusion": inclusion}
    done = subprocess.run(
        [str(oracle), "-I", "-c", ORACLE],
        input=json.dumps(asked), capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    leaves = [leaf_hash(entry.encode()) for entry in entries]
    assert told["roots"] == [root_hash(leaves[:size]).hex() for size in sizes]
    for (index, size), path in zip(inclusion, told["inclusion"], strict=True):
        # Theirs begins with the leaf itself.
        assert path[1:] == [node.hex() for node in inclusion_proof(index, leaves[:size])]
        assert path[0] == leaves[index].hex()
