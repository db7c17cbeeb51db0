"""The process that holds the key of the log, and signs nothing that does not continue what it signed.

`desk` decides, `state` keeps, `serving` listens; that much runs in the signer, and imports little, for it is started with
every `remit serve`. `child` and `remote` are the other end: how the log's writer asks it.
"""
