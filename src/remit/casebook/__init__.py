"""Decision tables: who, through which agent, calls what with which arguments, and what is to be decided.

Decides nothing itself; every case goes through the steps that take every other decision.
"""
