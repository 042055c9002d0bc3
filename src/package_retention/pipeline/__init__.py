"""Run one operation: find, survey and plan every package, then have the plans carried out.

This room knows the network through `ports` alone. It never starts a change while a package has no plan, nor on facts
older than five minutes.
"""
