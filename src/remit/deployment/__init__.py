"""Bundles of policies: kept, proposed, judged, put in force, tried on a share of the agents, taken back.

Refuses what is not signed as it has to be, what does not check, whose tables fail, and what one person may not
decide alone.
"""
