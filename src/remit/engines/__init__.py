"""Engines in other processes: Cerbos, any AuthZEN 1.0 decision point, and other people's, behind one port.

Refuses whenever the other side is late, fails, or says something that is not an answer to the question.
"""
