import asyncio

from remit.app import build
from remit.audit.calls_noted import read_noted
from remit.audit.events import AuditStopped
from remit_audit_verify.tree import verify_inclusion


async def test_a_process_has_tiles_of_its_own_log_and_proofs_against_its_checkpoint(settings):
    async with build(settings, environ={}) as app:
        await asyncio.to_thread(app.audit.record, [AuditStopped()] * 100)
        for _ in range(5):
            await asyncio.to_thread(app.audit.record, [AuditStopped()] * 100)
        folder = app.folder.audit / "main" / "tile" / "0"
        while not (folder / "001").exists():
            await app.proofs.tile()
        signed = app.proofs.tiled.checkpoint("remit/main")
        tiles = app.proofs.tiled.tiles("remit/main")
        proof = tiles.inclusion(300, signed.size)
        leaf = tiles.part(0, 1, 45)[-32:]
        assert verify_inclusion(leaf, 300, signed.size, proof=proof, root=signed.root)


async def test_without_witnesses_and_authority_nobody_is_asked(settings):
    async with build(settings, environ={}) as app:
        await app.proofs.witnesses.look()
        await app.proofs.stamps.look()
        assert app.proofs.witnesses.states() == {}
        assert not (app.folder.audit / "main" / "witnessed").exists()


async def test_calls_that_have_not_ended_are_noted_beside_the_log(settings, monkeypatch):
    monkeypatch.setattr("remit.audit.calls_noted._EVERY", 50)
    async with build(settings, environ={}) as app:
        await asyncio.to_thread(app.audit.record, [AuditStopped()] * 100)
        await app.proofs.note()
        assert read_noted(app.folder.audit / "main").size > 100
